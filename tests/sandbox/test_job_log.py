"""A job's log reads as GitHub's."""

import re
from pathlib import Path

import pytest

from sandbox.job_log import JobLog
from tests.sandbox.workflows import github_of, steps


async def test_a_log_reads_as_githubs(tmp_path: Path) -> None:
    file = steps(
        "env: {A: '${{ github.token }}'}\nrun: |\n"
        '  echo "::error title=No, sir::It is%0Aill, 100%25"\n  exit 3'
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        lines = github.record(run_id).jobs[0].log

        assert github.log(run_id) == [
            '##[group]Run echo "::error title=No, sir::It is%0Aill, 100%25"',
            '\x1b[36;1mecho "::error title=No, sir::It is%0Aill, 100%25"\x1b[0m',
            "\x1b[36;1mexit 3\x1b[0m",
            "env:",
            "  TARGET: all",
            "  WHO: ",
            "  A: ***",
            "##[endgroup]",
            "##[error]It is",
            "ill, 100%",
            "##[error]Process completed with exit code 3.",
        ]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", line) for line in lines)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  ::error file=a.py,line=1::b", ["##[error]b"]),
        ("::notice title=T::n", ["##[notice]n"]),
        ("a ::error::b", ["a ::error::b"]),
        ("::set-output name=a::b", ["##[error]I don't play the workflow command `set-output`"]),
    ],
)
def test_workflow_commands_are_obeyed(line: str, shown: list[str]) -> None:
    lines: list[str] = []
    JobLog(lines, lambda: 0.0).hear(line)

    assert shown == [one.partition(" ")[2] for one in lines]


async def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    file = steps("run: echo \"it is $TOKEN\"\nenv: {TOKEN: '${{ github.token }}'}")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        log = "\n".join(github.log(run_id))

        assert github.said(run_id) == ["it is ***"]
    assert "ghs_" not in log


def test_of_two_secrets_the_longer_leaves_no_rest() -> None:
    log = JobLog([], lambda: 0.0)
    log.mask(["open", "open sesame", ""])

    assert log.masked("open, open sesame") == "***, ***"


async def test_a_long_line_and_one_without_an_end_are_whole(tmp_path: Path) -> None:
    step = "run: python3 -c \"print('x' * 300000); print('é', end='')\""
    async with github_of(steps(step), tmp_path) as github:
        assert await github.outcome() == ("success", ["x" * 300000, "é"])
