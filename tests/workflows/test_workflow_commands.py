"""What others wrote stays words on the runner, whatever it looks like; only we give commands."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from fleet_control.archive import File
from fleet_control.seed_check import REGISTRY
from sandbox.job_log import JobLog
from tests.workflows.conftest import NEW, LocalRunner
from tests.workflows.fleets import registry_text
from tests.workflows.plans import replaced
from workflows.fleet_deploy.runner import commands_stopped
from workflows.fleet_deploy.seed_upload import Seed
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build import __main__ as image_build
from workflows.image_build import nix_image

TWO = "clawdinator-2"
# As the engine repeats them from a tag's value, and AWS from whatever it was told.
EVIL = ("::set-output name=roll::[]", "::error title=Done::All is well", "  ::add-mask::a")


def obeyed(said: str) -> list[str]:
    """What a runner does of all that a step wrote, besides keeping it."""
    lines: list[str] = []
    log = JobLog(lines, time.time)
    for line in said.splitlines():
        log.hear(line)
    return [line.partition(" ")[2] for line in lines if "##[" in line]


def shell(lines: Iterable[str], to: str = "") -> str:
    return "".join(f"echo '{line}' {to}\n" for line in lines)


@pytest.mark.parametrize("to", ["", ">&2"])
@pytest.mark.parametrize("command", ["init", "plan", "show"])
def test_nothing_that_the_engine_writes_is_a_command(
    runner: LocalRunner, capfd: pytest.CaptureFixture[str], command: str, to: str
) -> None:
    runner.registers(TWO)
    runner.launches(TWO)
    runner.environ["TOFU"] = str(runner.folder / "evil")
    state = json.dumps({"format_version": "1.0"})
    script = f"if [ $2 = {command} ]; then\n{shell(EVIL, to)}exit 1\nfi\necho '{state}'\n"
    (runner.folder / "evil").write_text(f"#!/bin/sh\n{script}")
    (runner.folder / "evil").chmod(0o755)

    assert runner.does("plan") == 1
    said, beside = capfd.readouterr()
    assert beside == ""
    assert obeyed(said) == [f"##[error]OpenTofu's {command} failed: exit 1, see the log."]


def test_nothing_that_nix_writes_is_a_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = File(registry_text([TWO]).encode())
    seed = Seed("0" * 40, {"flake.lock": File(b"{}"), REGISTRY: registry})
    words = "\n".join(EVIL)
    program = f"import sys; print({words!r}); print({words!r}, file=sys.stderr); sys.exit(1)"

    with commands_stopped(), pytest.raises(Stopped):
        nix_image.build(seed, tmp_path, (sys.executable, "-c", program))

    said, beside = capfd.readouterr()
    assert beside == ""
    assert said.count(words) == 2
    assert obeyed(said) == []


def test_what_the_run_itself_has_to_say_is_obeyed_and_nothing_else_is_heard(
    runner: LocalRunner, capfd: pytest.CaptureFixture[str]
) -> None:
    runner.registers(TWO)
    runner.launches("gone")
    seen = runner.launches(TWO)
    runner.plans(replaced(TWO, image=NEW, before={"id": seen}))

    assert runner.does("plan") == 0
    first, *words = capfd.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    over = words.index(f"::{token}::")
    assert [word for word in words[:over] if word.startswith("::")] == []
    assert all(word.startswith("::notice title=") for word in words[over + 1 :])
    assert words[-1].startswith("::notice title=Left alone::gone, ")


def test_each_time_the_word_that_ends_it_is_another(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with commands_stopped():
            pass

    first, _, second, _ = capfd.readouterr().out.splitlines()
    assert first != second
    assert len(json.dumps(first)) > 40


def test_a_broken_image_build_says_so_and_its_traceback_stays_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {"AWS_REGION": "no\nregion", "IMAGE_BUCKET": "b", "GITHUB_SHA": "c"}

    assert image_build.main(environ, tmp_path) == 1
    said, _ = capfd.readouterr()
    assert said.splitlines()[-2] == f"::{said.splitlines()[0].removeprefix('::stop-commands::')}::"
    assert said.splitlines()[-1].startswith("::error title=")
