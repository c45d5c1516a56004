"""A roll of five that is stopped, through the whole sandbox, at a handful of moments."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fleet_control.deploy_jobs import FINISHING_STEP, MOVING_STEP
from sandbox.run_record import JobRecord, RunRecord
from tests.sandbox.full_loop import BotRun, FullLoop, full_loop, write_registry

IDS = tuple(f"claw-{number}" for number in range(1, 6))


def moving(job: JobRecord) -> bool:
    return any(
        step.name in (MOVING_STEP, FINISHING_STEP) and step.started is not None and not step.ended
        for step in job.steps
    )


def at(number: int) -> Callable[[RunRecord], bool]:
    """Whether that job of the run moves what it is for; 0 is `plan`, which moves nothing."""

    def holds(run: RunRecord) -> bool:
        jobs = run.latest_jobs()
        return len(jobs) > number and (moving(jobs[number]) or not number)

    return holds


def past(number: int) -> Callable[[RunRecord], bool]:
    """Whether that job has ended, and the next has begun nothing yet."""
    return lambda run: len(run.latest_jobs()) > number and run.latest_jobs()[number].ended


class StopAt(NamedTuple):
    """A moment at which a roll is stopped, how many have moved in the end, and what is said."""

    moment: Callable[[RunRecord], bool]
    done: int
    where: str


WHILE_PLAN_RUNS = StopAt(at(0), 0, "at no host")
BETWEEN_TWO = StopAt(past(1), 1, "at no host")
AT_THE_SECOND = StopAt(at(2), 2, "at claw-2, which it finishes first")
AT_THE_LAST_OF_ONE = StopAt(at(1), 1, "at claw-1, which it finishes first")
WHILE_ONE_FINISHES = StopAt(at(2), 2, "is at its last, finish.")


@pytest.mark.parametrize(
    ("many", "stops"),
    [
        pytest.param(5, (WHILE_PLAN_RUNS, BETWEEN_TWO, AT_THE_SECOND), id="a roll of five"),
        pytest.param(1, (AT_THE_LAST_OF_ONE, WHILE_ONE_FINISHES), id="the end of a roll"),
    ],
)
async def test_the_hosts_before_are_done_the_one_in_hand_too_and_the_others_untouched(
    tmp_path: Path, python: Path, many: int, stops: tuple[StopAt, ...]
) -> None:
    file, ids = tmp_path / "instances.json", IDS[:many]
    write_registry(file, ids)
    async with full_loop(file, python=python) as outside, outside.bot() as bot:
        for stop in stops:
            before = await asyncio.to_thread(outside.hosts)
            said, run = await stopped_at(outside, bot, stop.moment)
            after = await asyncio.to_thread(outside.hosts)
            told = await bot.bot.api.told(run.inputs["request_id"])

            moved = [id_ for id_ in ids if after[id_].id != before[id_].id]
            assert moved == [*ids[: stop.done]]
            assert stop.where in " ".join(said.split())
            if stop.done > many:
                assert (run.conclusion, told) == ("success", "done")
                assert "✓ deploy all: done" in said
            else:
                assert (run.conclusion, told) == ("failure", "stopped"), said
                check_told(said, run, ids, stop.done)


def check_told(said: str, run: RunRecord, ids: tuple[str, ...], done: int) -> None:
    """What the stop and the deploy were answered tells how far the roll came."""
    asker = "operator in the terminal"
    answered = f"Run {run.id} (deploy all, asked for by {asker}) was told to begin no further host."
    assert answered in " ".join(said.split())
    last = said[said.rindex("■ deploy all: stopped by operator in the terminal ") :]
    ended = f"after claw-{done}" if done else "before any host"
    assert last.startswith(f"■ deploy all: stopped by {asker} {ended}\n")
    for number, id_ in enumerate(ids):
        state = "replaced, healthy" if number < done else "untouched"
        assert any(id_ in line and state in line for line in last.splitlines()), id_
    left = "Nothing was removed" if done == len(ids) else f"claw-{done + 1} was not touched"
    assert f"why: {left}: the roll was stopped by {asker}." in " ".join(last.split())


async def stopped_at(
    outside: FullLoop, bot: BotRun, moment: Callable[[RunRecord], bool]
) -> tuple[str, RunRecord]:
    """What is printed of a roll that somebody stops at that moment, and its run."""
    github = outside.sandbox.github
    await bot.say("/fleet deploy all")
    runs = github.runner.runs
    earlier = len(runs)
    await bot.terminal.hear("yes &")
    await github.runner.context.changes.until(lambda: len(runs) > earlier)
    async with outside.stopped_at(moment) as run:
        await bot.terminal.hear("/fleet stop")
    await bot.terminal.finish()
    assert run.ended
    return bot.printed.getvalue(), run
