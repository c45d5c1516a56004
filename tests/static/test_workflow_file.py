"""The workflow files as their linters see them, offline."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from bench.interpreter import claimed
from fleet_control.seed import PATHS

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


def test_ci_runs_the_suite_on_each_python_that_is_claimed() -> None:
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())

    assert ci["jobs"]["claimed"]["strategy"]["matrix"]["python"] == claimed()
    assert (
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
        == f">={claimed()[0]}"
    )


def test_a_merge_waits_for_every_job_of_ci() -> None:
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    named = ci["claimed"]["name"].replace("${{ matrix.python }}", "{}")
    required = re.search(r'"contexts": (\[.*?\])', (ROOT / "docs/set-up.md").read_text())
    assert required

    assert json.loads(required[1]) == [
        ci["test"]["name"],
        ci["evaluate"]["name"],
        *map(named.format, claimed()),
    ]


def test_a_push_of_what_a_seed_holds_and_of_nothing_else_starts_an_image_build() -> None:
    # BaseLoader keeps `on` a word.
    text = (ROOT / ".github/workflows/image-build.yml").read_text()
    file = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (makes strings only)
    folders = [path for path in PATHS if (ROOT / path).is_dir()]

    assert file["on"]["push"]["paths"] == [
        f"{path}/**" if path in folders else path for path in PATHS
    ]
    assert folders == ["nix", "clawbot", "skills"]
