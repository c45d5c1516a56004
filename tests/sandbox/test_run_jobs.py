"""Jobs run as at GitHub: in the order of their needs, each matrix spread out."""

from pathlib import Path

import pytest

from tests.sandbox.script_pipe import ScriptPipe
from tests.sandbox.workflows import MATRIX, PLAN, PLANNED, ROLL, github_of, steps


async def test_needs_outputs_and_a_matrix_work_as_at_github(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        await github.ended(run_id)

        assert await github.conclusions(run_id) == dict.fromkeys(
            ["plan", "a", "b", "c", "finish"], "success"
        )
        assert github.said(run_id) == ["host a", "host b", "host c", "finished"]
        assert [job.summary for job in github.record(run_id).jobs[1:4]] == [
            "did a\n",
            "did b\n",
            "did c\n",
        ]


async def test_all_jobs_of_a_matrix_are_listed_before_the_first_ends(
    tmp_path: Path,
) -> None:
    witness = ScriptPipe(tmp_path)
    file = MATRIX.replace('echo "host $ID', f'cat {witness.pipe}; echo "host $ID')
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.github.until(
            run_id, lambda run: [job.status for job in run.jobs[1:2]] == ["in_progress"]
        )
        jobs = await github.jobs(run_id)
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        await github.ended(run_id)

    assert [job["status"] for job in jobs.values()] == [
        "completed",
        "in_progress",
        "queued",
        "queued",
    ]
    assert jobs["b"]["started_at"], "GitHub fills it in before the job has begun"


async def test_an_if_that_does_not_hold_skips_its_job(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)

        assert (await github.conclusions(run_id))["finish"] == "skipped"
    assert run["conclusion"] == "success"


async def test_a_failure_stops_the_serial_matrix_and_what_needs_it(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(target="b", who="sam")
        run = await github.ended(run_id)

        assert await github.conclusions(run_id) == {
            "plan": "success",
            "a": "success",
            "b": "failure",
            "c": "cancelled",
            "finish": "skipped",
        }
    assert run["conclusion"] == "failure"


async def test_a_job_that_fails_skips_all_that_come_after(tmp_path: Path) -> None:
    async with github_of(
        MATRIX.replace("id: roll\n        run: |", "id: roll\n        run: |\n          exit 1"),
        tmp_path,
    ) as github:
        run_id = await github.dispatch(who="sam")
        run = await github.ended(run_id)

        # As GitHub shows a matrix that was never spread out.
        assert await github.conclusions(run_id) == {
            "plan": "failure",
            "${{ matrix.id }}": "skipped",
            "finish": "skipped",
        }
    assert run["conclusion"] == "failure"


@pytest.mark.parametrize("roll", ["[]", "{", "[1]", "7"])
async def test_a_matrix_that_is_none_fails_its_job(roll: str, tmp_path: Path) -> None:
    async with github_of(MATRIX.replace(ROLL, roll), tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)

        assert (await github.conclusions(run_id))["host"] == "failure"
        assert "##[error]fromJSON gave no list of jobs for the matrix" in github.log(run_id)[-1]
    assert run["conclusion"] == "failure"


async def test_a_secret_is_not_handed_to_other_jobs(tmp_path: Path) -> None:
    file = steps(f"{PLAN}env: {{WHO: '${{{{ github.token }}}}'}}", outputs=PLANNED)
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        plan = github.record(run_id).jobs[0]

    assert list(plan.outputs) == ["roll"]
    assert "##[warning]Skip output 'who' since it may contain secret." in plan.log[-1]


async def test_a_long_job_name_is_cut(tmp_path: Path) -> None:
    async with github_of(MATRIX.replace('"id":"a"', f'"id":"{"x" * 101}"'), tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)

        assert list(await github.jobs(run_id))[1] == "x" * 97 + "..."
