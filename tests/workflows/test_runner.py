"""What a run knows of itself, and what it tells GitHub."""

from pathlib import Path

import pytest

from workflows.fleet_deploy.runner import (
    ThisRun,
    first_attempt_only,
    needed,
    read_run,
    say_error,
    write_outputs,
    write_summary,
)
from workflows.fleet_deploy.stopped import Stopped

ENVIRON = {
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_REPOSITORY": "openclaw/clawdinators",
    "GITHUB_WORKFLOW_REF": (
        "openclaw/clawdinators/.github/workflows/fleet-deploy.yml@refs/heads/release/1"
    ),
    "GITHUB_ACTOR": "sam",
    "GITHUB_ACTOR_ID": "583231",
    "GITHUB_TRIGGERING_ACTOR": "kim",
}
RUN = ThisRun(
    42, 1, "openclaw/clawdinators", "fleet-deploy.yml", "release/1", "sam", "583231", "kim"
)


def test_a_run_knows_its_file_and_branch() -> None:
    assert read_run(ENVIRON) == RUN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_RUN_ID", "x"),
        ("GITHUB_RUN_ATTEMPT", ""),
        ("GITHUB_REPOSITORY", "../.."),
        ("GITHUB_ACTOR", ""),
        ("GITHUB_ACTOR_ID", ""),
        ("GITHUB_TRIGGERING_ACTOR", ""),
        ("GITHUB_WORKFLOW_REF", "o/r/.github/workflows/fleet-deploy.yml@refs/tags/v1"),
    ],
)
def test_what_is_not_as_on_a_runner_is_named(name: str, value: str) -> None:
    with pytest.raises(Stopped, match=name):
        read_run(ENVIRON | {name: value})


def test_a_run_that_is_run_again_stops() -> None:
    first_attempt_only(RUN)
    with pytest.raises(Stopped, match=r"attempt 2 of run 42.*Start a new one"):
        first_attempt_only(read_run(ENVIRON | {"GITHUB_RUN_ATTEMPT": "2"}))


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(Stopped, match="A, B"):
        needed({"C": "c"}, "A", "B", "C")


def test_outputs_are_lines(tmp_path: Path) -> None:
    file = tmp_path / "output"
    write_outputs({"GITHUB_OUTPUT": str(file)}, {"image": "ami-1", "target": "all"})

    assert file.read_text() == "image=ami-1\ntarget=all\n"


def test_an_output_can_not_write_another(tmp_path: Path) -> None:
    file = tmp_path / "output"
    with pytest.raises(ValueError, match="image"):
        write_outputs({"GITHUB_OUTPUT": str(file)}, {"image": "ami-1\nroll=[]"})

    assert not file.exists()


def test_where_there_is_no_summary_none_is_written() -> None:
    write_summary({}, "nothing")


def test_an_error_is_one_line_whatever_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    say_error("Bad: a, b", "50 %\n::set-output name=x::y")

    line = "::error title=Bad%3A a%2C b::50 %25%0A::set-output name=x::y\n"
    assert capsys.readouterr().out == line
