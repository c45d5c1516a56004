"""Rollbacks and resumes, whole runs with the sandbox's engine: each host becomes its own."""

import json
import shlex
import shutil
import time
from pathlib import Path

import pytest

from fleet_control.ledger import Entry
from tests.workflows import git
from tests.workflows.conftest import NEW, OLD, OLDEST, LocalRunner
from tests.workflows.fleets import registry_text
from tests.workflows.loopback import raw_job, raw_run
from tests.workflows.test_whole_run import remembers

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"


@pytest.fixture
def fleet(runner: LocalRunner, python: Path) -> dict[str, str]:
    """Two hosts and their images; `all` has moved both to the newest since, and nothing else."""
    engine = runner.folder / "sandbox-tofu"
    path = shlex.quote(f"{ROOT}:{ROOT / 'skills'}")
    command = f"{shlex.quote(str(python))} -m sandbox.tofu"
    engine.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {command} "$@"\n')
    engine.chmod(0o755)
    runner.environ["TOFU"] = str(engine)
    shutil.copytree(ROOT / "tofu/fleet", runner.folder / "tofu/fleet", dirs_exist_ok=True)
    runner.merges(json.loads(registry_text([ONE, TWO])), time.time() - 86400)
    images = {ONE: OLD, TWO: OLDEST}
    remembers(runner, {id_: runner.launches(id_, image) for id_, image in images.items()})
    _launched_as(runner, runner.commit)
    changes(runner, "Newer", NEW)
    assert runner.deploys(TARGET="all") == 0
    return images


def changes(runner: LocalRunner, words: str, *images: str) -> str:
    """The commit that changes what hosts are built from, and of which these images are built."""
    (runner.folder / "nix/module.nix").write_text(f"{words}\n")
    git.run(runner.folder, "add", "nix/module.nix")
    git.run(runner.folder, "commit", "--quiet", "-m", words, when=time.time())
    if images:
        runner.builds(runner.commit, *images)
    return runner.commit


def _launched_as(runner: LocalRunner, commit: str) -> None:
    machines = [machine for machine, _ in runner.hosts().values()]
    runner.ec2.create_tags(Resources=machines, Tags=[{"Key": "revision", "Value": commit}])


def images(runner: LocalRunner) -> dict[str, str]:
    return {id_: image for id_, (_, image) in runner.hosts().items()}


def rolls_back(runner: LocalRunner, target: str, **more: str) -> int:
    Path(runner.environ["GITHUB_STEP_SUMMARY"]).unlink(missing_ok=True)
    return runner.deploys(TARGET=target, OPERATION="rollback", **more)


def test_one_goes_back_and_the_other_stays(runner: LocalRunner, fleet: dict[str, str]) -> None:
    before = runner.hosts()

    assert rolls_back(runner, TWO, AMI_OVERRIDE=OLDEST) == 0
    assert images(runner) == {ONE: NEW, TWO: fleet[TWO]}
    assert runner.hosts()[ONE] == before[ONE]
    assert f"## Rollback of `{TWO}`" in runner.summary


def test_each_of_all_goes_back_to_its_own_and_what_left_the_registry_stays(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """And nobody is brought along: what never was deployed has nothing to go back to."""
    stranger = runner.launches(GONE)
    runner.merges(json.loads(registry_text([ONE, TWO, THREE])), time.time())
    runner.builds(changes(runner, "Newest"), NEW)

    assert rolls_back(runner, "all") == 0
    assert images(runner) == {**fleet, GONE: OLD}
    assert runner.hosts()[GONE][0] == stranger
    assert f"Left out: {THREE}: There is nothing to go back to: no deploy of {THREE}" in (
        runner.summary
    )
    assert "The whole fleet is deployed" not in runner.summary


def test_twice_goes_there_and_back_again(runner: LocalRunner, fleet: dict[str, str]) -> None:
    assert rolls_back(runner, ONE) == 0
    assert images(runner)[ONE] == fleet[ONE]
    assert rolls_back(runner, ONE) == 0
    assert images(runner)[ONE] == NEW


def stops(runner: LocalRunner, title: str, *words: str, **asked: str) -> bool:
    """Whether that run stops with this, and touches nothing."""
    before = runner.hosts()
    Path(runner.environ["GITHUB_STEP_SUMMARY"]).unlink(missing_ok=True)
    assert runner.deploys(**asked) == 1
    assert f"## Stopped: {title}\n\nNothing was touched: " in runner.summary
    for one in words:
        assert one in runner.summary
    return runner.hosts() == before


BACK = {"OPERATION": "rollback"}


def test_what_was_confirmed_and_is_not_what_it_goes_back_to_stops_the_run(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    named = {"TARGET": TWO, "AMI_OVERRIDE": OLD, **BACK}
    assert stops(runner, "Another way back", f"{TWO} goes back to {OLDEST} @", OLD, **named)

    named = {"TARGET": TWO, "REVISION": runner.commit, **BACK}
    assert stops(runner, "Another way back", runner.commit, **named)

    named = {"TARGET": "all", "AMI_OVERRIDE": OLD, **BACK}
    assert stops(runner, "Bad inputs", f"names no {OLD}: each has its own", **named)


def test_a_deploy_that_ended_after_it_was_asked_stops_the_run(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """It was ahead in the queue; one that moved another host is no hindrance."""
    one, both = ({"TARGET": target, **BACK} for target in (ONE, "all"))
    asked = [runner.asks(**one), runner.asks(**both), runner.asks(TARGET=TWO)]
    for waiting in runner.github.runs[:3]:
        waiting["created_at"] = "2026-11-24T08:00:00Z"
    runner.github.runs[3]["updated_at"] = "2026-11-24T07:59:59Z"
    (job, *more) = runner.github.jobs[runner.github.runs[3]["id"]]
    for each in (job, *more):
        each["completed_at"] = "2026-11-24T07:59:59Z"
    assert runner.deploys(**asked[2]) == 0
    ahead = asked[2]["GITHUB_RUN_ID"]

    moved = f"run {ahead} moved {TWO} after this was asked; ask again."
    assert stops(runner, "Moved meanwhile", moved, **asked[1])
    assert runner.deploys(**asked[0]) == 0
    assert images(runner)[ONE] == fleet[ONE]


def test_why_a_host_has_nothing_to_go_back_to_is_said(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.github.runs.clear()

    why = f"no deploy of {TWO} that ended well is among the newest 100 runs."
    assert stops(runner, "No way back", why, TARGET=TWO, **BACK)


def test_a_revision_that_is_not_on_the_branch_is_refused(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    for job in runner.github.jobs[101]:
        for step in job["steps"]:
            if step["name"].startswith("It ran "):
                step["name"] = "It ran 0123456"

    assert stops(runner, "Refused (unknown_revision)", "`0123456` names no", TARGET=TWO, **BACK)


def test_where_the_image_is_gone_it_is_the_newest_one_before_the_present(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.ec2.deregister_image(ImageId=OLD)

    assert rolls_back(runner, ONE) == 0
    assert images(runner)[ONE] == OLDEST
    assert f"Another image: {OLD}, which {ONE} ran, is not available any more: {OLDEST} is" in (
        runner.summary
    )


def stopped_roll(runner: LocalRunner, target: str = "all", **more: str) -> str:
    """A roll to the oldest image that its first host ended; the run's id."""
    roll = [(ONE, "failure", 2), (TWO, "cancelled", 0)]
    commit = runner.commit
    runner.builds(commit, OLDEST)
    number = runner.github.runs[0]["id"] + 1
    ended = runner.github.runs[0]["updated_at"]
    entry = Entry(target=target, ami_override="" if more else OLDEST, **more)
    runner.github.runs.insert(0, raw_run(number, entry, moment=ended) | {"conclusion": "failure"})
    runner.github.jobs[number] = [
        raw_job(f"{id_}: {NEW} -> {OLDEST} @{commit[:7]}", how, ended=ended, steps=steps)
        for id_, how, steps in roll
    ]
    return str(number)


def test_a_roll_that_stopped_is_taken_up_and_finished(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """With what that run made of its hosts, whatever is the newest by now."""
    commit = runner.commit
    run = stopped_roll(runner)
    again = stopped_roll(runner, run, operation="resume")
    changes(runner, "Newer still", NEW)
    before = runner.hosts()

    assert runner.deploys(TARGET=again, OPERATION="resume") == 0
    assert images(runner) == {ONE: NEW, TWO: OLDEST}
    assert runner.hosts()[ONE] == before[ONE]
    tag = {"Name": "tag:revision", "Values": [commit]}
    found = runner.ec2.describe_instances(Filters=[tag])["Reservations"]
    assert runner.hosts()[TWO][0] in str(found)
    assert f"## Resume of `{again}`" in runner.summary
    assert "## The whole fleet is deployed" in runner.summary


def test_a_roll_of_others_than_all_is_taken_up_and_not_finished(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    Path(runner.environ["GITHUB_STEP_SUMMARY"]).unlink(missing_ok=True)
    run = stopped_roll(runner, ONE)

    assert runner.deploys(TARGET=run, OPERATION="resume") == 0
    assert images(runner) == {ONE: NEW, TWO: OLDEST}
    assert "## The whole fleet is deployed" not in runner.summary


def test_what_a_resume_can_not_take_up_is_said(runner: LocalRunner, fleet: dict[str, str]) -> None:
    resume = {"OPERATION": "resume"}
    title = "Nothing to take up"
    assert stops(runner, title, "shows no deploy 99 on this branch", TARGET="99", **resume)
    assert stops(runner, title, "Run 101 reached every host", TARGET="101", **resume)

    run = stopped_roll(runner)
    named = {"TARGET": run, "AMI_OVERRIDE": OLD, **resume}
    assert stops(runner, "Bad inputs", f"names no {OLD}", **named)
    asked = runner.asks(TARGET=run, **resume)
    runner.github.runs[0]["created_at"] = "2026-11-24T08:00:00Z"
    assert runner.deploys(TARGET=TWO) == 0
    meanwhile = f"run {runner.github.runs[0]['id']} moved {TWO} after this was asked"
    assert stops(runner, "Moved meanwhile", meanwhile, **asked)
    assert stops(runner, title, "Later runs moved every host", TARGET=run, **resume)

    run = stopped_roll(runner)
    runner.merges(json.loads(registry_text([ONE])), time.time())
    assert stops(runner, title, f"{TWO} left the registry.", TARGET=run, **resume)


def test_where_its_image_is_gone_a_roll_is_not_taken_up(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    run = stopped_roll(runner)
    runner.ec2.deregister_image(ImageId=OLDEST)

    why = f"{OLDEST}, which {TWO} was to become, is not available any more. Deploy again."
    assert stops(runner, "No image", why, TARGET=run, OPERATION="resume")
