"""`fleet-control` as an agent on a host runs it: what it says, asks, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clawbot.sandbox.image import images
from fleet_control import document, ec2
from fleet_control.cli import main
from fleet_control.ledger import Job, Run, parse_request_id
from tests.fleet_control import aws, lambdas
from tests.fleet_control.aws import Aws
from tests.fleet_control.fleets import NOW, registry_text, run
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, Lambda

IDS = ("claw-1", "claw-2", "claw-3")
TAKEN = {"ok": True, "message": "deploy queued for claw-2", "run": {"id": 7, "url": "https://r/7"}}
FAILED = run(
    7,
    conclusion="failure",
    reason="no such image",
    jobs=(Job("claw-2: ami-1 -> ami-2", "completed", "failure"),),
)


@dataclass
class Ended:
    """How the command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@dataclass
class Host:
    """A host of claw-1, on which the command is run."""

    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    async def types(self, *words: str) -> Ended:
        # In a thread: it has an event loop of its own, and its servers live in ours.
        code = await asyncio.to_thread(main, words, self.environ, HastyClock(NOW))
        return Ended(code, *self.capsys.readouterr())


@pytest.fixture(scope="module")
def served_ec2() -> Iterator[Aws]:
    with aws.serving() as served:
        yield served


@pytest.fixture
def cloud(served_ec2: Aws) -> Aws:
    """Three healthy hosts."""
    served_ec2.forget()
    served_ec2.scripts["DescribeInstances"] = [aws.instances("i-1", "i-2", "i-3")]
    served_ec2.scripts["DescribeInstanceStatus"] = [aws.checks("ok", "ok", "i-1", "i-2", "i-3")]
    return served_ec2


@pytest.fixture
async def control() -> AsyncIterator[Lambda]:
    async with lambdas.serving() as served:
        yield served


@pytest.fixture
def host(cloud: Aws, control: Lambda, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    environ = {
        "FLEET_CONTROL_ROOT": str(tmp_path),
        "FLEET_CONTROL_INSTANCE": "claw-1",
        "FLEET_CONTROL_API_URL": control.url,
        "FLEET_CONTROL_REGION": REGION,
        "FLEET_CONTROL_TOKEN": TOKEN,
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "FLEET_CONTROL_EC2_URL": cloud.url,
    }
    return Host(environ, capsys)


def has_registry(control: Lambda, *ids: str) -> None:
    control.answers({"ok": True, "registry": registry_text(*(ids or IDS)), "version": "v1"})


def has_runs(control: Lambda, *runs: Run) -> None:
    control.answers({"ok": True, "runs": [document.run(one) for one in runs]})


def shows(control: Lambda, *runs: Run) -> None:
    for one in runs:
        control.answers({"ok": True, "run": document.run(one)})


def asked(control: Lambda) -> list[str]:
    return [body["action"] for body in control.asked]


async def test_status_is_a_table_for_people(host: Host, control: Lambda, cloud: Aws) -> None:
    has_registry(control, *IDS, "claw-4")
    cloud.scripts["DescribeImages"] = [aws.image("ami-1", "2026-09-20T13:46:40.000Z")]

    ended = await host.types("status")

    assert (ended.code, ended.err) == (0, "")
    head, missing, first, *_, summary, source = ended.out.splitlines()
    assert head.split()[:4] == ["INSTANCE", "IS", "HOST", "STATE"]
    assert missing.split(None, 9)[:3] == ["claw-4", "missing", "-"]
    assert missing.endswith("no host; a deploy creates it")
    assert " ".join(first.split()) == (
        "claw-1 healthy i-1 running ok t3.large ami-1 (newest) 2026-11-20 08:00 10.0.0.7 -"
    )
    assert summary == "4 instances; 1 missing. Newest image: ami-1 ami-1, 1 day old."
    assert source == "The registry is as it is at its source."


async def test_status_is_json_for_programs(host: Host, control: Lambda) -> None:
    has_registry(control)

    ended = await host.types("status", "--json")

    assert ended.code == 0
    assert ended.answer["ok"] is True
    assert ended.answer["registry"] == {
        "version": "v1",
        "fresh": True,
        "read_at": "2026-09-21T14:13:20Z",
        "trouble": "",
    }
    assert ended.answer["newest_image"] is None
    assert ended.answer["problems"] == {}
    assert ended.answer["instances"][0] == {
        "id": "claw-1",
        "registered": True,
        "condition": "healthy",
        "replacing": False,
        "host": {
            "id": "i-1",
            "state": "running",
            "health": "ok",
            "type": "t3.large",
            "image": "ami-1",
            "launched": "2026-11-20T08:00:00Z",
            "address": "10.0.0.7",
        },
        "leaving": [],
        "image": None,
        "is_newest_image": False,
        "faults": [],
    }


async def test_status_of_real_hosts(host: Host, control: Lambda, moto_url: str) -> None:
    host.environ |= {"FLEET_CONTROL_EC2_URL": moto_url, "FLEET_CONTROL_REGION": "us-west-2"}
    has_registry(control, "claw-1", "claw-2")
    newest = images(NOW)[-1]
    client = ec2.client("us-west-2", ACCESS_KEY, SECRET_KEY, moto_url)
    client.run_instances(
        ImageId=newest.id,
        InstanceType="t3.large",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [
                    {"Key": "app", "Value": "clawdinator"},
                    {"Key": "Name", "Value": "claw-2"},
                ],
            }
        ],
    )
    client.close()

    ended = await host.types("status", "--json")

    assert ended.code == 0, ended.err
    assert [one["condition"] for one in ended.answer["instances"]] == ["missing", "healthy"]
    assert ended.answer["instances"][1]["is_newest_image"] is True


async def test_with_the_source_away_status_says_how_old_its_registry_is(
    host: Host, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(registry_text(*IDS))
    host.environ["FLEET_CONTROL_REGISTRY_FILE"] = str(copy)

    ended = await host.types("status")

    assert ended.code == 0
    assert "old, and may have changed: The Control API's answer can't be read" in ended.out


async def test_a_deploy_of_another_is_asked_for_as_this_instance(
    host: Host, control: Lambda
) -> None:
    has_registry(control)
    has_runs(control)
    control.answers(TAKEN)

    ended = await host.types("deploy", "claw-2")

    assert (ended.code, ended.out) == (0, "deploy queued for claw-2\nrun 7: https://r/7\n")
    assert asked(control) == ["registry", "runs", "deploy"]
    deploy = control.asked[2]
    request_id = parse_request_id(deploy.pop("request_id"))
    assert request_id[:3] == ("agent", "claw-1", "cli")
    assert deploy == {
        "action": "deploy",
        "target": "claw-2",
        "caller": "claw-1",
        "ami_override": "",
        "requested_by": "",
        "reply": "",
    }
    assert control.signed == [True] * 3


async def test_every_ask_has_a_request_id_of_its_own(host: Host, control: Lambda) -> None:
    for _ in range(2):
        has_registry(control)
        has_runs(control)
        control.answers(TAKEN)

    answers = [(await host.types("deploy", "claw-2", "--json")).answer for _ in range(2)]

    assert answers[0]["run"] == {"id": 7, "url": "https://r/7"}
    assert answers[0]["request_id"] != answers[1]["request_id"]


@pytest.mark.parametrize("target", ["claw-1", "all"])
async def test_itself_is_refused_before_anybody_is_asked(
    host: Host, control: Lambda, cloud: Aws, target: str
) -> None:
    ended = await host.types("deploy", target)

    assert (ended.code, ended.out) == (3, "")
    assert "claw-1 may not deploy" in ended.err
    assert (control.asked, cloud.asked) == ([], [])


async def test_a_refusal_in_json_has_its_code(host: Host, control: Lambda) -> None:
    has_registry(control)
    has_runs(control, run(8, caller="claw-1", status="queued", conclusion=None))

    ended = await host.types("deploy", "claw-2", "--json")

    assert (ended.code, ended.answer["ok"], ended.answer["code"]) == (3, False, "busy")
    assert "deploy" not in asked(control)


async def test_an_unknown_image_is_refused_before_it_is_asked_for(
    host: Host, control: Lambda
) -> None:
    has_registry(control)

    ended = await host.types("deploy", "claw-2", "ami-00000000")

    assert ended.code == 3
    assert "`ami-00000000` is not an available image" in ended.err
    assert asked(control) == ["registry"]


async def test_a_refusal_of_the_control_api_is_a_refusal(host: Host, control: Lambda) -> None:
    has_registry(control)
    has_runs(control)
    control.refuses("forged_caller", 403)

    ended = await host.types("deploy", "claw-2")

    assert (ended.code, ended.err) == (3, "forged_caller, in words.\n")


@pytest.mark.parametrize(
    ("code", "status"), [("unauthorized", 401), ("github_busy", 429), ("misconfigured", 500)]
)
async def test_what_a_person_must_mend_is_broken(
    host: Host, control: Lambda, code: str, status: int
) -> None:
    control.refuses(code, status)

    ended = await host.types("runs", "--json")

    assert (ended.code, ended.answer["code"]) == (4, code)


async def test_no_target_is_usage_with_the_ids(host: Host, control: Lambda) -> None:
    has_registry(control)

    ended = await host.types("deploy")

    assert ended.code == 2
    assert "Ids: claw-1, claw-2, claw-3." in ended.err


@pytest.mark.parametrize(
    "words",
    [(), ("explode",), ("run",), ("run", "seven"), ("run", "0"), ("runs", "--limit", "101")],
    ids=" ".join,
)
async def test_wrong_words_are_usage(host: Host, control: Lambda, words: tuple[str, ...]) -> None:
    ended = await host.types(*words)

    assert (ended.code, control.asked) == (2, [])
    assert "usage: fleet-control" in ended.err


async def test_help_tells_the_exit_codes(host: Host) -> None:
    ended = await host.types("--help")

    assert ended.code == 0
    for code in "023456":
        assert f"\n  {code}  " in ended.out


async def test_all_missing_settings_are_named_at_once(host: Host, control: Lambda) -> None:
    del host.environ["FLEET_CONTROL_TOKEN"], host.environ["FLEET_CONTROL_REGION"]

    ended = await host.types("status")

    assert ended.code == 4
    assert [line.split()[0] for line in ended.err.splitlines()] == [
        "FLEET_CONTROL_REGION",
        "FLEET_CONTROL_TOKEN",
    ]
    assert control.asked == []


async def test_ec2_away_is_broken(host: Host, control: Lambda, cloud: Aws) -> None:
    has_registry(control)
    cloud.always(aws.error(403, "UnauthorizedOperation"))

    ended = await host.types("status")

    assert ended.code == 4
    assert "EC2 refused" in ended.err


async def test_the_control_api_away_is_broken(host: Host) -> None:
    async with lambdas.serving() as served:
        host.environ["FLEET_CONTROL_API_URL"] = served.url

    ended = await host.types("run", "7")

    assert (ended.code, ended.err) == (4, "The Control API can't be reached.\n")


async def test_an_outcome_that_is_unknown_is_called_so(host: Host, control: Lambda) -> None:
    has_registry(control)
    has_runs(control)
    control.breaks_off()

    ended = await host.types("deploy", "claw-2")

    request_id = control.asked[2]["request_id"]
    assert ended.code == 6
    assert "I can't confirm whether the deploy began" in ended.err
    assert ended.err.endswith(f"fleet-control runs --request-id {request_id}\n")


async def test_a_deploy_that_is_waited_for_ends_as_it_ends(host: Host, control: Lambda) -> None:
    has_registry(control)
    has_runs(control)
    control.answers(TAKEN)
    shows(control, run(7, status="in_progress", conclusion=None), run(7))

    ended = await host.types("deploy", "claw-2", "--wait", "--json")

    assert (ended.code, ended.answer["run"]["conclusion"]) == (0, "success")
    assert ended.err == "run 7: in_progress\nrun 7: success\n"


async def test_a_deploy_without_a_run_can_not_be_waited_for(host: Host, control: Lambda) -> None:
    has_registry(control)
    has_runs(control)
    control.answers({"ok": True, "message": "queued", "run": {"id": None, "url": "https://r"}})

    ended = await host.types("deploy", "claw-2", "--wait")

    assert ended.code == 6
    assert "--request-id agent.claw-1.cli." in ended.err


async def test_a_failed_deploy_says_why(host: Host, control: Lambda) -> None:
    shows(control, FAILED)

    ended = await host.types("wait", "7")

    assert ended.code == 5
    assert ended.out.splitlines() == [
        "run 7: failure",
        "deploys claw-2 (newest image), asked for by discord:8035 sam",
        "claw-2: ami-1 -> ami-2  failure",
        "why: no such image",
        "https://github.test/runs/7",
    ]


async def test_a_failed_deploy_in_json_has_the_run(host: Host, control: Lambda) -> None:
    shows(control, FAILED)

    answer = (await host.types("wait", "7", "--json")).answer

    assert (answer["ok"], answer["code"], answer["error"]) == (
        False,
        "deploy_failed",
        "no such image",
    )
    assert answer["run"]["jobs"][0]["conclusion"] == "failure"


async def test_waiting_can_be_limited(host: Host, control: Lambda) -> None:
    shows(control, *[run(7, status="in_progress", conclusion=None)] * 3)

    ended = await host.types("wait", "7", "--timeout", "15")

    assert (ended.code, len(control.asked)) == (6, 2)


async def test_runs_are_a_table_newest_first(host: Host, control: Lambda) -> None:
    button = run(8, requested_by="", target="")
    has_runs(control, run(9, caller="claw-3", status="queued", conclusion=None), button)

    ended = await host.types("runs", "--limit", "2")

    head, first, second = ended.out.splitlines()
    assert head.startswith("RUN  TARGET  IMAGE  ASKED BY")
    assert first.split()[:4] == ["9", "claw-2", "-", "claw-3"]
    assert "queued" in first
    assert "the button on GitHub" in second
    assert control.asked == [{"action": "runs", "limit": 2}]


async def test_no_runs_are_said_to_be_none(host: Host, control: Lambda) -> None:
    has_runs(control)

    ended = await host.types("runs", "--request-id", "agent.claw-1.cli.1")

    assert ended.out == "No runs.\n"
    assert control.asked[0]["request_id"] == "agent.claw-1.cli.1"


async def test_what_would_move_the_cursor_is_not_shown(host: Host, control: Lambda) -> None:
    has_runs(control, run(7, requested_by="discord:8035 \x1b[2Jsam"))

    assert "\x1b" not in (await host.types("runs")).out


async def test_the_registry_is_shown(host: Host, control: Lambda) -> None:
    for _ in range(2):
        has_registry(control)

    ended, programs = await host.types("registry"), await host.types("registry", "--json")

    assert ended.out.splitlines()[1].split() == ["claw-1", "claw-1", "t3.large", "bootstrap/claw-1"]
    assert programs.answer["instances"]["claw-2"]["instanceType"] == "t3.large"


async def test_no_secret_is_ever_said(host: Host, control: Lambda, cloud: Aws) -> None:
    cloud.always(aws.error(403, "AuthFailure"))
    said = ""
    for words in (("status",), ("deploy", "claw-2", "--json"), ("registry",), ("run", "7")):
        control.says(f"<html>{TOKEN}", 500)
        ended = await host.types(*words)
        said += ended.out + ended.err

    assert not any(secret in said for secret in (TOKEN, ACCESS_KEY, SECRET_KEY))
