"""One command builds the zip, the same bytes wherever and whenever it runs."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench import interpreter
from lambda_fn.build import MOST_BYTES, build, sources
from lambda_fn.lean import lean

ROOT = Path(__file__).resolve().parents[2]


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


def test_it_is_small_and_holds_what_the_function_needs(tmp_path: Path) -> None:
    out = tmp_path / "control-api.zip"
    out.write_bytes(build(ROOT))

    assert out.stat().st_size <= MOST_BYTES == 24 * 1024
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        assert all(info.external_attr >> 16 == 0o100644 for info in archive.infolist())
        assert archive.testzip() is None
    assert {name for name in names if name.startswith("fleet_control")} == {
        f"fleet_control/{module}.py" for module in ("__init__", "caller", "ledger", "policy")
    }
    assert "lambda_fn/handler.py" in names
    assert not {"lambda_fn/build.py", "lambda_fn/lean.py"} & set(names)


def test_it_carries_nothing_that_only_others_use() -> None:
    trees = [ast.parse(path.read_text()) for _, path in sources(ROOT)]
    defined = {
        one.name
        for tree in trees
        for one in tree.body
        if isinstance(one, ast.FunctionDef | ast.ClassDef)
    }
    used = {
        getattr(node, "id", None) or getattr(node, "attr", None)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }

    assert defined - used == {"handler"}


def test_a_wheels_layout_builds_the_same(tmp_path: Path) -> None:
    copy(ROOT / "lambda_fn", tmp_path / "lambda_fn")
    copy(ROOT / "skills" / "fleet_control", tmp_path / "fleet_control")

    assert build(tmp_path) == build(ROOT)


def test_one_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    copy(ROOT / "lambda_fn", tmp_path / "lambda_fn")
    copy(ROOT / "skills" / "fleet_control", tmp_path / "fleet_control")
    noise = os.urandom(12000).hex()
    (tmp_path / "lambda_fn" / "noise.py").write_text(f'NOISE = "{noise}"\n')

    with pytest.raises(ValueError, match="it may have 24576"):
        build(tmp_path)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_builds_the_same(tmp_path: Path, version: str) -> None:
    python = interpreter.find(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    out = tmp_path / "control-api.zip"
    command = [python, "-m", "lambda_fn.build", str(out)]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  (our own words)

    assert out.read_bytes() == build(ROOT)


def test_what_is_lean_has_the_same_statements() -> None:
    source = '''
"""What this is."""

from __future__ import annotations

import json
import os  # never used
from typing import Any, NamedTuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT: dict[str, int] = {}  # a comment


class Pair(NamedTuple):
    """Two."""

    left: int = 1
    right: str = "# not a comment"


class Named(NamedTuple):
    """One, with a face."""

    name: str

    def __str__(self) -> str:
        return self.name


class Empty(Exception):
    """Nothing else."""


def join(
    path: Path, *parts: Any, sep: str = ", "
) -> dict[str, Any]:
    """Join."""
    text: str = f"{sep.join(parts)} {{kept}} {path!r:>4}"  # why
    return {
        "text": text, "pair": not Pair(1) in [],
        "json": json.dumps("""a
    b"""),
    }
'''
    assert (
        lean(source)
        == '''\
from __future__ import annotations
import json
from collections import namedtuple
KEPT={}
Pair=namedtuple("Pair","left right",defaults=(1,"# not a comment",))
class Named(namedtuple("Named","name")):
 def __str__(self):
  return self.name
class Empty(Exception):
 0
def join(path,*parts,sep=", "):
 text=f"{sep.join(parts)} {{kept}} {path!r:>4}"
 return{"text":text,"pair":not Pair(1)in[],"json":json.dumps("""a
    b"""),}
'''
    )


def test_every_source_is_still_a_program() -> None:
    for name, path in sources(ROOT):
        compile(lean(path.read_text()), name, "exec")
