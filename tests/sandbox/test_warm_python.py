"""A program in the warm `python3` is what it would be in a cold one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fleet_control
from tests.sandbox.warm_python import LIBRARIES, warm_python

PROGRAM = """\
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["WORD"], __name__, sys.stdin.read())
print("aside", file=sys.stderr)
{ends}
"""


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    with warm_python() as one:
        yield one


def ran(python: Path, folder: Path) -> tuple[int, str, str]:
    environ = {"WORD": "hush", "PYTHONPATH": "rooms", "PATH": os.defpath}
    ended = subprocess.run(  # noqa: S603  (a program of ours)
        [python, "-m", "program", "a", "b c"],
        cwd=folder, env=environ, input="given", capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "ends", ["", "sys.exit(7)", "sys.exit('no')", "raise ValueError('broken')", "sys.exit()"]
)
def test_it_hears_says_and_ends_alike(python: Path, tmp_path: Path, ends: str) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms/program.py").write_text(PROGRAM.format(ends=ends))

    assert ran(python, tmp_path) == ran(Path(sys.executable), tmp_path)


def test_its_libraries_are_there_already(python: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import sys; print(*sys.modules)")

    ended = subprocess.run(  # noqa: S603  (a program of ours)
        [python, "-m", "program"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert set(LIBRARIES) <= set(ended.stdout.split())


@pytest.mark.parametrize("changed", [False, True])
def test_our_modules_are_those_that_lie_there(python: Path, tmp_path: Path, changed: bool) -> None:
    """What a run checked out is what it runs, whatever was imported before."""
    there = tmp_path / "skills/fleet_control"
    shutil.copytree(Path(fleet_control.__file__).parent, there)
    if changed:
        (there / "seed.py").write_text("PATHS = ('changed',)")
    (tmp_path / "program.py").write_text(
        "from fleet_control import seed, skew; print(seed.PATHS, seed.__file__, skew.__file__)"
    )

    said = [
        subprocess.run(  # noqa: S603  (a program of ours)
            [one, "-m", "program"], env={"PYTHONPATH": "skills"}, cwd=tmp_path,
            capture_output=True, text=True, check=True,
        ).stdout
        for one in (python, sys.executable)
    ]  # fmt: skip

    assert said[0] == said[1]
    assert said[0].count(str(there)) == 2
    assert ("changed" in said[0]) == changed


def test_only_requirements_that_were_met_are_met(python: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "-r", str(wanted)]
    codes = []
    for name in ("pytest", "pytest", "no-such-package", "no-such-package"):
        wanted.write_text(name)
        codes.append(subprocess.run(command, capture_output=True, check=False).returncode)  # noqa: S603  (pip)

    assert codes == [0, 0, 1, 1]


def test_who_kills_it_kills_what_it_started(python: Path, tmp_path: Path) -> None:
    """The pipe ends once nobody holds it any more."""
    (tmp_path / "program.py").write_text(
        "import subprocess\nprint('begun', flush=True)\nsubprocess.run(['sleep', '600'])\n"
    )
    with subprocess.Popen(  # noqa: S603  (a program of ours)
        [python, "-m", "program"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        process.kill()
        rest, _ = process.communicate(timeout=60)

    assert rest == b""
