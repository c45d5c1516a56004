"""Rollbacks and resumes: what each host becomes, and what stops the run before it touches one."""

import json
import shlex
import shutil
import time
from pathlib import Path

import pytest

from fleet_control.ledger import Entry
from tests.workflows import git, plans
from tests.workflows.conftest import NEW, OLD, OLDEST, LocalRunner
from tests.workflows.fleets import registry_text
from tests.workflows.loopback import raw_job, raw_run, raw_step
from tests.workflows.test_whole_run import remembers

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"
WAS = {ONE: OLD, TWO: OLDEST}
BACK, RESUME = {"OPERATION": "rollback"}, {"OPERATION": "resume"}
BEFORE, ASKED, AFTER = (f"2026-11-24T08:0{minute}:00Z" for minute in range(3))


@pytest.fixture
def revision(runner: LocalRunner) -> str:
    """What two hosts ran, each on an image of its own, before run 101 moved both to the newest."""
    runner.registers(ONE, TWO)
    old = runner.commit
    changes(runner, "Newer", NEW)
    for id_ in WAS:
        runner.launches(id_, NEW)
    moved(runner, 101, dict.fromkeys(WAS, "success"), ran=old)
    return old


def moved(
    runner: LocalRunner, number: int, ends: dict[str, str], *, ran: str = "", ended: str = BEFORE
) -> None:
    """A run over these hosts is in GitHub's list, and how each of its jobs ended."""
    new = f"{NEW} @{runner.commit[:7]}"
    runner.github.runs.insert(0, raw_run(number, Entry(target="all"), moment=ended))
    runner.github.jobs[number] = [
        raw_job(f"{id_}: {WAS[id_]} -> {new}", how, ended=ended, steps=how != "cancelled")
        for id_, how in ends.items()
    ]
    for job in (one for one in runner.github.jobs[number] if ran and one["steps"]):
        job["steps"].append(raw_step(f"It ran {ran[:7]}", "success"))


def stopped(runner: LocalRunner, **asked: str) -> str:
    """A run to the newest image that its first host ended; its id, to take it up by."""
    number = runner.github.runs[0]["id"] + 1
    moved(runner, number, {ONE: "failure", TWO: "cancelled"})
    entry = Entry(**({"target": "all"} | asked))
    ended = {"status": "completed", "conclusion": "failure"}
    runner.github.runs[0] = raw_run(number, entry, moment=BEFORE) | ended
    return str(number)


def changes(runner: LocalRunner, words: str, *images: str) -> str:
    """The commit that changes what hosts are built from, and of which these images are built."""
    (runner.folder / "nix/module.nix").write_text(f"{words}\n")
    git.run(runner.folder, "add", "nix/module.nix")
    git.run(runner.folder, "commit", "--quiet", "-m", words, when=time.time())
    if images:
        runner.builds(runner.commit, *images)
    return runner.commit


def asks(runner: LocalRunner, **asked: str) -> dict[str, str]:
    """A run that was created at that moment, and began when all that is listed had ended."""
    runner.github.runs[:] = [one for one in runner.github.runs if one["status"] != "pending"]
    waiting = runner.asks(**asked)
    runner.github.runs[0]["created_at"] = ASKED
    Path(runner.environ["GITHUB_STEP_SUMMARY"]).unlink(missing_ok=True)
    return waiting


def planned(runner: LocalRunner, id_: str, image: str, **asked: str) -> dict[str, str]:
    """The one turn of that run, for which the engine plans this image."""
    machine, now = runner.hosts()[id_]
    runner.plans(plans.replaced(id_, image=image, before={"id": machine, "ami": now}))
    assert runner.does("plan", **asks(runner, **asked)) == 0
    (turn,) = json.loads(runner.outputs["roll"])
    return {name: turn[name] for name in ("id", "image", "revision")}


def stops(runner: LocalRunner, title: str, *words: str, **asked: str) -> bool:
    """Whether that run stops with this before the engine plans anything."""
    assert runner.does("plan", **asks(runner, **asked)) == 1
    assert f"## Stopped: {title}\n\nNothing was touched: " in runner.summary
    for one in words:
        assert one in runner.summary
    return "plan" not in runner.commands


def test_a_host_goes_back_to_the_image_and_the_revision_that_it_ran(
    runner: LocalRunner, revision: str
) -> None:
    changes(runner, "Newest", OLDEST)
    back = {"TARGET": TWO, **BACK}

    for named in ({}, {"AMI_OVERRIDE": OLDEST}, {"REVISION": revision[:12]}):
        turn = planned(runner, TWO, OLDEST, **back, **named)
        assert turn == {"id": TWO, "image": OLDEST, "revision": revision}
    assert runner.outputs["finishes"] == "false"
    assert f"## Rollback of `{TWO}`" in runner.summary
    assert f"what ran before the last successful deploy, or the nearest to it: `{OLDEST}`. " in (
        runner.summary
    )


def test_where_the_ledger_tells_no_revision_it_is_the_one_that_its_image_brings(
    runner: LocalRunner, revision: str
) -> None:
    for job in runner.github.jobs[101]:
        job["steps"].pop()
    runner.builds(changes(runner, "Another"), OLDEST)
    another = runner.commit
    (runner.folder / "page.md").write_text("Words\n")
    git.run(runner.folder, "add", "page.md")
    git.run(runner.folder, "commit", "--quiet", "-m", "Words", when=time.time())
    runner.builds(runner.commit, OLDEST)

    turn = planned(runner, TWO, OLDEST, TARGET=TWO, **BACK)
    assert turn == {"id": TWO, "image": OLDEST, "revision": another}


def test_where_the_image_is_gone_it_is_the_newest_one_before_the_present(
    runner: LocalRunner, revision: str
) -> None:
    runner.ec2.deregister_image(ImageId=OLD)

    assert planned(runner, ONE, OLDEST, TARGET=ONE, **BACK)["image"] == OLDEST
    assert f"Another image: {OLD}, which {ONE} ran, is not available any more: {OLDEST} is" in (
        runner.summary
    )


def test_what_was_confirmed_and_is_not_what_it_goes_back_to_stops_the_run(
    runner: LocalRunner, revision: str
) -> None:
    back = {"TARGET": TWO, **BACK}
    was, title = f"{TWO} goes back to {OLDEST} @{revision[:7]}", "Another way back"
    assert stops(runner, title, was, f"not to {OLD}, as", AMI_OVERRIDE=OLD, **back)
    assert stops(runner, title, was, runner.commit, REVISION=runner.commit, **back)

    words = f"names no {OLD}: each has its own"
    assert stops(runner, "Bad inputs", words, **{**back, "TARGET": "all", "AMI_OVERRIDE": OLD})


@pytest.mark.parametrize(
    ("how", "told"), [("success", "moved"), ("failure", "may have moved"), ("cancelled", "")]
)
def test_a_deploy_that_ended_after_it_was_asked_stops_the_run(
    runner: LocalRunner, revision: str, how: str, told: str
) -> None:
    """It was ahead in the queue; one that moved no host concerned is no hindrance."""
    moved(runner, 102, {TWO: how}, ran=runner.commit, ended=AFTER)

    assert planned(runner, ONE, OLD, TARGET=ONE, **BACK)["image"] == OLD
    (runner.folder / "calls").unlink()
    if told:
        words = f"run 102 {told} {TWO} after this was asked; ask again."
        assert stops(runner, "Moved meanwhile", words, TARGET=TWO, **BACK)
        assert stops(runner, "Moved meanwhile", words, TARGET="all", **BACK)
    else:
        assert planned(runner, TWO, OLDEST, TARGET=TWO, **BACK)["image"] == OLDEST


def test_why_a_host_has_nothing_to_go_back_to_is_said(runner: LocalRunner, revision: str) -> None:
    runner.github.runs.clear()

    why = f"no deploy of {TWO} that ended well is among the newest 100 runs."
    assert stops(runner, "No way back", why, TARGET=TWO, **BACK)


def test_a_revision_that_is_not_on_the_branch_is_refused(
    runner: LocalRunner, revision: str
) -> None:
    for job in runner.github.jobs[101]:
        job["steps"] = [raw_step("It ran 0123456", "success")]

    words = "`0123456` names no commit of this repository"
    assert stops(runner, "Refused (unknown_revision)", words, TARGET=TWO, **BACK)


def test_a_roll_that_stopped_is_taken_up_with_what_it_made_of_its_hosts(
    runner: LocalRunner, revision: str
) -> None:
    """Whatever is the newest by now; and finished, by a resume of a resume, too."""
    run, commit = stopped(runner), runner.commit
    again = stopped(runner, target=run, operation="resume")
    changes(runner, "Newest", OLD)

    for target in (run, again):
        turn = planned(runner, TWO, NEW, TARGET=target, **RESUME)
        assert turn == {"id": TWO, "image": NEW, "revision": commit}
        assert runner.outputs["finishes"] == "true"
    assert f"## Resume of `{again}`" in runner.summary


@pytest.mark.parametrize("asked", [{"target": ONE}, {"operation": "rollback"}])
def test_what_was_no_deploy_of_all_is_taken_up_and_not_finished(
    runner: LocalRunner, revision: str, asked: dict[str, str]
) -> None:
    run = stopped(runner, **asked)

    assert planned(runner, TWO, NEW, TARGET=run, **RESUME)["id"] == TWO
    assert runner.outputs["finishes"] == "false"


def test_what_a_resume_can_not_take_up_is_said(runner: LocalRunner, revision: str) -> None:
    title = "Nothing to take up"
    assert stops(runner, title, "shows no deploy 99 on this branch", TARGET="99", **RESUME)
    assert stops(runner, title, "Run 101 reached every host", TARGET="101", **RESUME)

    run = stopped(runner)
    words = f"names no {OLD}"
    assert stops(runner, "Bad inputs", words, TARGET=run, AMI_OVERRIDE=OLD, **RESUME)
    moved(runner, 120, {TWO: "success"}, ended=AFTER)
    words = f"run 120 moved {TWO} after this was asked; ask again."
    assert stops(runner, "Moved meanwhile", words, TARGET=run, **RESUME)
    del runner.github.runs[:2]
    moved(runner, 121, {TWO: "success"})
    assert stops(runner, title, "Later runs moved every host", TARGET=run, **RESUME)


def test_what_left_the_registry_or_its_image_is_not_taken_up(
    runner: LocalRunner, revision: str
) -> None:
    run = stopped(runner)
    runner.ec2.deregister_image(ImageId=NEW)
    why = f"{NEW}, which {TWO} was to become, is not available any more. Deploy again."
    assert stops(runner, "No image", why, TARGET=run, **RESUME)

    runner.merges(json.loads(registry_text([ONE])), time.time())
    assert stops(runner, "Nothing to take up", f"{TWO} left the registry.", TARGET=run, **RESUME)


def test_no_more_than_a_hundred_runs_are_asked_for_their_jobs(
    runner: LocalRunner, revision: str
) -> None:
    run = stopped(runner)
    for number in range(200, 300):
        runner.github.runs.insert(0, raw_run(number, Entry(target=ONE), moment=BEFORE))

    words = "is not among the newest 100: deploy again."
    assert stops(runner, "Nothing to take up", words, TARGET=run, **RESUME)
    assert stops(runner, "No way back", "among the newest 100 runs", TARGET=TWO, **BACK)


def test_each_of_all_goes_back_to_its_own_and_what_left_the_registry_stays(
    runner: LocalRunner, revision: str, python: Path
) -> None:
    """Nobody is brought along: what never was deployed has nothing to go back to."""
    engine = runner.folder / "sandbox-tofu"
    path = shlex.quote(f"{ROOT}:{ROOT / 'skills'}")
    engine.write_text(
        f'#!/bin/sh\nPYTHONPATH={path} exec {shlex.quote(str(python))} -m sandbox.tofu "$@"\n'
    )
    engine.chmod(0o755)
    runner.environ["TOFU"] = str(engine)
    shutil.copytree(ROOT / "tofu/fleet", runner.folder / "tofu/fleet", dirs_exist_ok=True)
    runner.launches(GONE, NEW)
    remembers(runner, {id_: machine for id_, (machine, _) in runner.hosts().items()})
    before = runner.hosts()
    registry = json.loads(registry_text([ONE, TWO, GONE]))
    runner.merges(registry, time.time() - 86400)
    del registry[GONE]
    runner.merges(registry | json.loads(registry_text([THREE])), time.time())

    assert runner.deploys(**asks(runner, TARGET="all", **BACK)) == 0
    after = runner.hosts()
    assert {id_: image for id_, (_, image) in after.items()} == {**WAS, GONE: NEW}
    assert after[GONE] == before[GONE]
    revisions = {
        tag["Value"]
        for found in runner.ec2.describe_instances(InstanceIds=[after[ONE][0], after[TWO][0]])[
            "Reservations"
        ]
        for tag in found["Instances"][0]["Tags"]
        if tag["Key"] == "revision"
    }
    assert revisions == {revision}
    why = f"Left out: {THREE}: There is nothing to go back to: no deploy of {THREE}"
    assert why in runner.summary
    assert "or the nearest to it:\n\n- `ami-" in runner.summary
    for image in WAS.values():
        assert f"- `{image}`. Revision `{revision[:7]}`, " in runner.summary
    assert f"Left alone: {GONE}, not in the registry" in runner.summary
