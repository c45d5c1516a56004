"""Runs wait for their turn, are cancelled, run again, and end with nothing left behind."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path

from sandbox.workspace import Workspace
from tests.clock import TurnedClock
from tests.sandbox.script_pipe import ScriptPipe
from tests.sandbox.workflows import MATRIX, ONE_JOB, github_of, job, steps


async def test_one_run_at_a_time_and_the_others_wait_in_order(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    clock = TurnedClock()
    async with github_of(steps(f"run: cat {witness.pipe}"), tmp_path, clock=clock) as github:
        runs = [await github.dispatch() for _ in range(3)]
        await github.github.until(runs[0], lambda run: run.status == "in_progress")
        before = [(await github.run(run))["status"] for run in runs]
        await witness.says_go_on()
        await github.github.until(runs[1], lambda run: run.status == "in_progress")
        between = [(await github.run(run))["status"] for run in runs]
        for run in runs[1:]:
            await witness.says_go_on()
            await github.ended(run)
        triggered = [(await github.run(run))["run_started_at"] for run in runs]

    assert before == ["in_progress", "pending", "pending"]
    assert between == ["completed", "in_progress", "pending"]
    assert len(set(triggered)) == 1, "GitHub's time of start is that of the trigger"


async def test_a_hundred_wait_and_not_one_more(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    async with github_of(steps(f"run: cat {witness.pipe}"), tmp_path) as github:
        runs = [await github.dispatch() for _ in range(102)]
        shown = [await github.run(run) for run in (runs[100], runs[101])]

    assert [run["status"] for run in shown] == ["pending", "completed"]
    assert shown[1]["conclusion"] == "cancelled"


async def test_a_run_that_waits_can_be_cancelled_and_one_that_ended_cannot(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        runs = [github.github.runner.dispatch({"target": "x"}) for _ in range(3)]
        for run in runs[:2]:
            # The first has not begun yet; nothing was awaited.
            github.github.runner.cancel(run)
        shown = [await github.ended(run.id) for run in runs]
        status, refusal = await github.call("POST", f"/actions/runs/{runs[0].id}/cancel")

        assert await github.jobs(runs[0].id) == {}
    assert [run["conclusion"] for run in shown] == ["cancelled", "cancelled", "success"]
    assert (status, refusal["message"]) == (409, "Cannot cancel a workflow run that is completed.")


async def test_a_rerun_is_another_attempt_of_the_same_run(tmp_path: Path) -> None:
    clock = TurnedClock()
    file = ONE_JOB.replace("target is $TARGET", "attempt $GITHUB_RUN_ATTEMPT")
    async with github_of(file, tmp_path, clock=clock) as github:
        run_id = await github.dispatch()
        first = await github.ended(run_id)
        await clock.turn(60)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun")
        second = await github.ended(run_id)
        _, all_jobs = await github.call("GET", f"/actions/runs/{run_id}/jobs?filter=all")
        (latest,) = (await github.jobs(run_id)).values()

        assert github.said(run_id) == ["attempt 1", "attempt 2"]
    assert (status, first["run_attempt"], second["run_attempt"]) == (201, 1, 2)
    assert first["created_at"] == second["created_at"] < second["run_started_at"]
    assert [job["run_attempt"] for job in all_jobs["jobs"]] == [1, 2]
    assert latest["run_attempt"] == 2


async def test_only_what_has_ended_runs_again(tmp_path: Path) -> None:
    async with github_of(steps("run: sleep 1000"), tmp_path) as github:
        run_id = await github.dispatch()
        status, refusal = await github.call("POST", f"/actions/runs/{run_id}/rerun")

    assert (status, refusal["message"]) == (403, "This workflow is already running")


THREE = (
    ONE_JOB
    + job("after", "run: echo after; [ $TARGET != fail ]", needs="only")
    + job("last", "run: echo last $GITHUB_RUN_ATTEMPT", needs="[only, after]")
)


async def test_one_job_runs_again_with_those_that_need_it(tmp_path: Path) -> None:
    async with github_of(THREE, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        job = (await github.jobs(run_id))["after"]
        await github.call("POST", f"/actions/jobs/{job['id']}/rerun")
        await github.ended(run_id)

        assert github.said(run_id) == ["target is all", "after", "last 1", "after", "last 2"]
        assert {name: one["run_attempt"] for name, one in (await github.jobs(run_id)).items()} == {
            "only": 1,
            "after": 2,
            "last": 2,
        }


async def test_failed_jobs_run_again(tmp_path: Path) -> None:
    async with github_of(THREE, tmp_path) as github:
        run_id = await github.dispatch(target="fail")
        await github.ended(run_id)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun-failed-jobs")
        await github.ended(run_id)

        assert [job.name for job in github.record(run_id).jobs if job.attempt == 2] == [
            "after",
            "last",
        ]
    assert status == 201


async def test_of_a_matrix_only_the_failed_jobs_run_again(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)
        await github.call("POST", f"/actions/runs/{run_id}/rerun-failed-jobs")
        await github.ended(run_id)

        assert [job.name for job in github.record(run_id).jobs if job.attempt == 2] == [
            "b",
            "c",
            "finish",
        ]


async def test_a_run_without_a_failure_has_nothing_to_run_again(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun-failed-jobs")

    assert status == 403


async def test_a_rerun_waits_in_line_like_any_other(tmp_path: Path) -> None:
    file = steps("run: if [ $TARGET = slow ]; then sleep 1000; fi")
    async with github_of(file, tmp_path) as github:
        first = await github.dispatch()
        await github.ended(first)
        await github.dispatch(target="slow")
        await github.call("POST", f"/actions/runs/{first}/rerun")

        assert (await github.run(first))["status"] == "pending"


async def test_a_cancel_kills_what_runs_and_the_next_begins(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    slow = f"run: |\n  if [ $TARGET = next ]; then exit 0; fi\n  exec 9> {witness.pipe}"
    async with github_of(steps(f"{slow}\n  echo up >&9\n  sleep 1000"), tmp_path) as github:
        run_id = await github.dispatch()
        following = await github.dispatch(target="next")
        await witness.watches()
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/cancel")
        run = await github.ended(run_id)

        assert await witness.sees_the_end()
        assert github.said(run_id) == ["##[error]The operation was canceled."]
        assert (await github.ended(following))["conclusion"] == "success"
    assert (status, run["conclusion"]) == (202, "cancelled")


async def test_a_second_cancel_does_not_break_off_the_end(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    file = steps(f"run: exec 9> {witness.pipe}; echo up >&9; sleep 1000")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await witness.watches()
        for _ in range(5):
            github.github.runner.cancel(github.record(run_id))
            await asyncio.sleep(0)
        await github.ended(run_id)

        assert github.github.runner.context.tokens == {}
        assert list((tmp_path / "runs").iterdir()) == []


USES = "uses: actions/checkout@v7\nwith: {persist-credentials: false}"


async def test_a_cancelled_run_ends_once_its_action_can_write_no_more(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        began.set()
        go_on.wait()
        (workspace.work / "late").mkdir(parents=True)
        return {}

    async with github_of(steps(USES), tmp_path, checkout=slow) as github:
        run_id = await github.dispatch()
        await asyncio.to_thread(began.wait)
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        assert (await github.run(run_id))["status"] == "in_progress"
        go_on.set()

        assert (await github.ended(run_id))["conclusion"] == "cancelled"
        assert list((tmp_path / "runs").iterdir()) == []


async def test_a_run_that_breaks_has_failed_and_the_next_begins(tmp_path: Path) -> None:
    def broken(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        raise RuntimeError(workspace.job.name)

    async with github_of(steps(USES), tmp_path, checkout=broken) as github:
        runs = [await github.dispatch() for _ in range(2)]

        assert [(await github.ended(run))["conclusion"] for run in runs] == ["failure"] * 2


async def test_after_a_cancel_no_further_job_begins(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    file = MATRIX.replace('echo "host $ID', f'echo up > {witness.pipe}; sleep 1000; echo "host $ID')
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        await witness.hears()
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        await github.ended(run_id)

        assert await github.conclusions(run_id) == {
            "plan": "success",
            "a": "cancelled",
            "b": "cancelled",
            "c": "cancelled",
            "finish": "cancelled",
        }


async def test_a_stop_kills_what_runs_and_removes_what_it_had(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    file = steps(f"run: exec 9> {witness.pipe}; echo up >&9; sleep 1000")
    async with github_of(file, tmp_path) as github:
        runs = [await github.dispatch() for _ in range(2)]
        await witness.watches()

    assert await witness.sees_the_end()
    assert [github.record(run).status for run in runs] == ["completed", "pending"]


async def test_a_file_is_what_it_was_when_its_run_was_asked_for(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    file = steps(f'run: cat {witness.pipe}; echo "target is $TARGET"')
    async with github_of(file, tmp_path) as github:
        runs = [await github.dispatch() for _ in range(2)]
        (tmp_path / "small.yml").write_text(file.replace("target is", "changed"))
        for run in runs:
            await witness.says_go_on()
            await github.ended(run)

        assert github.said(runs[1]) == ["go ontarget is all"]
