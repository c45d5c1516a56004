"""One run of a group at a time; who waits, in which order, and who is dropped."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.clock import TurnedClock
from tests.sandbox.witness import Witness
from tests.sandbox.workflows import ONE_JOB, github_of, steps


async def test_one_run_at_a_time_and_the_others_wait_in_order(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.hold()
        runs = [await github.dispatch(who=str(number)) for number in range(3)]
        waiting = [(await github.run(run_id))["status"] for run_id in runs]
        order: list[int] = []
        watching = [asyncio.create_task(_noted(github.github, run, order)) for run in runs]
        github.github.release()
        await asyncio.gather(*watching)
        triggered = [(await github.run(run))["run_started_at"] for run in runs]

    assert waiting == ["queued", "pending", "pending"]
    assert runs == order
    assert len(set(triggered)) == 1, "GitHub's time of start is that of the trigger"


async def _noted(github: Any, run_id: int, order: list[int]) -> None:
    await github.finished(run_id)
    order.append(run_id)


async def test_the_next_begins_only_when_the_one_before_it_has_ended(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    async with github_of(steps(f"run: cat {witness.pipe}"), tmp_path) as github:
        first, second = await github.dispatch(), await github.dispatch()
        await github.github.started(first)
        between = (await github.run(second))["status"]
        await witness.says_go_on()
        await github.github.started(second)
        before = (await github.run(first))["status"]
        await witness.says_go_on()
        await github.ended(second)

    assert (between, before) == ("pending", "completed")


async def test_unless_told_github_drops_the_older_of_two_that_wait(tmp_path: Path) -> None:
    file = ONE_JOB.replace(", queue: max", "")
    async with github_of(file, tmp_path) as github:
        github.github.hold()
        runs = [await github.dispatch() for _ in range(3)]
        github.github.release()
        conclusions = [(await github.ended(run))["conclusion"] for run in runs]

    assert conclusions == ["success", "cancelled", "success"]


async def test_a_hundred_wait_and_not_one_more(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        runs = [await github.dispatch() for _ in range(102)]
        shown = [await github.run(run) for run in (runs[100], runs[101])]

    assert [run["status"] for run in shown] == ["pending", "completed"]
    assert shown[1]["conclusion"] == "cancelled"


async def test_a_file_may_ask_to_cancel_what_runs(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    file = steps(f"run: if [ $TARGET = slow ]; then echo up > {witness.pipe}; sleep 1000; fi")
    file = file.replace("cancel-in-progress: false, queue: max", "cancel-in-progress: true")
    async with github_of(file, tmp_path) as github:
        slow = await github.dispatch(target="slow")
        await witness.hears()
        quick = await github.dispatch()
        conclusions = [(await github.ended(run))["conclusion"] for run in (slow, quick)]

    assert conclusions == ["cancelled", "success"]


@pytest.mark.parametrize(
    "concurrency", ["", "concurrency: '${{ inputs.target }} only'"], ids=["none", "other groups"]
)
async def test_runs_of_other_groups_run_side_by_side(concurrency: str, tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    step = f"run: if [ $TARGET = a ]; then cat {witness.pipe}; else echo met > {witness.pipe}; fi"
    file = steps(step).replace(
        "concurrency: {group: small, cancel-in-progress: false, queue: max}", concurrency
    )
    async with github_of(file, tmp_path) as github:
        runs = [await github.dispatch(target=target) for target in "ab"]

        assert [(await github.ended(run))["conclusion"] for run in runs] == ["success"] * 2
