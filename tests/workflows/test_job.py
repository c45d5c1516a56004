"""What each job begins with: a registry that can be followed, or a sentence that says why not."""

import shutil
from pathlib import Path

import pytest

from tests.workflows.conftest import LocalRunner

FILE = "nix/instances.json"


def _is_not_there(file: Path) -> None:
    file.unlink(missing_ok=True)


def _is_a_folder(file: Path) -> None:
    file.mkdir()


def _is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00{")


def _is_cut_off(file: Path) -> None:
    file.write_text('{"clawdinator-1": {')


def _is_empty(file: Path) -> None:
    file.write_text("{}")


def _names_all(file: Path) -> None:
    file.write_text('{"all": {}}')


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_is_not_there, "it can't be read (No such file or directory)."),
        (_is_a_folder, "it can't be read (Is a directory)."),
        (_is_no_text, "it is not valid: it is not "),
        (_is_cut_off, "it is not valid: it is not JSON ("),
        (_is_empty, "it is not valid: it is empty; an empty fleet would remove every host."),
        (_names_all, "it is not valid: `all` is not an id"),
    ],
)
def test_a_registry_that_can_not_be_followed_is_named(
    runner: LocalRunner, capsys: pytest.CaptureFixture[str], job: str, spoil: object, why: str
) -> None:
    assert callable(spoil)
    spoil(runner.folder / FILE)
    said = f"Mend {FILE} on the branch, then start a new deploy: at this commit {why}"

    assert runner.does(job, INSTANCE="clawdinator-1") == 1
    assert f"## Stopped: Bad registry\n\n{said}" in runner.summary
    assert f"::error title=Bad registry::{said}" in capsys.readouterr().out
    assert runner.commands == []


def test_one_without_its_folder_is_named_too(runner: LocalRunner) -> None:
    shutil.rmtree(runner.folder / "nix")

    assert runner.does("plan") == 1
    assert f"Mend {FILE} on the branch" in runner.summary
