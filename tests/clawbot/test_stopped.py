"""How a roll that was stopped is shown: as what it did, whenever that is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawbot import wording
from clawbot.discord.embeds import embed
from clawbot.progress import HostStage, Stage
from clawbot.replies import Deploying
from clawbot.run_progress import progress
from clawbot.telegram import messages
from fleet_control import phrases
from fleet_control.deploy_jobs import FINISHING_STEP, MOVING_STEP, STOPPED_STEP, EndState, begins
from fleet_control.host_change import changes
from fleet_control.ledger import Job, Run, Step
from fleet_control.roll_stop import Place, place
from sandbox.terminal.markup import render
from tests.clawbot.control_api import CREATED, job, run

OLD, NEW = "ami-0123abcd", "ami-4567abcd"
IDS = ("claw-1", "claw-2", "claw-3", "claw-4", "claw-5")
SAM = "discord:80351110224678912 sam"
NEXT = {
    0: "No host was touched. Ask again when it may go on.",
    5: "Every host is done. What left the registry stays until the next deploy of `all`.",
}
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
    assert wording.stage(seen) == f"stopped by sam in Discord {after}"
    assert seen.advice == NEXT.get(done, "To go on from there: `/fleet resume 7`.")
    assert phrases.run_state(stopped(done, ends)) == "stopped by sam in Discord"


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 4), looks=st.booleans())
def test_while_the_host_in_hand_is_finished_it_is_no_stop_yet(at: int, looks: bool) -> None:
    steps = (LOOK,) if looks else (Step(MOVING_STEP, "in_progress", None),)
    in_hand = host(IDS[at], None, *steps, status="in_progress")
    jobs = (job("plan"), *map(moved, IDS[:at]), in_hand)

    seen = progress(run(7, target="all", jobs=jobs))

    assert (seen.stage, seen.hosts[at].stage) == (Stage.RUNNING, HostStage.REPLACING)


@dataclass
class Unfolding:
    """A roll of five, which somebody stops at one of the moments that GitHub shows of it.

    Attributes:
        lag: how many of the last changes GitHub did not show yet to who stopped it.
        shown: the run after each change.
        place: where the roll was called to be.
        begun: how many hosts it had begun by then.
    """

    moment: int
    lag: int
    jobs: list[Job] = field(default_factory=list)
    shown: list[Run] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place("", more=False))
    begun: int = 0
    going: int = 0

    def change(self, at: int, job: Job) -> None:
        self.jobs[at : at + 1] = [job]
        self.shown.append(run(7, target="all", jobs=tuple(self.jobs)))
        if len(self.shown) - 1 == self.moment:
            self.place, self.begun = place(self.shown[max(0, self.moment - self.lag)]), self.going

    def end(self) -> Run:
        self.change(0, job("plan", None, "in_progress"))
        self.jobs[1:] = [host(id_, None, status="queued") for id_ in IDS]
        self.change(0, job("plan"))
        names = [*(f"{id_}: {OLD} -> {NEW} @0a1b2c3" for id_ in IDS), "finish"]
        ended = all(self._moves(at, name) for at, name in enumerate(names, 1))
        last = [one if one.status == "completed" else _never(one) for one in self.jobs]
        return run(
            7, "completed", "success" if ended else "failure", target="all", jobs=tuple(last)
        )

    def _moves(self, at: int, name: str) -> bool:
        """Whether it was not told to stop when it looked."""
        moves = FINISHING_STEP if name == "finish" else MOVING_STEP
        doing = Job(name, "in_progress", None, CREATED, None, (Step(moves, "queued", None),))
        self.change(at, doing)
        if self.place.more:
            steps = (LOOK, STOPPED, Step(moves, "completed", "skipped"))
            self.change(at, Job(name, "completed", "failure", CREATED, CREATED, steps))
            return False
        self.going = at
        for status, ends in (("in_progress", None), ("completed", "success")):
            steps = (LOOK, SKIPPED, Step(moves, status, ends))
            self.change(at, Job(name, status, ends, CREATED, CREATED, steps))
        return True


def _never(job: Job) -> Job:
    return job._replace(status="completed", conclusion="cancelled")


@settings(max_examples=150, deadline=None)
@given(moment=st.integers(0, 19), lag=st.integers(0, 3))
def test_at_every_moment_the_reply_is_true(moment: int, lag: int) -> None:
    roll = Unfolding(moment, lag)
    seen = progress(roll.end())

    assert moment < len(roll.shown)
    done = [one.id for one in seen.hosts if one.stage is HostStage.HEALTHY]
    assert done == list(IDS[: len(done)])
    assert {one.stage for one in seen.hosts[len(done) :]} <= {HostStage.UNTOUCHED}
    assert roll.place.at in ("", "finish", *done)
    if not roll.place.more:  # it is not offered: all of it had begun
        assert (seen.stage, roll.begun) == (Stage.DONE, 6)
    elif roll.begun == 6:  # GitHub did not show yet that it had come so far
        assert seen.stage is Stage.DONE
        assert lag
    else:
        assert (seen.stage, len(done)) == (Stage.STOPPED, roll.begun)
        assert seen.stopped_by == SAM


def test_what_failed_by_itself_is_called_failed_whoever_stopped_the_rest() -> None:
    failing = Step(MOVING_STEP, "completed", "failure")
    jobs = (job("plan"), host("claw-1", "failure", LOOK, SKIPPED, failing), held("claw-2"))

    seen = progress(run(7, "completed", "failure", target="all", jobs=jobs))
    turned = progress(run(7, "completed", "failure", target="all", jobs=jobs[::-1]))

    assert seen.stage is turned.stage is Stage.FAILED
    assert [one.stage for one in seen.hosts] == [HostStage.FAILED, HostStage.UNTOUCHED]


def test_a_step_of_that_name_that_did_not_fail_stops_nothing() -> None:
    done = run(7, "completed", "success", jobs=(job("plan"), moved("claw-1")))

    assert progress(done).stage is Stage.DONE


@pytest.mark.parametrize(
    ("by", "called"), [("operator:alice", "alice at a desk"), ("somebody", "somebody")]
)
def test_who_has_no_name_is_called_by_the_account(by: str, called: str) -> None:
    jobs = tuple(
        one._replace(steps=tuple(s._replace(name=s.name.replace(SAM, by)) for s in one.steps))
        for one in after(2, "cancelled")
    )

    seen = progress(run(7, "completed", "failure", target="all", jobs=jobs))

    assert wording.stage(seen) == f"stopped by {called} after claw-2"
    assert seen.reason == f"The roll was stopped by {called}."


def test_the_run_s_own_words_say_why_on_every_front() -> None:
    why = f"{begins('claw-3', EndState.UNTOUCHED)}the roll was stopped by sam in Discord."
    reply = Deploying(progress(stopped(2, reason=why)))

    in_discord, in_telegram = embed(reply, 0.0), messages.render(reply, 0.0)
    shown = render(reply, 0.0).plain

    assert in_discord.description is not None
    assert in_discord.description.startswith(
        "**stopped by sam in Discord after claw-2**\n▰▰▱▱▱ 2 of 5 hosts done\n🟢 **claw-1**"
    )
    assert "⚪ **claw-3** · untouched" in in_discord.description
    assert [field.value for field in in_discord.fields if field.name == "Why"] == [why]
    assert in_telegram.startswith("⚪ <b>Deploy all</b>: stopped by sam in Discord after claw-2\n")
    assert f"\nWhy: {why}\n" in in_telegram
    assert shown.startswith("■ deploy all: stopped by sam in Discord after claw-2\n")
    assert f"  · claw-3  {OLD} -> {NEW}  untouched\n" in shown
    assert f"  why:  {why}\n" in shown
