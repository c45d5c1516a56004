"""AWS that falls silent, or says no, while a host is moved: what is known is said."""

import asyncio
import json
import sys
from dataclasses import replace

import pytest

from fleet_control.deploy_jobs import EndState, begins
from fleet_control.host import Checks, Health
from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import ENGINE, MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.fleets import host, view
from tests.workflows.hasty_time import HastyTime
from tests.workflows.plans import REVISION
from tests.workflows.test_health_report import answer, unit
from workflows.fleet_deploy import roll
from workflows.fleet_deploy.__main__ import main
from workflows.fleet_deploy.cloud import Cloud
from workflows.fleet_deploy.health import DOCUMENT
from workflows.fleet_deploy.health_report import AGENT

ONE, TWO, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-9"

DOWN = unit(0, state="activating", sub="auto-restart", restarts=7)


def handed(*turns: tuple[str, str]) -> dict[str, str]:
    roll = [
        {"id": id_, "seen": seen, "name": f"{id_}: {OLD} -> {NEW}", **MADE_OF}
        for id_, seen in turns
    ]
    return {"IMAGE": NEW, "ROLL": json.dumps(roll)}


@pytest.fixture
def seen(runner: LocalRunner) -> str:
    """The machine of the one host whose turn it is, which the engine will replace."""
    runner.registers(ONE, TWO)
    machine = runner.launches(TWO)
    runner.plans(plans.replaced(TWO, image=NEW, before={"id": machine, "ami": OLD}))
    return machine


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        ("DescribeInstances", "EC2 refused DescribeInstances: the key may not (AuthFailure)."),
        ("DescribeInstanceStatus", "EC2 refused DescribeInstanceStatus: the key may not"),
        ("SendCommand", "SSM says AccessDeniedException (no)."),
    ],
)
def test_a_host_whose_health_could_not_be_learnt_was_replaced_all_the_same(
    runner: LocalRunner, front: AwsFront, seen: str, refused: str, why: str
) -> None:
    front.refused[refused] = "RunInstances"

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    made = runner.hosts()[TWO][0]
    said = f"{TWO} was replaced ({seen} -> {made} on {NEW}), but I can't say if it is healthy: "
    assert said in runner.summary
    assert why in runner.summary
    assert "deploy it again if it is not healthy." in runner.summary


def test_a_host_that_was_missing_was_created(runner: LocalRunner, front: AwsFront) -> None:
    runner.registers(TWO)
    runner.plans(plans.host(TWO, "create", image=NEW))
    front.refused["DescribeInstances"] = "RunInstances"

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, ""))) == 1
    assert f"{TWO} was created (no host -> {runner.hosts()[TWO][0]} on {NEW})" in runner.summary


def test_before_anything_is_applied_nothing_was_touched(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    front.refused["DescribeInstances"] = ""

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    assert f"## Stopped: EC2 is silent\n\n{TWO} was not touched: EC2 refused" in runner.summary
    assert "Where the hosts are can't be seen now: EC2 refused" in runner.summary
    assert runner.commands == ["init", "show"]


def test_a_host_whose_service_is_down_stops_the_next_turn(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    runner.launches(ONE, NEW)
    front.service = [("Success", answer(DOWN, instance=ONE, revision=REVISION))]
    turns = handed((ONE, "i-0123456789abcdef0"), (TWO, seen))

    assert runner.does("host", INSTANCE=TWO, **turns) == 1
    machine = runner.hosts()[ONE][0]
    said = f"{TWO} was not touched: the roll stopped at {ONE} ({machine}): {AGENT} is activating"
    assert f"{said} (auto-restart, restarted 7 times)." in runner.summary
    assert runner.commands == ["init", "show"]


def test_one_bad_moment_of_the_host_before_stops_no_roll(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    runner.launches(ONE, NEW)
    well = [answer(unit(), instance=id_, revision=REVISION) for id_ in (ONE, TWO)]
    runner.environ["FLEET_HEALTH_DEADLINE"] = "60"
    front.service = [("TimedOut", ""), *(("Success", one) for one in well)]
    turns = handed((ONE, "i-0123456789abcdef0"), (TWO, seen))

    assert runner.does("host", INSTANCE=TWO, **turns) == 0


def test_the_service_of_the_last_host_before_is_asked_and_no_other(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    runner.launches(ONE, NEW)

    assert (
        runner.does("host", INSTANCE=TWO, **handed((ONE, "i-0123456789abcdef0"), (TWO, seen))) == 0
    )
    assert front.asked.count("SendCommand") == 2  # the host before, and the new one


def test_a_host_whose_service_never_comes_up_is_named(
    runner: LocalRunner, front: AwsFront, seen: str, caplog: pytest.LogCaptureFixture
) -> None:
    front.service = [("Success", answer(DOWN, revision=REVISION, journal="no model\nexited"))]

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    made = runner.hosts()[TWO][0]
    assert f"{TWO} was replaced but did not become healthy within 0 s: {TWO} ({made}): " in (
        runner.summary
    )
    assert f"{AGENT} is activating (auto-restart, restarted 7 times)" in runner.summary
    assert f"fleet.last_words instance={TWO}\n| no model\n| exited" in caplog.text


@pytest.mark.parametrize("steady", ["60", "3600"])
def test_a_steady_time_that_no_host_could_reach_moves_none(
    runner: LocalRunner, seen: str, steady: str
) -> None:
    pace = {"FLEET_STEADY_SECONDS": steady, "FLEET_HEALTH_DEADLINE": "60"}

    assert runner.does("host", INSTANCE=TWO, **pace, **handed((TWO, seen))) == 1
    assert (
        f"{TWO} was not touched: FLEET_STEADY_SECONDS is {steady}, and a host is waited for 60 "
        "seconds: it must be less, or no deploy succeeds." in runner.summary
    )
    assert runner.hosts()[TWO][0] == seen


def test_a_host_that_restarted_on_the_way_is_healthy_and_that_is_said(
    runner: LocalRunner, front: AwsFront, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    front.service = [("Success", answer(unit(restarts=1), revision=REVISION))]

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 0
    assert runner.outputs == {"remarks": f"{AGENT} restarted once"}
    assert f"{TWO} is healthy, and on the way {AGENT} restarted once." in capsys.readouterr().out


def test_a_bot_whose_platform_is_away_is_told_and_fails_no_deploy(
    runner: LocalRunner, front: AwsFront, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    away = unit(status="Telegram is away")
    front.service = [("Success", answer(unit(), away, revision=REVISION))]

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 0
    assert runner.outputs == {"remarks": "clawbot.service says: Telegram is away"}
    told = f"{TWO} is healthy, and on the way clawbot.service says: Telegram is away."
    assert told in capsys.readouterr().out


def test_with_the_document_before_the_run_says_what_to_apply_first(
    runner: LocalRunner, cloud: Cloud, seen: str
) -> None:
    cloud.ssm.delete_document(Name=DOCUMENT)

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    assert f"{TWO} was not touched: Apply `tofu/control` first: the SSM" in runner.summary
    assert runner.hosts()[TWO][0] == seen
    assert runner.commands == []


def test_a_host_that_ec2_retires_holds_up_no_other_and_its_repair_is_a_new_one(
    runner: LocalRunner, seen: str
) -> None:
    other, url = runner.launches(ONE), runner.environ["AWS_ENDPOINT_URL"]
    for retiring in (ONE, TWO):
        was = runner.hosts()[TWO][0]
        runner.plans(plans.replaced(TWO, image=NEW, before={"id": was, "ami": OLD}))
        asyncio.run(set_rules(url, Rules(retiring=(runner.hosts()[retiring][0],))))
        try:
            assert runner.deploys(TARGET=TWO) == 0, runner.summary
        finally:
            asyncio.run(set_rules(url, Rules()))
        assert runner.hosts()[ONE][0] == other
        assert runner.hosts()[TWO][0] != was


@pytest.mark.parametrize(
    ("built_from", "minutes"), [(REVISION, 15), ("9" * 40, 30)], ids=["held", "built"]
)
def test_without_a_word_of_the_runner_it_waits_half_as_long_where_the_image_holds_the_system(
    runner: LocalRunner, front: AwsFront, seen: str, built_from: str, minutes: int
) -> None:
    """By a turned clock: the host is active for 119 seconds at each look."""
    runner.builds(built_from, NEW)
    front.service = [("Success", answer(unit(119), revision=REVISION))]
    usual = dict.fromkeys(("FLEET_HEALTH_DEADLINE", "FLEET_STEADY_SECONDS"), "")
    asked = {"INSTANCE": TWO, "FLEET_HEALTH_POLL": "60", **handed((TWO, seen))}
    clock = HastyTime()

    assert main(["host"], runner.environ | usual | asked, runner.folder, clock) == 1
    assert clock.slept == minutes * 60
    assert f"did not become healthy within {minutes} min" in runner.summary
    assert f"{AGENT} is active for 119 of 120 seconds" in runner.summary


@pytest.mark.parametrize(
    ("ill", "words"),
    [
        (
            Checks(Health.ENDING, "EC2 retires it soon"),
            f"{ONE} is running, but EC2 retires it soon",
        ),
        (Checks(Health.UNKNOWN), f"{ONE} is running, its status checks say unknown"),
    ],
)
def test_what_ec2_says_of_a_machine_is_what_its_turn_waits_for(ill: Checks, words: str) -> None:
    there = host(ONE, 11, image=NEW, health=ill.health)
    row = view([ONE], replace(there, ill=ill.ill)).there[ONE]

    assert roll.unfinished(roll.HostTurn(ONE, "", "", image=NEW), row) == words


def test_with_the_document_before_plan_says_so_before_any_host_has_a_job(
    runner: LocalRunner, cloud: Cloud, seen: str
) -> None:
    cloud.ssm.delete_document(Name=DOCUMENT)

    assert runner.does("plan") == 1
    assert "Nothing was touched: Apply `tofu/control` first: the SSM" in runner.summary
    assert runner.outputs == {}
    assert not runner.s3.list_objects_v2(Bucket=runner.bucket, Prefix="seeds/")["KeyCount"]


def test_a_fleet_that_is_finished_stays_so_if_it_can_not_be_seen(
    runner: LocalRunner, front: AwsFront
) -> None:
    runner.registers(ONE)
    runner.launches(ONE, NEW)
    gone = runner.launches(GONE)
    runner.plans(plans.host(GONE, "delete", before={"id": gone}))
    front.refused["DescribeInstances"] = "TerminateInstances"

    assert runner.does("finish", TARGET="all", **handed((ONE, "i-00000001"))) == 0
    assert f"Removed: `{GONE}`." in runner.summary
    assert "Where the hosts are can't be seen now: EC2 refused" in runner.summary


@pytest.mark.parametrize(
    ("refused", "since", "left"),
    [
        ("TerminateInstances", "", EndState.UNMOVED),
        ("RunInstances", "TerminateInstances", EndState.GONE),
    ],
)
def test_an_apply_that_ec2_refused_says_where_it_left_the_host(
    runner: LocalRunner, front: AwsFront, seen: str, refused: str, since: str, left: EndState
) -> None:
    """As for termination protection, and for capacity."""
    front.refused[refused] = since

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    assert f"\n{begins(TWO, left)}OpenTofu's apply failed: " in runner.summary


def test_an_apply_that_failed_once_the_new_machine_was_there_says_so(
    runner: LocalRunner, seen: str
) -> None:
    engine = runner.folder / "late"
    engine.write_text(f'#!/bin/sh\n{runner.environ["TOFU"]} "$@"\n[ "$2" != apply ]\n')
    engine.chmod(0o755)

    assert runner.does("host", INSTANCE=TWO, TOFU=str(engine), **handed((TWO, seen))) == 1
    assert f"\n{begins(TWO, EndState.NEW)}OpenTofu's apply failed: " in runner.summary


def test_a_new_machine_that_is_gone_again_is_not_called_replaced(
    runner: LocalRunner, seen: str
) -> None:
    engine = runner.folder / "fleeting"
    ends = "scripted_tofu.ask('TerminateInstances', {'InstanceId.1': '$made'})"
    engine.write_text(
        f'#!/bin/sh\nsaid=$({runner.environ["TOFU"]} "$@")\necho "$said"\n'
        '[ "$2" = apply ] || exit 0\n'
        "made=$(echo \"$said\" | sed -n 's/.*id=\\(i-[0-9a-f]*\\).*/\\1/p')\n"
        f'cd {ENGINE.parent} && exec {sys.executable} -c "import scripted_tofu; {ends}"\n'
    )
    engine.chmod(0o755)

    assert runner.does("host", INSTANCE=TWO, TOFU=str(engine), **handed((TWO, seen))) == 1
    assert f"\n{begins(TWO, EndState.GONE)}it did not become healthy within " in runner.summary


@pytest.mark.parametrize("silence", ["refused", "hidden"])
def test_where_ec2_does_not_show_the_host_nothing_is_said_of_it(
    runner: LocalRunner, front: AwsFront, seen: str, silence: str
) -> None:
    front.refused["RunInstances"] = "TerminateInstances"
    getattr(front, silence)["DescribeInstances"] = "TerminateInstances"

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, seen))) == 1
    assert "\nOpenTofu's apply failed: " in runner.summary
    where = {"refused": "Where the hosts are can't be seen now", "hidden": "Not shown by EC2: "}
    assert where[silence] in runner.summary
