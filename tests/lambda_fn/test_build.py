"""One command builds the zip, the same bytes wherever and whenever it runs."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench import interpreter
from lambda_fn.build import build

ROOT = Path(__file__).resolve().parents[2]
SHARED = (
    "__init__.py",
    "announcement.py",
    "caller.py",
    "deploy_jobs.py",
    "duplicate.py",
    "duration.py",
    "freeze.py",
    "github.py",
    "host_change.py",
    "last_words.py",
    "ledger.py",
    "line.py",
    "policy.py",
    "preflight.py",
    "roll_stop.py",
    "run_row.py",
    "run_title.py",
    "seed.py",
    "state_lock.py",
    "table_item.py",
    "verdict.py",
)


def run(out: Path, cwd: Path = ROOT, umask: int = 0o022, **environ: str) -> bytes:
    command = [sys.executable, "-I", "-S", "-c", MAIN, str(cwd), str(umask), str(out)]
    environ["PATH"] = os.environ["PATH"]
    subprocess.run(command, check=True, env=environ, cwd=out.parent)  # noqa: S603  (our own words)
    return out.read_bytes()


def copy(room: Path, place: Path) -> None:
    """Its sources; what other tests compile there comes and goes meanwhile."""
    shutil.copytree(room, place, ignore=shutil.ignore_patterns("__pycache__"))


MAIN = """
import os, runpy, sys
root, umask, out = sys.argv[1:]
os.umask(int(umask))
sys.path.insert(0, root)
sys.argv[1:] = [out]
runpy.run_module("lambda_fn.build", run_name="__main__")
"""


def test_it_is_the_same_from_any_checkout(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for path in [ROOT / "lambda_fn", ROOT / "skills" / "fleet_control"]:
        copy(path, elsewhere / path.relative_to(ROOT))
    for path in elsewhere.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        path.chmod(0o600)
        os.utime(path, (0, 0))

    here = run(tmp_path / "a.zip")
    there = run(
        tmp_path / "b.zip", elsewhere, 0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="7", LC_ALL="C"
    )

    assert here == there == build(ROOT)


def test_it_is_small_and_holds_our_source_as_it_is() -> None:
    content = build(ROOT)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
        assert all(info.external_attr >> 16 == 0o100644 for info in archive.infolist())
    function = {path.name: path for path in (ROOT / "lambda_fn").glob("*.py")}
    del function["build.py"]
    shared = {name: ROOT / "skills" / "fleet_control" / name for name in SHARED}
    assert held == {
        f"{room}/{name}": path.read_text()
        for room, files in (("lambda_fn", function), ("fleet_control", shared))
        for name, path in files.items()
    }
    assert len(content) <= 88 * 1024


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_builds_the_same(tmp_path: Path, version: str) -> None:
    python = interpreter.find(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    out = tmp_path / "control-api.zip"
    command = [python, "-m", "lambda_fn.build", str(out)]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  (our own words)

    assert out.read_bytes() == build(ROOT)
