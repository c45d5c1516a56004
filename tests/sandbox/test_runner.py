"""Jobs run as on GitHub's runners: needs, outputs, matrices, steps, their files and their log."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from clawbot.sandbox.expression import Scope
from clawbot.sandbox.job_log import JobLog
from clawbot.sandbox.matrix import entries
from clawbot.sandbox.workflow_error import WorkflowError
from tests.clock import TurnedClock
from tests.sandbox.workflows import HEAD, ONE_JOB, github_of, steps


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Where a step says that it has come so far: who reads it waits."""
    path = tmp_path / "told"
    os.mkfifo(path)
    return path


class Witness:
    """Reads a pipe that a script holds open: its end comes once nobody is left who holds it."""

    def __init__(self, pipe: Path) -> None:
        self._pipe = pipe

    async def hears(self) -> str:
        """The first line: the script has come so far."""
        self._file = await asyncio.to_thread(self._pipe.open)
        return (await asyncio.to_thread(self._file.readline)).strip()

    async def sees_the_end(self) -> bool:
        async with asyncio.timeout(20):
            rest = await asyncio.to_thread(self._file.read)
        self._file.close()
        return rest == ""


# Steps


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


async def test_what_a_step_left_running_ends_with_it(tmp_path: Path, pipe: Path) -> None:
    file = steps(f"run: |\n  exec 9> {pipe}\n  echo up >&9\n  sleep 1000 &")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        witness = Witness(pipe)

        assert await witness.hears() == "up"
        assert (await github.ended(run_id))["conclusion"] == "success"
        assert await witness.sees_the_end()


async def test_a_job_that_takes_too_long_is_cancelled(tmp_path: Path, pipe: Path) -> None:
    clock = TurnedClock()
    file = steps(f"run: echo > {pipe}; sleep 1000", job="    timeout-minutes: 5")
    async with github_of(file, tmp_path, clock=clock) as github:
        run_id = await github.dispatch()
        await asyncio.to_thread(pipe.read_text)
        await clock.turn(299)
        before = (await github.run(run_id))["status"]
        await clock.turn(1)
        run = await github.ended(run_id)

        assert (before, run["conclusion"]) == ("in_progress", "cancelled")
        assert github.said(run_id) == [
            "##[error]The job has exceeded the maximum execution time of 5 minutes.",
            "##[error]The operation was canceled.",
        ]


# The log


async def test_a_log_reads_as_githubs(tmp_path: Path) -> None:
    file = steps(
        "name: Say it\nenv: {A: b}\nrun: |\n"
        '  echo "::error title=No, sir::It is%0Aill, 100%25"\n  exit 3'
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        lines = github.record(run_id).jobs[0].log

        assert github.log(run_id) == [
            "##[group]Say it",
            '\x1b[36;1mecho "::error title=No, sir::It is%0Aill, 100%25"\x1b[0m',
            "\x1b[36;1mexit 3\x1b[0m",
            "env:",
            "  TARGET: all",
            "  A: b",
            "##[endgroup]",
            "##[error]It is",
            "ill, 100%",
            "##[error]Process completed with exit code 3.",
        ]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", line) for line in lines)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::warning file=a.py,line=1::b", ["##[warning]b"]),
        ("::notice title=T::n", ["##[notice]n"]),
        ("  ::group::g", ["##[group]g"]),
        ("::endgroup::", ["##[endgroup]"]),
        ("::debug::d", []),
        ("::unheard-of::x", ["::unheard-of::x"]),
        ("a ::error::b", ["a ::error::b"]),
        ("::set-output name=a::b", ["##[error]I don't play the workflow command `set-output`"]),
    ],
)
def test_workflow_commands_are_obeyed(line: str, shown: list[str]) -> None:
    lines: list[str] = []
    JobLog(lines, lambda: 0.0).hear(line)

    assert shown == [one.partition(" ")[2] for one in lines]


async def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    file = steps(
        "run: echo 'it is ${{ secrets.KEY }}, ${{ github.token }}, ${{ secrets.GITHUB_TOKEN }}'",
        "run: |\n  echo '::add-mask::open sesame'\n  echo open sesame",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        log = "\n".join(github.log(run_id))

        assert github.said(run_id) == ["it is ***, ***, ***", "***"]
    assert "hush-hush" not in log
    assert "ghs_" not in log


async def test_a_long_line_and_one_without_an_end_are_whole(tmp_path: Path) -> None:
    step = "run: python3 -c \"print('x' * 300000); print('é', end='')\""
    async with github_of(steps(step), tmp_path) as github:
        assert await github.outcome() == ("success", ["x" * 300000, "é"])


# Jobs

MATRIX = (
    HEAD
    + """
  plan:
    runs-on: ubuntu-24.04
    outputs:
      roll: ${{ steps.roll.outputs.roll }}
    steps:
      - id: roll
        run: echo 'roll=[{"id":"a"},{"id":"b"},{"id":"c"}]' >> "$GITHUB_OUTPUT"
  host:
    name: host ${{ matrix.id }}
    needs: plan
    runs-on: ubuntu-24.04
    strategy:
      max-parallel: 1
      matrix:
        include: ${{ fromJSON(needs.plan.outputs.roll) }}
    steps:
      - name: One
        env:
          ID: ${{ matrix.id }}
        run: |
          echo "host $ID, ${{ strategy.job-index }} of ${{ strategy.job-total }}"
          echo "did $ID" >> "$GITHUB_STEP_SUMMARY"
          if [ "$ID" = "$TARGET" ]; then exit 3; fi
  finish:
    needs: [plan, host]
    if: inputs.who == 'sam'
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ needs.host.result }}
"""
)


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
    tmp_path: Path, pipe: Path
) -> None:
    file = MATRIX.replace('echo "host $ID', f'cat {pipe}; echo "host $ID')
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
    tmp_path: Path, pipe: Path
) -> None:
    file = steps(
        f"run: if [ ${{{{ matrix.n }}}} = 1 ]; then cat {pipe}; else echo met > {pipe}; fi",
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


# Cancel


async def test_a_cancel_kills_what_runs_and_lets_always_finish(tmp_path: Path, pipe: Path) -> None:
    file = steps(
        f"run: |\n  exec 9> {pipe}\n  echo up >&9\n  sleep 1000",
        "run: echo no",
        "run: echo ${{ job.status }}\nif: always()",
        "run: echo after the cancel\nif: cancelled()",
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        witness = Witness(pipe)
        await witness.hears()
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/cancel")
        run = await github.ended(run_id)

        assert await witness.sees_the_end()
        assert github.said(run_id) == [
            "##[error]The operation was canceled.",
            "cancelled",
            "after the cancel",
        ]
    assert (status, run["conclusion"]) == (202, "cancelled")


async def test_after_a_cancel_no_further_job_begins(tmp_path: Path, pipe: Path) -> None:
    file = MATRIX.replace('echo "host $ID', f'echo up > {pipe}; sleep 1000; echo "host $ID')
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        await asyncio.to_thread(pipe.read_text)
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        await github.ended(run_id)

        assert await github.conclusions(run_id) == {
            "plan": "success",
            "host a": "cancelled",
            "host b": "cancelled",
            "host c": "cancelled",
            "finish": "cancelled",
        }


async def test_a_stop_kills_what_runs_and_removes_what_it_had(tmp_path: Path, pipe: Path) -> None:
    file = steps(f"run: exec 9> {pipe}; echo up >&9; sleep 1000")
    witness = Witness(pipe)
    async with github_of(file, tmp_path) as github:
        await github.dispatch()
        await witness.hears()

    assert await witness.sees_the_end()


async def test_a_file_is_what_it_was_when_its_run_began(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        (tmp_path / "small.yml").write_text(ONE_JOB.replace("target is", "changed"))
        github.github.release()
        await github.ended(run_id)

        assert github.said(run_id) == ["target is all"]
