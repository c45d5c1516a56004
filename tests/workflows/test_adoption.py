"""A host that the state forgot: `plan` sees it, its own job adopts it, and nobody else's is."""

import json
import time
from typing import Any

import pytest

from fleet_control.ledger import Entry
from tests.workflows import plans
from tests.workflows.conftest import MADE_OF, NEW, OLD, OLDEST, LocalRunner, iso
from tests.workflows.loopback import raw_job, raw_run

ONE, TWO = "clawdinator-1", "clawdinator-2"
NAME = f"{TWO}: {OLDEST} -> {OLD}"
MADE_TWICE = plans.host(TWO, "create", image=NEW)


@pytest.fixture
def stray(runner: LocalRunner) -> str:
    """A host's machine, made by a deploy that was killed; the state does not know it."""
    runner.registers(ONE, TWO)
    runner.launches(ONE)
    runner.makes_profile(f"{TWO}-host", f"/fleet/host/{TWO}/")
    machine = runner.launches(TWO, profile=f"{TWO}-host")
    noted(runner, NAME)
    runner.plans(MADE_TWICE, imported=(replacing(machine),))
    return machine


def replacing(machine: str) -> dict[str, Any]:
    return plans.replaced(TWO, image=NEW, before={"id": machine, "ami": OLD})


def noted(runner: LocalRunner, name: str, conclusion: str = "failure", ago: float = 60.0) -> None:
    """A run before this one, with this job, begun so long ago and over by now."""
    began, ended = iso(time.time() - ago), iso(time.time() + 1)
    runner.github.runs = [raw_run(90, Entry(target=TWO), moment=began) | {"updated_at": ended}]
    runner.github.jobs[90] = [
        raw_job("plan"),
        raw_job(name, conclusion, began=began, ended=ended),
    ]


def handed(seen: str, *, adopt: bool = True) -> dict[str, str]:
    roll = [{"id": TWO, "seen": seen, "name": f"{TWO}: {OLD} -> {NEW}", "adopt": adopt, **MADE_OF}]
    return {"IMAGE": NEW, "ROLL": json.dumps(roll)}


def test_plan_marks_its_turn_and_adopts_nothing(runner: LocalRunner, stray: str) -> None:
    assert runner.does("plan") == 0
    (turn,) = json.loads(runner.outputs["roll"])

    assert (turn["id"], turn["seen"], turn["adopt"]) == (TWO, stray, True)
    assert runner.commands == ["init", "show", "plan", "show"]


@pytest.mark.parametrize(
    ("name", "conclusion", "ago"),
    [
        (f"{ONE}: {OLDEST} -> {OLD}", "failure", 60.0),
        (f"{TWO}: {OLDEST} -> {NEW}", "failure", 60.0),
        (NAME, "success", 60.0),
        (NAME, "skipped", 60.0),
        (NAME, "failure", -3600.0),
        ("plan", "failure", 60.0),
    ],
    ids=["another host's", "another image's", "that ended well", "that did nothing", "later", "-"],
)
def test_one_that_no_deploys_job_made_stops_the_run(
    runner: LocalRunner, stray: str, name: str, conclusion: str, ago: float
) -> None:
    noted(runner, name, conclusion, ago)

    assert runner.does("plan") == 1
    assert runner.outputs == {}
    assert runner.commands == ["init", "show", "plan", "show"]
    assert f"The state does not know {stray}, which EC2 shows as {TWO}, and no deploy" in (
        runner.summary
    )
    assert "in no deploy's job for it. Terminate it, or import it by hand" in runner.summary


def test_one_with_no_profile_stops_the_run(runner: LocalRunner, stray: str) -> None:
    runner.ec2.terminate_instances(InstanceIds=[stray])
    other = runner.launches(TWO)

    assert runner.does("plan") == 1
    assert f"does not know {other}" in runner.summary
    assert "it has no profile." in runner.summary


def test_its_job_adopts_it_and_then_plans_and_guards_as_ever(
    runner: LocalRunner, stray: str
) -> None:
    assert runner.does("host", INSTANCE=TWO, **handed(stray)) == 0
    adopted = ["apply", "import", "plan", "show", "apply"]
    assert runner.commands == ["init", "show", "plan", "show", *adopted]
    forgot, imported = runner.calls[4:6]
    assert "-refresh-only" in forgot
    assert imported.endswith(f'aws_instance.clawdinator["{TWO}"] {stray}')
    machine, image = runner.hosts()[TWO]
    assert (machine != stray, image) == (True, NEW)


def test_what_goes_too_far_once_it_is_adopted_is_not_applied(
    runner: LocalRunner, stray: str
) -> None:
    runner.plans(MADE_TWICE, imported=(replacing(stray), plans.host(ONE, "delete")))

    assert runner.does("host", INSTANCE=TWO, **handed(stray)) == 1
    assert runner.commands[-2:] == ["plan", "show"]
    assert "## Stopped: Guarded" in runner.summary


def test_its_job_does_not_adopt_what_no_longer_looks_like_it(
    runner: LocalRunner, stray: str
) -> None:
    runner.ec2.deregister_image(ImageId=OLD)

    assert runner.does("host", INSTANCE=TWO, **handed(stray)) == 1
    assert runner.commands == ["init", "show", "plan", "show"]
    assert f"does not know {stray}" in runner.summary
    assert f"its image {OLD} is none of ours" in runner.summary


def test_its_job_does_not_adopt_another_than_plan_saw(runner: LocalRunner, stray: str) -> None:
    runner.ec2.terminate_instances(InstanceIds=[stray])
    other = runner.launches(TWO, profile=f"{TWO}-host")

    assert runner.does("host", INSTANCE=TWO, **handed(stray)) == 1
    assert runner.commands == ["init", "show"]
    assert f"was {stray} when this was planned and is {other} now" in runner.summary


def test_its_job_does_not_adopt_what_the_state_knows_by_now(
    runner: LocalRunner, stray: str
) -> None:
    runner.plans(replacing(stray))

    assert runner.does("host", INSTANCE=TWO, **handed(stray)) == 1
    assert runner.commands == ["init", "show", "plan", "show"]
    assert f"{TWO} was not touched: {stray}, which the state did not know" in runner.summary


def test_a_job_whose_turn_is_not_marked_adopts_nothing(runner: LocalRunner, stray: str) -> None:
    assert runner.does("host", INSTANCE=TWO, **handed(stray, adopt=False)) == 1
    assert runner.commands == ["init", "show", "plan", "show"]
    assert "has a machine that OpenTofu does not see" in runner.summary
