"""Runs are cancelled, run again, and end with nothing left behind."""

from pathlib import Path

from tests.clock import TurnedClock
from tests.sandbox.witness import Witness
from tests.sandbox.workflows import MATRIX, ONE_JOB, github_of, steps


async def test_a_run_that_waits_can_be_cancelled_and_one_that_ended_cannot(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        first, second, third = [await github.dispatch() for _ in range(3)]
        statuses = [
            (await github.call("POST", f"/actions/runs/{run}/cancel"))[0] for run in (second, first)
        ]
        runs = [await github.run(run) for run in (first, second)]
        again, refusal = await github.call("POST", f"/actions/runs/{first}/cancel")
        github.github.release()

        assert (await github.ended(third))["conclusion"] == "success"
        assert await github.jobs(first) == {}
    assert statuses == [202, 202]
    assert [run["conclusion"] for run in runs] == ["cancelled", "cancelled"]
    assert (again, refusal["message"]) == (409, "Cannot cancel a workflow run that is completed.")


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
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        status, refusal = await github.call("POST", f"/actions/runs/{run_id}/rerun")

    assert (status, refusal["message"]) == (403, "This workflow is already running")


THREE = (
    ONE_JOB
    + """
  after:
    needs: only
    runs-on: ubuntu-24.04
    steps:
      - run: echo after; [ $TARGET != fail ]
  last:
    needs: after
    runs-on: ubuntu-24.04
    steps:
      - run: echo last $GITHUB_RUN_ATTEMPT
"""
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


async def test_a_rerun_waits_in_line_like_any_other(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        first = await github.dispatch()
        await github.ended(first)
        github.github.hold()
        await github.dispatch()
        await github.call("POST", f"/actions/runs/{first}/rerun")

        assert (await github.run(first))["status"] == "pending"


async def test_a_cancel_kills_what_runs_and_lets_always_finish(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    file = steps(
        f"run: |\n  exec 9> {witness.pipe}\n  echo up >&9\n  sleep 1000",
        "run: echo no",
        "run: echo ${{ job.status }}\nif: always()",
        "run: echo after the cancel\nif: cancelled()",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await witness.watches()
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/cancel")
        run = await github.ended(run_id)

        assert await witness.sees_the_end()
        assert github.said(run_id) == [
            "##[error]The operation was canceled.",
            "cancelled",
            "after the cancel",
        ]
    assert (status, run["conclusion"]) == (202, "cancelled")


async def test_after_a_cancel_no_further_job_begins(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    file = MATRIX.replace('echo "host $ID', f'echo up > {witness.pipe}; sleep 1000; echo "host $ID')
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        await witness.hears()
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        await github.ended(run_id)

        assert await github.conclusions(run_id) == {
            "plan": "success",
            "host a": "cancelled",
            "host b": "cancelled",
            "host c": "cancelled",
            "finish": "cancelled",
        }


async def test_a_stop_kills_what_runs_and_removes_what_it_had(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    file = steps(f"run: exec 9> {witness.pipe}; echo up >&9; sleep 1000")
    async with github_of(file, tmp_path) as github:
        await github.dispatch()
        await witness.watches()

    assert await witness.sees_the_end()


async def test_a_file_is_what_it_was_when_its_run_began(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        (tmp_path / "small.yml").write_text(ONE_JOB.replace("target is", "changed"))
        github.github.release()
        await github.ended(run_id)

        assert github.said(run_id) == ["target is all"]
