"""`fleet-control deploy` and `wait`: refused before anybody is asked, and followed to the end."""

import pytest

from fleet_control.ledger import Job, Step, parse_request_id
from fleet_control.policy import RefusalCode
from lambda_fn.read_limit import A_MINUTE
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.deploys import TAKEN
from tests.fleet_control.fleets import IDS, doubt, run
from tests.fleet_control.lambdas import Lambda
from tests.fleet_control.on_host import OnHost

FAILED = run(
    7,
    conclusion="failure",
    reason="no such image",
    jobs=(Job("claw-2: ami-1 -> ami-2", "completed", "failure"),),
)


async def test_a_deploy_of_another_is_asked_for_as_this_instance(
    host: OnHost, control: Lambda
) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers(TAKEN)

    ended = await host.types("deploy", "claw-2")

    assert (ended.code, ended.out) == (0, "deploy queued for claw-2\nrun 7: https://r/7\n")
    assert control.actions == ["registry", "runs", "deploy"]
    deploy = control.asked[2]
    request_id = parse_request_id(deploy.pop("request_id"))
    assert request_id[:3] == ("agent", "claw-1", "cli")
    assert deploy == {
        "action": "deploy",
        "target": "claw-2",
        "caller": "claw-1",
        "ami_override": "",
        "revision": "",
        "requested_by": "",
        "reply": "",
    }
    assert control.signed == [True] * 3


@pytest.mark.parametrize("version", [{"ami_override": "ami-1"}, {"revision": "0a1b2c3"}])
async def test_an_image_or_a_commit_repairs(
    host: OnHost, control: Lambda, three_hosts: FakeEc2, version: dict[str, str]
) -> None:
    three_hosts.scripts["DescribeImages"] = [aws.image("ami-1", "2026-11-20T08:00:00.000Z")]
    three_hosts.scripts["DescribeInstanceStatus"] = [
        aws.checks("impaired", "ok", "i-1", "i-2", "i-3")
    ]
    control.has_registry(*IDS)
    control.has_runs()
    control.answers(TAKEN)

    ended = await host.types("deploy", "claw-2", *version.values())

    assert ended.code == 0
    named = {"ami_override": "", "revision": ""} | version
    assert {name: control.asked[2][name] for name in named} == named


async def test_what_only_the_run_can_see_is_said(host: OnHost, control: Lambda) -> None:
    said = []
    for more in ((), ("--wait",), ("--json",)):
        control.has_registry(*IDS)
        control.has_runs()
        control.answers(TAKEN)
        control.shows(*[run(7)] * ("--wait" in more))
        said.append(await host.types("deploy", "claw-2", "0a1b2c3", *more))

    told = doubt("claw-2", RefusalCode.REPAIR_ONLY)
    assert said[0].out == f"deploy queued for claw-2\nrun 7: https://r/7\n{told}\n"
    assert f"{told}\n" in said[1].err
    assert said[2].answer["doubt"] == told


async def test_every_ask_has_a_request_id_of_its_own(host: OnHost, control: Lambda) -> None:
    for _ in range(2):
        control.has_registry(*IDS)
        control.has_runs()
        control.answers(TAKEN)

    answers = [(await host.types("deploy", "claw-2", "--json")).answer for _ in range(2)]

    assert answers[0]["run"] == {"id": 7, "url": "https://r/7"}
    assert answers[0]["doubt"] == ""
    assert answers[0]["request_id"] != answers[1]["request_id"]


@pytest.mark.parametrize("target", ["claw-1", "all"])
async def test_itself_is_refused_before_anybody_is_asked(
    host: OnHost, control: Lambda, three_hosts: FakeEc2, target: str
) -> None:
    ended = await host.types("deploy", target)

    assert (ended.code, ended.out) == (3, "")
    assert "claw-1 may not deploy" in ended.err
    assert (control.asked, three_hosts.asked) == ([], [])


async def test_a_refusal_in_json_has_its_code(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(8, caller="claw-1", status="queued", conclusion=None))

    ended = await host.types("deploy", "claw-2", "--json")

    assert (ended.code, ended.answer["ok"], ended.answer["code"]) == (3, False, "busy")
    assert "deploy" not in control.actions


async def test_an_unknown_image_is_refused_before_it_is_asked_for(
    host: OnHost, control: Lambda
) -> None:
    control.has_registry(*IDS)

    ended = await host.types("deploy", "claw-2", "ami-00000000")

    assert ended.code == 3
    assert "`ami-00000000` is not an available image" in ended.err
    assert control.actions == ["registry"]


async def test_a_refusal_of_the_control_api_is_a_refusal(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.refuses("forged_caller", 403)

    ended = await host.types("deploy", "claw-2")

    assert (ended.code, ended.err) == (3, "forged_caller, in words.\n")


async def test_an_outcome_that_is_unknown_is_called_so(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.breaks_off()

    ended = await host.types("deploy", "claw-2")

    request_id = control.asked[2]["request_id"]
    assert ended.code == 6
    assert "I can't confirm whether the deploy began" in ended.err
    assert ended.err.endswith(f"fleet-control runs --request-id {request_id}\n")


async def test_a_deploy_that_is_waited_for_ends_as_it_ends(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers(TAKEN)
    control.shows(run(7, status="in_progress", conclusion=None), run(7))

    ended = await host.types("deploy", "claw-2", "--wait", "--json")

    assert (ended.code, ended.answer["run"]["conclusion"]) == (0, "success")
    assert ended.err.splitlines() == [
        "run 7: asked for by sam in Discord, 2026-09-21 13:00 UTC",
        "run 7: in_progress",
        "run 7: success",
    ]


async def test_a_deploy_that_ran_under_an_earlier_dispatch_of_it_is_no_failure(
    host: OnHost, control: Lambda
) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers(TAKEN)
    twin = run(7, conclusion="failure", request_id="a", reason="Run 6 is the deploy of this ask")
    deploy = run(6, request_id="a")
    control.shows(twin)
    control.has_runs(twin, deploy)
    control.shows(deploy, deploy)

    ended = await host.types("deploy", "claw-2", "--wait", "--json")

    assert (ended.code, ended.answer["run"]["id"]) == (0, 6)


async def test_a_deploy_without_a_run_can_not_be_waited_for(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers({"ok": True, "message": "queued", "run": {"id": None, "url": "https://r"}})

    ended = await host.types("deploy", "claw-2", "--wait")

    assert ended.code == 6
    assert "--request-id agent.claw-1.cli." in ended.err


async def test_a_failed_deploy_says_why(host: OnHost, control: Lambda) -> None:
    control.shows(FAILED)

    ended = await host.types("wait", "7")

    assert ended.code == 5
    assert ended.out.splitlines() == [
        "run 7: failure",
        "deploys claw-2 (newest image), asked for by discord:8035 sam",
        "claw-2: ami-1 -> ami-2  failure",
        "why: no such image",
        "https://github.test/runs/7",
    ]


async def test_a_failed_deploy_in_json_has_the_run(host: OnHost, control: Lambda) -> None:
    control.shows(FAILED)

    answer = (await host.types("wait", "7", "--json")).answer

    assert (answer["ok"], answer["code"], answer["error"]) == (
        False,
        "deploy_failed",
        "no such image",
    )
    assert answer["run"]["jobs"][0]["conclusion"] == "failure"


async def test_a_deploy_that_a_person_stopped_is_called_that(host: OnHost, control: Lambda) -> None:
    sam = "Stopped by discord:8035 sam"
    steps = (Step(sam, "completed", "failure"), Step("Replace", "completed", "skipped"))
    job = FAILED.jobs[0]._replace(steps=steps)
    control.shows(*[FAILED._replace(jobs=(job,), reason="the roll was stopped")] * 2)

    ended = await host.types("wait", "7")
    answer = (await host.types("wait", "7", "--json")).answer

    assert ended.code == 5
    assert ended.out.splitlines()[0] == "run 7: stopped by sam in Discord"
    assert "claw-2: ami-1 -> ami-2  stopped" in ended.out.splitlines()
    assert "run 7: stopped by sam in Discord" in ended.err.splitlines()
    assert (answer["code"], answer["error"]) == ("deploy_stopped", "the roll was stopped")


async def test_waiting_can_be_limited(host: OnHost, control: Lambda) -> None:
    control.shows(*[run(7, status="in_progress", conclusion=None)] * 3)

    ended = await host.types("wait", "7", "--timeout", "15")

    assert (ended.code, len(control.asked)) == (6, 2)


@pytest.mark.parametrize("more", [(), ("--wait",)])
async def test_what_the_control_api_says_beside_is_shown(
    host: OnHost, control: Lambda, more: tuple[str, ...]
) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers({**TAKEN, "note": "The table is away."})
    control.shows(run(7))

    ended = await host.types("deploy", "claw-2", *more)

    assert "The table is away.\n" in (ended.err if more else ended.out)


async def test_a_program_is_told_how_many_are_before_it(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    control.answers({**TAKEN, "ahead": 3, "note": "x"})

    answer = (await host.types("deploy", "claw-2", "--json")).answer

    assert (answer["ahead"], answer["note"]) == (3, "x")


async def test_an_agent_that_deploys_and_waits_never_meets_the_limit_of_its_reads(
    host: OnHost, control: Lambda
) -> None:
    """Its worst minute: an answer is lost, and then something changes at every look."""
    control.has_registry(*IDS)
    control.has_runs()
    control.breaks_off()
    for _ in range(2):
        control.has_runs(run(7, request_id="another"))
    control.answers(TAKEN)
    for number in range(20):
        jobs = (Job(f"{number}", "in_progress"),)
        control.shows(run(7, status="in_progress", conclusion=None, jobs=jobs))

    ended = await host.types("deploy", "claw-2", "--wait", "--timeout", "60")

    reads = [action for action in control.actions if action != "deploy"]
    assert ended.code == 6
    assert 9 <= len(reads) <= A_MINUTE * 2 / 3
