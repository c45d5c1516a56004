"""A step sees what it sees on GitHub's runners, and hands on what it may."""

from pathlib import Path

import pytest

from tests.clock import TurnedClock
from tests.sandbox.script_pipe import ScriptPipe
from tests.sandbox.workflows import github_of, steps


async def test_a_step_sees_a_runner_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "seen")
    script = (
        'echo "$GITHUB_REF $GITHUB_RUN_ATTEMPT $CI $RUNNER_OS $OURS $GITHUB_JOB ${SECRET_OF_OURS-}"'
    )
    async with github_of(steps(f"run: {script}"), tmp_path) as github:
        assert await github.outcome() == ("success", ["refs/heads/main 1 true Linux yes only "])


async def test_python_is_ours(tmp_path: Path) -> None:
    step = 'run: python3 -c "import aiohttp, sys; print(sys.version_info >= (3, 11))"'
    async with github_of(steps(step), tmp_path) as github:
        assert await github.outcome() == ("success", ["True"])


async def test_home_and_temp_are_the_jobs_own_and_go_with_it(tmp_path: Path) -> None:
    step = 'run: echo x > "$HOME/a" && echo x > "$RUNNER_TEMP/b" && pwd && echo "$GITHUB_WORKSPACE"'
    async with github_of(steps(step), tmp_path) as github:
        _, (here, workspace) = await github.outcome()
        left = list((tmp_path / "runs").iterdir())

    assert (here, left) == (workspace, [])
    assert here.startswith(str(tmp_path / "runs"))


async def test_a_script_ends_at_its_first_failure_and_the_job_with_it(tmp_path: Path) -> None:
    file = steps("run: |\n  false | true\n  echo a\n  (exit 3)\n  echo b", "run: echo unasked")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        (job,) = (await github.jobs(run_id)).values()

        assert github.said(run_id) == ["a", "##[error]Process completed with exit code 3."]
    assert [(step["name"], step["conclusion"]) for step in job["steps"]] == [
        ("Set up job", "success"),
        ("step 0", "failure"),
        ("step 1", "skipped"),
        ("Complete job", "success"),
    ]


async def test_a_step_for_a_failure_is_done_after_one_and_mends_nothing(tmp_path: Path) -> None:
    says = "if: failure() && steps.one.outputs.a != ''\nrun: echo said"
    fails = 'id: one\nrun: echo a=x >> "$GITHUB_OUTPUT"; exit $TARGET'
    silent = "id: one\nrun: exit $TARGET"
    for first, target, told in ((fails, "1", True), (silent, "1", False), (fails, "0", False)):
        folder = tmp_path / f"{told}{len(first)}{target}"
        folder.mkdir()
        async with github_of(steps(first, says), folder) as github:
            run_id = await github.dispatch(target=target)
            end = (await github.ended(run_id))["conclusion"]
            assert end == ("failure" if target == "1" else "success")
            assert ("said" in github.said(run_id)) is told


async def test_a_steps_own_environment_lies_upon_the_files(tmp_path: Path) -> None:
    file = steps(
        "id: one\nrun: echo 'a=x=y' >> \"$GITHUB_OUTPUT\"; echo $TARGET",
        "run: echo $TARGET $B\nenv: {TARGET: '${{ steps.one.outputs.a }}'}",
        "run: echo $TARGET ${B-none}\nenv: {B: '${{ steps.one.outputs.none }}'}",
    )
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == ("success", ["all", "x=y", "all"])


@pytest.mark.parametrize("line", ["nonsense", "a<<END", "a<<E=x", "=x"])
async def test_an_output_of_another_form_fails_its_step(line: str, tmp_path: Path) -> None:
    step = f"run: echo '{line}' >> \"$GITHUB_OUTPUT\""
    async with github_of(steps(step), tmp_path) as github:
        assert await github.outcome() == (
            "failure",
            [f"##[error]Invalid format '{line}': I know lines of name=value only"],
        )


async def test_what_a_step_left_running_ends_with_it(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    file = steps(f"run: |\n  exec 9> {witness.pipe}\n  echo up >&9\n  sleep 1000 &")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()

        assert await witness.watches() == "up"
        assert (await github.ended(run_id))["conclusion"] == "success"
        assert await witness.sees_the_end()


async def test_a_job_that_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    clock = TurnedClock()
    file = steps(f"run: echo > {witness.pipe}; sleep 1000", timeout_minutes="5")
    async with github_of(file, tmp_path, clock=clock) as github:
        run_id = await github.dispatch()
        await witness.hears()
        await clock.turn(299)
        assert (await github.run(run_id))["status"] == "in_progress"
        assert github.said(run_id) == []
        await clock.turn(1)

        assert (await github.ended(run_id))["conclusion"] == "cancelled"
        assert github.said(run_id) == [
            "##[error]The job has exceeded the maximum execution time of 5 minutes.",
            "##[error]The operation was canceled.",
        ]
