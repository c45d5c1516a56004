"""What a `pip install` of this project brings."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603  (programs of our own)
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_runs_on_a_host_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert tops == {"clawbot", "fleet_control", "clawbot_fleet-0.1.0.dist-info"}


@pytest.mark.parametrize("command", ["clawbot", "fleet-control"])
def test_the_console_scripts_run_from_the_wheel_alone(
    command: str, wheel: Path, tmp_path: Path
) -> None:
    subprocess.run(  # noqa: S603  (programs of our own)
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--target", str(tmp_path), str(wheel)),
        ],
        check=True,
    )

    shown = subprocess.run(  # noqa: S603  (as above)
        [str(tmp_path / "bin" / command), "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.defpath},
        check=True,
        capture_output=True,
        text=True,
    )

    assert shown.stdout.startswith("usage: ")
