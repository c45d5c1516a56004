"""`fleet-control` on a host: what it shows people and programs, and how it ends."""

import re
from pathlib import Path

import pytest

from fleet_control import ec2, json_output
from fleet_control.command import LEDGER_SECONDS
from fleet_control.ledger import Job, Revision, Run, Step
from sandbox.image import images
from tests.fleet_control import aws, lambdas
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import IDS, NOW, registry_text, run
from tests.fleet_control.lambdas import ACCESS_KEY, SECRET_KEY, TOKEN, Lambda
from tests.fleet_control.on_host import OnHost


async def test_status_is_a_table_for_people(
    host: OnHost, control: Lambda, three_hosts: FakeEc2
) -> None:
    control.has_registry(*IDS, "claw-4")
    three_hosts.scripts["DescribeImages"] = [aws.image("ami-1", "2026-09-20T13:46:40.000Z")]

    ended = await host.types("status")

    assert (ended.code, ended.err) == (0, "")
    head, missing, first, *_, summary, source = ended.out.splitlines()
    assert head.split()[:4] == ["INSTANCE", "IS", "HOST", "STATE"]
    assert missing.split(None, 9)[:3] == ["claw-4", "missing", "-"]
    assert missing.endswith("no host, and no deploy of it is known; a deploy creates it  -")
    assert " ".join(first.split()) == (
        "claw-1 healthy i-1 running ok t3.large ami-1 (newest) unknown 2026-11-20 08:00 10.0.0.7 "
        "- -"
    )
    assert summary == "4 instances; 1 not deployed yet. Newest image: ami-1 ami-1, 1 day old."
    assert source == "The registry is as it is at its source."


async def test_status_is_json_for_programs(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)

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
    assert ended.answer["newest_revision"] is None
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
            "revision": None,
            "launched": "2026-11-20T08:00:00Z",
            "address": "10.0.0.7",
            "own_answer": None,
        },
        "leaving": [],
        "image": None,
        "is_newest_image": False,
        "revisions_ahead": None,
        "faults": [],
    }


async def test_a_status_waits_for_what_was_deployed_and_is_told_without_it_in_time(
    host: OnHost, control: Lambda, three_hosts: FakeEc2
) -> None:
    jobs = (Job(f"claw-2: ami-0 -> ami-1 @{'b' * 7}", "completed", "success"),)
    control.history = {"runs": [json_output.run(run(7, jobs=jobs))]}
    control.has_registry(*IDS)
    (status, machines), *_ = three_hosts.scripts["DescribeInstances"]
    three_hosts.scripts["DescribeInstances"] = [
        (status, machines.replace("2026-11-20", "2026-09-20"))
    ]

    shown = (await host.types("status")).out

    assert "is ami-1 (of no revision), where run 7 left ami-1 (bbbbbbb)" in shown
    assert LEDGER_SECONDS == 5


async def test_status_tells_revisions_and_how_many_the_branch_is_ahead(
    host: OnHost, control: Lambda, three_hosts: FakeEc2
) -> None:
    newest, older = (
        Revision(digit * 40, f"Change {digit}", "2026-09-21T12:13:20Z") for digit in "ab"
    )
    three_hosts.scripts["DescribeInstances"] = [
        aws.instances("i-1", "i-2", "i-3", revision=older.commit)
    ] * 2
    three_hosts.scripts["DescribeInstanceStatus"] *= 2
    for _ in range(2):
        control.has_registry(*IDS, revisions=[newest, older])

    shown = (await host.types("status")).out
    answer = (await host.types("status", "--json")).answer

    assert shown.count(" bbbbbbb, 1 behind ") == 3
    assert "Newest revision: aaaaaaa, 2 hours old: Change a\n" in shown
    assert answer["newest_revision"] == newest._asdict()
    assert answer["instances"][0]["host"]["revision"] == older.commit
    assert answer["instances"][0]["revisions_ahead"] == 1


async def test_status_tells_what_a_host_last_said_of_itself(
    host: OnHost, control: Lambda, three_hosts: FakeEc2
) -> None:
    why = "clawbot.service is activating (auto-restart)"
    tags = f"ill 2026-09-21T14:03:00Z {why}", "well 2026-09-21T14:44:00Z"
    for tag in tags:
        answered = [aws.instances("i-1", "i-2", "i-3", answer=tag)] * 2
        three_hosts.scripts["DescribeInstances"] = answered
        for _ in range(2):
            control.has_registry(*IDS)

        shown = (await host.types("status")).out
        answer = (await host.types("status", "--json")).answer["instances"][0]["host"]["own_answer"]

        if tag == tags[0]:
            told = f"its own answer: ill, 10 min ago (2026-09-21 14:03 UTC): {why}\n"
            assert shown.count(told) == 3
            assert answer == {"well": False, "at": "2026-09-21T14:03:00Z", "why": why}
        else:  # of a moment that is still to come
            assert "its own answer" not in shown
            assert answer is None


@pytest.mark.xdist_group("fleet_moto")
async def test_status_of_real_hosts(host: OnHost, control: Lambda, moto_url: str) -> None:
    host.environ |= {"FLEET_CONTROL_EC2_URL": moto_url, "FLEET_CONTROL_REGION": "us-west-2"}
    control.has_registry("claw-1", "claw-2")
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
    host: OnHost, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(registry_text(*IDS))
    host.environ["FLEET_CONTROL_REGISTRY_FILE"] = str(copy)

    ended = await host.types("status")

    assert ended.code == 0
    assert "old. The Control API's answer can't be read" in ended.out


@pytest.mark.parametrize(
    ("code", "status"), [("unauthorized", 401), ("github_busy", 429), ("misconfigured", 500)]
)
async def test_what_a_person_must_mend_is_broken(
    host: OnHost, control: Lambda, code: str, status: int
) -> None:
    control.refuses(code, status)

    ended = await host.types("runs", "--json")

    assert (ended.code, ended.answer["code"]) == (4, code)


async def test_no_target_is_usage_with_the_ids(host: OnHost, control: Lambda) -> None:
    control.has_registry(*IDS)

    ended = await host.types("deploy")

    assert ended.code == 2
    assert "Ids: claw-1, claw-2, claw-3." in ended.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("explode",),
        ("run",),
        ("run", "seven"),
        ("run", "0"),
        ("run", f"{2**63}"),
        ("runs", "--limit", "101"),
        ("wait", "7", "--timeout", f"{10**6 + 1}"),
    ],
    ids=" ".join,
)
async def test_wrong_words_are_usage(host: OnHost, control: Lambda, words: tuple[str, ...]) -> None:
    ended = await host.types(*words)

    assert (ended.code, control.asked) == (2, [])
    assert "usage: fleet-control" in ended.err


async def test_help_tells_the_exit_codes(host: OnHost) -> None:
    ended = await host.types("--help")

    assert ended.code == 0
    for code in "023456":
        assert f"\n  {code}  " in ended.out
    assert "ask again only once the reason is gone" in ended.out


async def test_all_missing_settings_are_named_at_once(host: OnHost, control: Lambda) -> None:
    del host.environ["FLEET_CONTROL_TOKEN"], host.environ["FLEET_CONTROL_REGION"]

    ended = await host.types("status")

    assert ended.code == 4
    assert [line.split()[0] for line in ended.err.splitlines()] == [
        "FLEET_CONTROL_REGION",
        "FLEET_CONTROL_TOKEN",
    ]
    assert control.asked == []


async def test_ec2_away_is_broken(host: OnHost, control: Lambda, three_hosts: FakeEc2) -> None:
    control.has_registry(*IDS)
    three_hosts.always(aws.error(403, "UnauthorizedOperation"))

    ended = await host.types("status")

    assert ended.code == 4
    assert "EC2 refused" in ended.err


async def test_the_control_api_away_is_broken(host: OnHost) -> None:
    async with lambdas.serving() as served:
        host.environ["FLEET_CONTROL_API_URL"] = served.url

    ended = await host.types("run", "7")

    assert (ended.code, ended.err) == (4, "The Control API can't be reached.\n")


async def test_a_run_tells_what_was_asked_for_and_what_its_hosts_become(
    host: OnHost, control: Lambda
) -> None:
    made_of = Revision("0a1b2c3" + "0" * 33, "Hosts greet", "2026-09-21T11:00:00Z")
    control.shows(run(7, revision="0123456", made_of=made_of))

    ended = await host.types("run", "7")

    assert "deploys claw-2 (0123456), asked for by" in ended.out
    assert "\nrevision 0a1b2c3, 2 hours old: Hosts greet\n" in ended.out


async def test_runs_are_a_table_newest_first(host: OnHost, control: Lambda) -> None:
    button = run(8, requested_by="", target="all", operation="rollback")
    control.has_runs(run(9, caller="claw-3", status="queued", conclusion=None), button)

    ended = await host.types("runs", "--limit", "2")

    head, first, second = ended.out.splitlines()
    assert head.split("  ")[:2] == ["RUN", "TARGET"]
    assert first.split()[:4] == ["9", "claw-2", "-", "claw-3"]
    assert "queued" in first
    assert second.split()[:3] == ["8", "rollback", "all"]
    assert "the button on GitHub" in second
    assert control.asked == [{"action": "runs", "limit": 2, "revisions": True, "operations": True}]


async def test_no_runs_are_said_to_be_none(host: OnHost, control: Lambda) -> None:
    control.has_runs()

    ended = await host.types("runs", "--request-id", "agent.claw-1.cli.1")

    assert ended.out == "No runs.\n"
    assert control.asked[0]["request_id"] == "agent.claw-1.cli.1"


async def test_what_would_move_the_cursor_is_not_shown(host: OnHost, control: Lambda) -> None:
    control.has_runs(run(7, requested_by="discord:8035 \x1b[2Jsam"))

    assert "\x1b" not in (await host.types("runs")).out


async def test_the_registry_is_shown(host: OnHost, control: Lambda) -> None:
    for _ in range(2):
        control.has_registry(*IDS)

    ended, programs = await host.types("registry"), await host.types("registry", "--json")

    assert ended.out.splitlines()[1].split() == ["claw-1", "claw-1", "t3.large", "bootstrap/claw-1"]
    assert programs.answer["instances"]["claw-2"]["instanceType"] == "t3.large"


async def test_no_secret_is_ever_said(host: OnHost, control: Lambda, three_hosts: FakeEc2) -> None:
    three_hosts.always(aws.error(403, "AuthFailure"))
    said = ""
    for words in (("status",), ("deploy", "claw-2", "--json"), ("registry",), ("run", "7")):
        control.says(f"<html>{TOKEN}", 500)
        ended = await host.types(*words)
        said += ended.out + ended.err

    assert not any(secret in said for secret in (TOKEN, ACCESS_KEY, SECRET_KEY))


@pytest.mark.parametrize("said", ["\x1b[2Jclaw-9", "claw\x9b31m", "claw\x07"])
async def test_what_would_move_the_cursor_is_shown_tame(
    host: OnHost, control: Lambda, said: str
) -> None:
    control.has_registry(*IDS)

    ended = await host.types("deploy", said)

    assert ended.code == 3
    assert "There is no instance" in ended.err
    assert ended.err.rstrip("\n").isprintable()


@pytest.mark.parametrize(("words", "limit"), [((), 10), (("--limit", "100"), 100)])
async def test_ten_runs_are_asked_for_and_a_hundred_at_the_most(
    host: OnHost, control: Lambda, words: tuple[str, ...], limit: int
) -> None:
    control.has_runs()

    assert (await host.types("runs", *words)).code == 0
    assert control.asked[0]["limit"] == limit


@pytest.mark.parametrize("words", [("run", f"{2**63 - 1}"), ("wait", "7", "--timeout", f"{10**6}")])
async def test_the_largest_numbers_are_taken(
    host: OnHost, control: Lambda, words: tuple[str, ...]
) -> None:
    control.refuses("unknown_run", 404)

    assert (await host.types(*words)).code != 2


async def test_an_operators_profile_is_not_asked_for(
    host: OnHost, control: Lambda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("[profile x")
    control.has_registry(*IDS)
    monkeypatch.setenv("AWS_PROFILE", "nope")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))

    ended = await host.types("status", "--json")

    assert ended.answer["instances"]
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "EC2 can't be asked: Invalid endpoint: nonsense."),
        ("AWS_DEFAULTS_MODE", "nonsense", "are wrong (InvalidDefaultsMode)."),
    ],
)
async def test_what_the_sdk_stumbles_over_is_json_too(
    host: OnHost, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    del host.environ["FLEET_CONTROL_EC2_URL"]
    monkeypatch.setenv(name, value)

    ended = await host.types("status", "--json")

    assert (ended.code, ended.err) == (4, "")
    assert ended.answer["code"] == "broken"
    assert ended.answer["error"].endswith(said)


RAN = Step("It ran 1111111", "completed", "success")
ROLLED = run(
    8,
    conclusion="failure",
    operation="rollback",
    override="freeze",
    jobs=(
        Job("claw-2: ami-1 -> ami-2 @2222222", "completed", "failure", None, None, (RAN,)),
        Job("claw-3: ami-1 -> ami-2 @2222222", "completed", "skipped"),
    ),
)


async def test_the_history_tells_people_what_each_deploy_changed(
    host: OnHost, control: Lambda
) -> None:
    control.history = None
    control.answers({"ok": True, "runs": [json_output.run(ROLLED)], "page": 2, "pages": 3})

    ended = await host.types("history", "claw-2", "--page", "2")

    assert (ended.code, ended.err) == (0, "")
    head, row, page = ended.out.splitlines()
    assert head.split("  ")[0] == "RUN"
    assert "BEFORE → AFTER" in head
    assert re.split(r"  +", row) == [
        "8",
        "rollback claw-2, overriding the freeze",
        "failed at claw-2, 0 of 2 hosts done",
        "2 hosts, ami-1 → ami-2 @2222222",
        "sam in Discord",
        "2026-09-21 13:00",
        "https://github.test/runs/8",
    ]
    assert page == "Page 2 of 3, newest first."
    assert control.asked == [{"action": "history", "target": "claw-2", "page": 2}]


async def test_the_history_is_json_for_programs(host: OnHost, control: Lambda) -> None:
    control.history = None
    control.answers({"ok": True, "runs": [json_output.run(ROLLED)], "unlooked": 3, "why": "Slow."})

    ended = await host.types("history", "--json")

    (told,) = ended.answer["runs"]
    assert (told["id"], told["operation"], told["outcome"]) == (8, "rollback", "failed")
    assert told["told"] == "failed at claw-2, 0 of 2 hosts done"
    assert [one["old_revision"] for one in told["changes"]] == ["1111111", ""]
    beside = ("page", "pages", "unlooked", "unseen", "why")
    assert [ended.answer[one] for one in beside] == [1, 1, 3, [], "Slow."]


async def test_a_history_of_nothing_and_of_no_target(host: OnHost, control: Lambda) -> None:
    control.answers({"ok": True, "runs": []})

    ended = await host.types("history", "claw-9")
    wrong = await host.types("history", "Claw 9")

    assert ended.out == "None of the last deploys concerns claw-9.\n"
    assert (wrong.code, wrong.err) == (2, "`Claw 9` is no instance's id, and not `all`.\n")


@pytest.mark.parametrize(
    ("asked", "does"),
    [
        (ROLLED, "rolls back claw-2, overriding the freeze"),
        (ROLLED._replace(operation="resume", target="7", override=""), "takes up run 7"),
        (
            ROLLED._replace(operation="unlock", target="0123abcd", override=""),
            "breaks the lock 0123abcd on the state",
        ),
        (ROLLED._replace(operation=""), "deploys claw-2 (newest image), overriding the freeze"),
    ],
)
async def test_a_run_says_what_it_does_and_what_it_changed(
    host: OnHost, control: Lambda, asked: Run, does: str
) -> None:
    control.shows(asked)

    ended = await host.types("run", "8")

    assert f"\n{does}, asked for by discord:8035 sam\nbefore → after: 2 hosts," in ended.out
