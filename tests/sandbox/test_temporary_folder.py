"""A sandbox's folder does not outlive it, and no live sandbox loses its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.temporary_folder import own_folder

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20
OTHER = """
import sys
from pathlib import Path
from sandbox.temporary_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "runs").mkdir()
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(parent: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process with a folder of its own there."""
    with subprocess.Popen(  # noqa: S603  (this interpreter and a script of ours)
        [sys.executable, "-c", OTHER, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            assert process.stdout
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_is_gone_afterwards_with_all_that_is_in_it(tmp_path: Path) -> None:
    def broken_off() -> None:
        with own_folder(tmp_path) as folder:
            (folder / "runs").mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    assert list(tmp_path.iterdir()) == []


def test_one_that_was_killed_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    with another(tmp_path) as (process, left):
        process.kill()
        process.wait(PATIENCE_SECONDS)
    assert (left / "runs").is_dir()

    with own_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_one_that_lives_is_left_alone(tmp_path: Path) -> None:
    with another(tmp_path) as (_, living), own_folder(tmp_path) as folder:
        assert set(tmp_path.iterdir()) == {living, folder}
        assert (living / "runs").is_dir()


def test_what_is_not_a_sandbox_s_is_left_alone(tmp_path: Path) -> None:
    strange = tmp_path / "clawbot-sandbox-notes"
    strange.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "alive").touch()
    (tmp_path / "clawbot-sandbox-link").symlink_to(elsewhere)

    with own_folder(tmp_path):
        pass

    assert strange.is_dir()
    assert (elsewhere / "alive").is_file()
