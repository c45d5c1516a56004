"""Whole runs with the sandbox's engine: what is planned is what happens."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from sandbox.tofu import MARK
from tests.workflows.conftest import NEW, OLD, OLDEST, Runner

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"


@pytest.fixture
def fleet(runner: Runner) -> dict[str, str]:
    """Two hosts of the registry and one that left it, by id; the registry asks for a third."""
    engine = runner.folder / "sandbox-tofu"
    path = shlex.quote(f"{ROOT}:{ROOT / 'skills'}")
    command = f"{shlex.quote(sys.executable)} -m sandbox.tofu"
    engine.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {command} "$@"\n')
    engine.chmod(0o755)
    runner.environ["TOFU"] = str(engine)
    shutil.copytree(ROOT / "tofu/fleet", runner.folder / "tofu/fleet", dirs_exist_ok=True)
    runner.registers(ONE, TWO, THREE)
    return {id_: runner.launches(id_, marks=MARK) for id_ in (ONE, TWO, GONE)}


def test_one_host_is_replaced_the_missing_one_created_and_no_other_touched(
    runner: Runner, fleet: dict[str, str]
) -> None:
    assert runner.deploys(TARGET=TWO) == 0
    hosts = runner.hosts()

    assert {id_: image for id_, (_, image) in hosts.items()} == {
        ONE: OLD,
        TWO: NEW,
        THREE: NEW,
        GONE: OLD,
    }
    assert {ONE, GONE} == {id_ for id_, machine in fleet.items() if hosts[id_][0] == machine}


def test_all_moves_every_host_and_removes_what_left(runner: Runner, fleet: dict[str, str]) -> None:
    assert runner.deploys(TARGET="all", AMI_OVERRIDE=OLDEST) == 0
    hosts = runner.hosts()

    assert dict.fromkeys((ONE, TWO, THREE), OLDEST) == {
        id_: image for id_, (_, image) in hosts.items()
    }
    assert not {machine for machine, _ in hosts.values()} & set(fleet.values())
    assert f"Removed: `{GONE}`." in runner.summary


def test_all_is_done_beside_machines_that_no_deploy_made_and_names_them(
    runner: Runner, fleet: dict[str, str]
) -> None:
    foreign = {name: runner.launches(name) for name in ("old-claw", "Not an id", "")}

    assert runner.deploys(TARGET="all") == 0
    hosts = runner.hosts()

    assert {name: (machine, OLD) for name, machine in foreign.items()} == {
        name: hosts[name] for name in foreign
    }
    assert GONE not in hosts
    assert f"Removed: `{GONE}`." in runner.summary
    assert f"old-claw ({foreign['old-claw']}), not in the registry and unknown" in runner.summary
