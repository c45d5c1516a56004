"""How a roll that was stopped is shown: as what it did, whenever that is read."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbot import wording
from clawbot.progress import HostStage, Stage, progress
from clawbot.replies import Deploying
from fleet_control import phrases
from fleet_control.deploy_jobs import MOVING_STEP, STOPPED_STEP, EndState, begins
from fleet_control.host_change import changes
from fleet_control.ledger import Job, Run, Step
from sandbox.terminal.markup import render
from tests.clawbot.control_api import CREATED, job, run

OLD, NEW = "ami-0123abcd", "ami-4567abcd"
IDS = ("claw-1", "claw-2", "claw-3", "claw-4", "claw-5")
SAM = "discord:80351110224678912 sam"
LOOK = Step("See whether the roll goes on", "completed", "success")
STOPPED = Step(f"{STOPPED_STEP}{SAM}", "completed", "failure")
SKIPPED = Step(STOPPED_STEP, "completed", "skipped")


def host(id_: str, conclusion: str | None, *steps: Step, status: str = "completed") -> Job:
    return Job(f"{id_}: {OLD} -> {NEW} @0a1b2c3", status, conclusion, CREATED, CREATED, steps)


def moved(id_: str) -> Job:
    return host(id_, "success", LOOK, SKIPPED, Step(MOVING_STEP, "completed", "success"))


def held(id_: str) -> Job:
    moves = Step(MOVING_STEP, "completed", "skipped")
    return host(id_, "failure", LOOK, STOPPED, moves)


def after(done: int, ends: str) -> Iterator[Job]:
    """The jobs of a roll of five that was stopped after so many hosts; `ends` is what GitHub, or
    another runner, does with the jobs that are left: it cancels them, or lets each look itself."""
    yield job("plan")
    yield from map(moved, IDS[:done])
    for number, id_ in enumerate(IDS[done:]):
        yield held(id_) if not number or ends == "each" else host(id_, "cancelled")
    if done == len(IDS):
        yield Job("finish", "completed", "failure", CREATED, CREATED, (LOOK, STOPPED))


def stopped(done: int, ends: str = "cancelled", **more: str) -> Run:
    return run(7, "completed", "failure", target="all", jobs=tuple(after(done, ends)), **more)


@settings(max_examples=30, deadline=None)
@given(done=st.integers(0, 5), ends=st.sampled_from(["cancelled", "each"]))
def test_hosts_before_are_done_and_the_others_untouched(done: int, ends: str) -> None:
    seen = progress(stopped(done, ends))

    assert (seen.stage, seen.stopped_by, seen.over, seen.step) == (Stage.STOPPED, SAM, True, "")
    stages = [HostStage.HEALTHY] * done + [HostStage.UNTOUCHED] * (5 - done)
    assert [one.stage for one in seen.hosts] == stages
    assert [one.done for one in changes(stopped(done, ends))] == [True] * done + [False] * (
        5 - done
    )
    assert not any(one.began for one in list(changes(stopped(done, ends)))[done:])
    after = f"after claw-{done}" if done else "before any host"
    assert wording.stage(seen) == f"stopped by sam {after}"
    goes_on = "To go on from there: `/fleet resume 7`."
    assert seen.advice == (goes_on if done else "No host was touched. Ask again when it may go on.")
    assert phrases.run_state(stopped(done, ends)) == f"stopped by {SAM}"


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 4), looks=st.booleans())
def test_while_the_host_in_hand_is_finished_it_is_no_stop_yet(at: int, looks: bool) -> None:
    steps = (LOOK,) if looks else (Step(MOVING_STEP, "in_progress", None),)
    in_hand = host(IDS[at], None, *steps, status="in_progress")
    jobs = (job("plan"), *map(moved, IDS[:at]), in_hand)

    seen = progress(run(7, target="all", jobs=jobs))

    assert (seen.stage, seen.hosts[at].stage) == (Stage.RUNNING, HostStage.REPLACING)


def test_what_failed_by_itself_is_called_failed_whoever_stopped_the_rest() -> None:
    failing = Step(MOVING_STEP, "completed", "failure")
    jobs = (job("plan"), host("claw-1", "failure", LOOK, SKIPPED, failing), held("claw-2"))

    seen = progress(run(7, "completed", "failure", target="all", jobs=jobs))

    assert seen.stage is Stage.FAILED
    assert [one.stage for one in seen.hosts] == [HostStage.FAILED, HostStage.UNTOUCHED]


def test_a_step_of_that_name_that_did_not_fail_stops_nothing() -> None:
    done = run(7, "completed", "success", jobs=(job("plan"), moved("claw-1")))

    assert progress(done).stage is Stage.DONE


@pytest.mark.parametrize("by", ["operator:alice", "somebody"])
def test_who_has_no_name_is_called_by_the_account(by: str) -> None:
    jobs = tuple(
        one._replace(steps=tuple(s._replace(name=s.name.replace(SAM, by)) for s in one.steps))
        for one in after(2, "cancelled")
    )

    seen = progress(run(7, "completed", "failure", target="all", jobs=jobs))

    assert wording.stage(seen) == f"stopped by {by} after claw-2"
    assert seen.reason == f"The roll was stopped by {by}."


def test_the_run_s_own_words_say_why() -> None:
    why = f"{begins('claw-3', EndState.UNTOUCHED)}the roll was stopped by {SAM}."

    shown = render(Deploying(progress(stopped(2, reason=why))), 0.0).plain

    assert shown.startswith("■ deploy all: stopped by sam after claw-2\n")
    assert f"  · claw-3  {OLD} -> {NEW}  untouched\n" in shown
    assert f"  why:  {why}\n" in shown
