"""Jobs run as at GitHub: in the order of their needs, each matrix spread out."""

from pathlib import Path

import pytest

from sandbox.expression import Scope
from sandbox.matrix import entries
from sandbox.workflow_error import WorkflowError
from tests.sandbox.witness import Witness
from tests.sandbox.workflows import MATRIX, github_of, steps


async def test_needs_outputs_and_a_matrix_work_as_at_github(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        await github.ended(run_id)

        assert await github.conclusions(run_id) == dict.fromkeys(
            ["plan", "host a", "host b", "host c", "finish"], "success"
        )
        assert github.said(run_id) == [
            "host a, 0 of 3",
            "host b, 1 of 3",
            "host c, 2 of 3",
            "success",
        ]
        assert [job.summary for job in github.record(run_id).jobs[1:4]] == [
            "did a\n",
            "did b\n",
            "did c\n",
        ]


async def test_all_jobs_of_a_matrix_are_listed_before_the_first_ends(
    tmp_path: Path,
) -> None:
    witness = Witness(tmp_path)
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
    assert jobs["host b"]["started_at"], "GitHub fills it in before the job has begun"


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
            "host a": "success",
            "host b": "failure",
            "host c": "cancelled",
            "finish": "skipped",
        }
    assert run["conclusion"] == "failure"


async def test_a_runner_that_does_not_fail_fast_goes_on(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path, fail_fast=False) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)

        assert (await github.conclusions(run_id))["host c"] == "success"


async def test_a_file_may_ask_for_a_matrix_that_goes_on(tmp_path: Path) -> None:
    file = MATRIX.replace("max-parallel: 1", "max-parallel: 1\n      fail-fast: false")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)

        assert (await github.conclusions(run_id))["host c"] == "success"


async def test_without_a_limit_the_jobs_of_a_matrix_run_side_by_side(
    tmp_path: Path,
) -> None:
    witness = Witness(tmp_path)
    meet = f"if [ $N = 1 ]; then cat {witness.pipe}; else echo met > {witness.pipe}; fi"
    file = steps(
        f"run: {meet}\nenv: {{N: '${{{{ matrix.n }}}}'}}",
        job="    strategy: {matrix: {n: [1, 2]}}",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)

        assert await github.conclusions(run_id) == {"only (1)": "success", "only (2)": "success"}


async def test_a_job_that_says_always_runs_after_a_failure_and_sees_it(tmp_path: Path) -> None:
    file = MATRIX.replace("if: inputs.who == 'sam'", "if: always()")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)

        assert github.said(run_id)[-1] == "failure"
        assert (await github.conclusions(run_id))["finish"] == "success"


async def test_a_skipped_job_skips_all_that_come_after(tmp_path: Path) -> None:
    file = MATRIX.replace("    runs-on", "    if: inputs.who == 'x'\n    runs-on", 1)
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        run = await github.ended(run_id)

        # As GitHub shows a matrix that was never spread out.
        assert await github.conclusions(run_id) == {
            "plan": "skipped",
            "host ${{ matrix.id }}": "skipped",
            "finish": "skipped",
        }
    assert run["conclusion"] == "success"


@pytest.mark.parametrize("roll", ["[]", "{", "[1]", "7"])
async def test_a_matrix_that_is_none_fails_its_job(roll: str, tmp_path: Path) -> None:
    file = MATRIX.replace('[{"id":"a"},{"id":"b"},{"id":"c"}]', roll)
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)

        assert (await github.conclusions(run_id))["host"] == "failure"
        assert github.log(run_id)[-1].startswith("##[error]")
    assert run["conclusion"] == "failure"


async def test_a_secret_is_not_handed_to_other_jobs(tmp_path: Path) -> None:
    file = MATRIX.replace(
        "roll: ${{ steps.roll.outputs.roll }}",
        "roll: ${{ steps.roll.outputs.roll }}\n      key: ${{ secrets.KEY }}",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        plan = github.record(run_id).jobs[0]

    assert list(plan.outputs) == ["roll"]
    assert "##[warning]Skip output 'key' since it may contain secret." in plan.log[-1]


async def test_a_long_job_name_is_cut(tmp_path: Path) -> None:
    async with github_of(steps("run: 'true'", job=f"    name: {'x' * 101}"), tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)

        assert list(await github.jobs(run_id)) == ["x" * 97 + "..."]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ({"a": [1, 2], "b": ["x"]}, [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]),
        ({"include": [{"id": "a"}, {"id": "b"}]}, [{"id": "a"}, {"id": "b"}]),
        (
            {"a": [1, 2], "include": [{"a": 2, "c": 3}, {"a": 5}, {"d": 4}]},
            [{"a": 1, "d": 4}, {"a": 2, "c": 3, "d": 4}, {"a": 5}],
        ),
        ("${{ fromJSON('{\"a\": [1]}') }}", [{"a": 1}]),
    ],
)
def test_a_matrix_is_spread_out_as_at_github(matrix: object, expected: object) -> None:
    assert expected == entries(matrix, Scope())


def test_a_matrix_holds_256_jobs() -> None:
    assert len(entries({"a": list(range(256))}, Scope())) == 256
    with pytest.raises(WorkflowError, match="exceeds the maximum of 256"):
        entries({"a": list(range(257))}, Scope())
