"""A step sees what it sees on GitHub's runners, and hands on what it may."""

from pathlib import Path

import pytest

from tests.clock import TurnedClock
from tests.sandbox.witness import Witness
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


async def test_the_event_is_there_to_read(tmp_path: Path) -> None:
    step = 'run: python3 -m json.tool --compact --sort-keys "$GITHUB_EVENT_PATH"'
    async with github_of(steps(step), tmp_path) as github:
        _, (event,) = await github.outcome(who="sam")

    assert event.startswith('{"inputs":{"target":"all","who":"sam"},"ref":"refs/heads/main"')


@pytest.mark.parametrize(
    ("shell", "conclusion"), [("", "success"), ("shell: bash", "failure"), ("shell: sh", "success")]
)
async def test_only_a_shell_that_is_asked_for_fails_within_a_pipe(
    shell: str, conclusion: str, tmp_path: Path
) -> None:
    async with github_of(steps(f"run: false | true\n{shell}"), tmp_path) as github:
        assert (await github.outcome())[0] == conclusion


async def test_a_script_ends_at_its_first_failure(tmp_path: Path) -> None:
    async with github_of(steps("run: |\n  echo a\n  (exit 3)\n  echo b"), tmp_path) as github:
        assert await github.outcome() == (
            "failure",
            ["a", "##[error]Process completed with exit code 3."],
        )


async def test_environments_lie_upon_each_other(tmp_path: Path) -> None:
    file = steps(
        "run: echo $TARGET $A $B $C\nenv: {C: step, B: step}",
        'run: echo "B=told" >> "$GITHUB_ENV"',
        "name: env is ${{ env.B }}\nrun: echo $A $B ${C-none}",
        job="    env: {A: job, B: job, C: job}",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        (job,) = (await github.jobs(run_id)).values()

        assert github.said(run_id) == ["all job step step", "job told job"]
        assert [step["name"] for step in job["steps"]] == [
            "Set up job",
            "Run echo $TARGET $A $B $C",
            'Run echo "B=told" >> "$GITHUB_ENV"',
            "env is told",
            "Complete job",
        ]


async def test_a_step_hands_on_outputs_variables_and_path(tmp_path: Path) -> None:
    file = steps(
        """
id: one
run: |
  echo "short=a=b" >> "$GITHUB_OUTPUT"
  printf 'long<<END\\nx\\ny\\nEND\\n' >> "$GITHUB_OUTPUT"
  printf 'MANY<<E\\n1\\n2\\nE\\n' >> "$GITHUB_ENV"
  mkdir "$RUNNER_TEMP/bin" && printf '#!/bin/sh\\necho hi' > "$RUNNER_TEMP/bin/greet"
  chmod +x "$RUNNER_TEMP/bin/greet" && echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
""",
        "run: |\n  greet\n  echo \"$MANY\"\n  echo '${{ steps.one.outputs.short }}'\n"
        "  echo '${{ steps.one.outputs.long }}'\n  echo '${{ toJSON(steps.one.outcome) }}'",
    )
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == (
            "success",
            ["hi", "1", "2", "a=b", "x", "y", '"success"'],
        )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "##[error]Invalid format 'nonsense'"),
        ("a<<END", "##[error]Invalid value. Matching delimiter not found 'END'"),
    ],
)
async def test_an_output_of_another_form_fails_its_step(
    line: str, said: str, tmp_path: Path
) -> None:
    step = f"run: echo '{line}' >> \"$GITHUB_OUTPUT\""
    async with github_of(steps(step), tmp_path) as github:
        assert await github.outcome() == ("failure", [said])


async def test_working_directory_and_shell_have_defaults(tmp_path: Path) -> None:
    file = steps(
        "run: mkdir sub\nworking-directory: .",
        "run: basename $(pwd); false | true",
        job="    defaults: {run: {working-directory: sub, shell: bash}}",
    )
    async with github_of(file, tmp_path) as github:
        conclusion, said = await github.outcome()

    assert (conclusion, said[0]) == ("failure", "sub")


async def test_a_folder_that_is_not_there_fails_its_step(tmp_path: Path) -> None:
    async with github_of(steps("run: pwd\nworking-directory: none"), tmp_path) as github:
        conclusion, (said,) = await github.outcome()

    assert conclusion == "failure"
    assert "No such file or directory" in said


async def test_steps_run_by_their_if(tmp_path: Path) -> None:
    file = steps(
        "id: a\nrun: exit 1",
        "run: echo unasked",
        "run: echo ${{ steps.a.outcome }} ${{ job.status }}\nif: failure()",
        "run: echo always\nif: always()",
        "run: echo never\nif: ${{ always() && inputs.who == 'sam' }}",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        (job,) = (await github.jobs(run_id)).values()

        assert github.said(run_id)[1:] == ["failure failure", "always"]
        assert [step["conclusion"] for step in job["steps"]] == [
            "success",
            "failure",
            "skipped",
            "success",
            "success",
            "skipped",
            "success",
        ]


async def test_what_a_step_left_running_ends_with_it(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    file = steps(f"run: |\n  exec 9> {witness.pipe}\n  echo up >&9\n  sleep 1000 &")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()

        assert await witness.watches() == "up"
        assert (await github.ended(run_id))["conclusion"] == "success"
        assert await witness.sees_the_end()


async def test_a_job_that_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    clock = TurnedClock()
    file = steps(f"run: echo > {witness.pipe}; sleep 1000", job="    timeout-minutes: 5")
    async with github_of(file, tmp_path, clock=clock) as github:
        run_id = await github.dispatch()
        await witness.hears()
        await clock.turn(299)
        before = (await github.run(run_id))["status"]
        await clock.turn(1)
        run = await github.ended(run_id)

        assert (before, run["conclusion"]) == ("in_progress", "cancelled")
        assert github.said(run_id) == [
            "##[error]The job has exceeded the maximum execution time of 5 minutes.",
            "##[error]The operation was canceled.",
        ]
