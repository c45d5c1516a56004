"""EC2 that shows nothing: no host is taken for gone, and none is made beside it."""

import json
import shlex
from typing import Any

import pytest

from fleet_control.deploy_jobs import EndState, begins
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.hasty_time import HastyTime
from workflows.fleet_deploy.__main__ import main

ONE, TWO, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-9"
NEVER_THERE = "i-0123456789abcdef0"
DESCRIBES = {"DescribeInstances": "", "DescribeInstanceStatus": ""}


def moved(machine: str) -> dict[str, Any]:
    return plans.replaced(TWO, image=NEW, before={"id": machine, "ami": OLD})


def made(*ids: str) -> list[dict[str, Any]]:
    return [plans.host(id_, "create", image=NEW) for id_ in ids]


def turn(seen: str, id_: str = TWO) -> dict[str, str]:
    roll = [{"id": id_, "seen": seen, "name": f"{id_}: {OLD} -> {NEW}", **MADE_OF}]
    return {"INSTANCE": id_, "IMAGE": NEW, "ROLL": json.dumps(roll)}


@pytest.fixture
def fleet(runner: LocalRunner) -> dict[str, str]:
    """Two hosts that the state knows; the plan would replace the second."""
    runner.registers(ONE, TWO)
    hosts = {id_: runner.launches(id_) for id_ in (ONE, TWO)}
    runner.knows(*hosts.items())
    runner.plans(moved(hosts[TWO]))
    return hosts


def stayed(runner: LocalRunner, fleet: dict[str, str]) -> bool:
    """Whether each host is the one that it was, the engine having applied nothing."""
    machines = {id_: machine for id_, (machine, _) in runner.hosts().items()}
    return machines == fleet and "apply" not in runner.commands


def test_plan_makes_no_second_hosts_where_it_is_shown_none(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden = DESCRIBES
    runner.plans(*made(TWO, ONE))

    assert runner.does("plan") == 1
    assert runner.outputs == {}
    assert runner.commands == ["init", "show"]
    assert stayed(runner, fleet)
    first = min(fleet.values())
    id_ = next(id_ for id_, machine in fleet.items() if machine == first)
    assert runner.summary.startswith(
        f"## Stopped: EC2 is silent\n\nNothing was touched: EC2 does not list {first} ({id_}) "
        "and 1 more, and does not say that it is gone: a host that is made now could be a second "
        "one. Deploy again in a few minutes."
    )


def test_what_is_there_by_its_id_and_on_no_list_stops_plan(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden, front.hides_ids = DESCRIBES, False

    assert runner.does("plan") == 1
    assert stayed(runner, fleet)
    assert "and 1 more, but shows it by its id: " in runner.summary
    assert "If it lost its tag app=clawdinator, tag it; else deploy again" in runner.summary


def test_plan_looks_again_before_it_stops(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden, front.hides = {"DescribeInstances": ""}, 3

    assert runner.does("plan", FLEET_HEALTH_DEADLINE="60") == 0
    assert front.hides == 0


def test_for_a_minute_at_the_usual_pace(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden, clock = DESCRIBES, HastyTime()
    usual = {"FLEET_HEALTH_DEADLINE": "900", "FLEET_HEALTH_POLL": "10", "COMMIT": runner.commit}

    assert main(["plan"], runner.environ | usual, runner.folder, clock) == 1
    assert clock.slept == 60.0


def test_it_is_judged_again_by_what_the_second_look_shows(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    """A bot may repair what has no host; this one has, and a third host is missing."""
    runner.registers(ONE, TWO, "clawdinator-3")
    front.hidden, front.hides = {"DescribeInstances": ""}, 1

    assert runner.does("plan", CALLER=ONE) == 1
    assert runner.summary.startswith("## Stopped: Refused (fleet_unwell)\n")


def test_a_fleet_that_is_really_gone_is_brought_back(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """Of one machine EC2 shows the end, of the other nothing any more."""
    runner.ec2.terminate_instances(InstanceIds=list(fleet.values()))
    runner.knows((ONE, NEVER_THERE), (TWO, fleet[TWO]))
    runner.plans(*made(TWO, ONE))

    assert runner.does("plan") == 0
    assert [one["id"] for one in json.loads(runner.outputs["roll"])] == [TWO, ONE]


def test_a_hosts_job_makes_no_second_host_where_it_is_shown_none(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden = DESCRIBES
    runner.knows()
    runner.plans(*made(TWO))

    assert runner.does("host", **turn(fleet[TWO])) == 1
    assert stayed(runner, fleet)
    assert (
        f"{begins(TWO, EndState.UNTOUCHED)}EC2 does not list {fleet[TWO]} ({TWO}), and does not say"
        in (runner.summary)
    )
    assert f"Deploy again in a few minutes. Not shown by EC2: {TWO}." in runner.summary


def test_a_host_that_was_missing_is_not_made_beside_one_that_the_state_knows(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden = DESCRIBES
    runner.plans(*made(TWO))

    assert runner.does("host", **turn("")) == 1
    assert stayed(runner, fleet)


def test_where_the_hosts_are_is_told_by_their_ids(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden, front.hides_ids = DESCRIBES, False

    assert runner.does("host", **turn(fleet[TWO])) == 1
    assert f" On {OLD}: {TWO}." in runner.summary


@pytest.mark.parametrize("job", ["plan", "host"])
def test_an_engine_that_was_shown_nothing_makes_no_second_host(
    runner: LocalRunner, fleet: dict[str, str], job: str
) -> None:
    runner.plans(*made(TWO))

    assert runner.does(job, **turn(fleet[TWO])) == 1
    assert stayed(runner, fleet)
    assert runner.summary.startswith("## Stopped: Guarded\n")
    assert f"{TWO} has a machine that OpenTofu does not see, and two would share its token; " in (
        runner.summary
    )


def test_ec2_that_falls_silent_before_the_guard_looks_lets_no_second_host_by(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden = {"DescribeInstances": "DescribeInstances"}
    front.hides_ids = True
    runner.plans(*made(TWO))

    assert runner.does("host", **turn(fleet[TWO])) == 1
    assert stayed(runner, fleet)


@pytest.mark.parametrize("job", ["plan", "host"])
def test_an_instance_with_two_machines_is_not_moved(
    runner: LocalRunner, fleet: dict[str, str], job: str
) -> None:
    second = runner.launches(TWO)

    assert runner.does(job, **turn(second)) == 1
    assert runner.summary.startswith("## Stopped: Two machines\n")
    assert (
        f"which share its tokens: terminate {second}, which OpenTofu does not know, by hand, "
        in (runner.summary)
    )
    assert "apply" not in runner.commands


def test_two_machines_of_one_name_are_never_done(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """The engine says that it replaced the host, and left the old one running."""
    keeps = runner.folder / "keeps"
    kept = runner.folder / "kept.json"
    kept.write_text(json.dumps(plans.plan(*made(TWO))))
    tofu = shlex.quote(runner.environ["TOFU"])
    keeps.write_text(f'#!/bin/sh\n[ "$2" = apply ] && export PLAN={kept}\nexec {tofu} "$@"\n')
    keeps.chmod(0o755)

    assert runner.does("host", TOFU=str(keeps), **turn(fleet[TWO])) == 1
    assert f"{TWO} was replaced but did not become healthy within 0 s: {TWO} has 2 machines, " in (
        runner.summary
    )
    assert "terminate all of them but one by hand." in runner.summary


def test_a_new_host_that_ec2_does_not_show_is_not_called_missing(
    runner: LocalRunner, front: AwsFront, fleet: dict[str, str]
) -> None:
    front.hidden = {"DescribeInstances": "TerminateInstances"}

    assert runner.does("host", **turn(fleet[TWO])) == 1
    assert "but I can't say if it is healthy: EC2 does not show i-" in runner.summary


def test_finish_forgets_no_host_that_is_there(runner: LocalRunner) -> None:
    """The engine was shown nothing of a host that left, and so would only write it off."""
    runner.registers(ONE)
    one, gone = runner.launches(ONE, NEW), runner.launches(GONE)
    runner.knows((ONE, one), (GONE, gone))
    runner.plans(plans.host(ONE, "no-op", before={"id": one}))

    assert runner.does("finish", TARGET="all", **turn("i-00000001", ONE)) == 1
    assert f'aws_instance.clawdinator["{GONE}"] would be forgotten: EC2 shows {gone}, and not' in (
        runner.summary
    )
    assert "apply" not in runner.commands


def test_finish_waits_for_what_ec2_does_not_list(runner: LocalRunner, front: AwsFront) -> None:
    runner.registers(ONE)
    runner.knows((ONE, runner.launches(ONE, NEW)), (GONE, runner.launches(GONE)))
    front.hidden = DESCRIBES
    runner.plans()

    assert runner.does("finish", TARGET="all", **turn("i-00000001", ONE)) == 1
    assert "EC2 does not list i-" in runner.summary
    assert runner.commands == ["init", "show"]
