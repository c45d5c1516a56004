"""The workflow files as their linters see them, offline."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "linter",
    [
        ("actionlint", "-no-color"),
        ("zizmor", "--offline", "--no-progress", "--persona=pedantic", "--strict-collection"),
    ],
    ids=lambda linter: str(linter[0]),
)
def test_linters_find_nothing(linter: tuple[str, ...]) -> None:
    program, *options = linter
    done = subprocess.run(  # noqa: S603  (fixed)
        [PROGRAMS / program, *options, *FILES], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
