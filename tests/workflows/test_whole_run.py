"""Whole runs with the sandbox's engine: what is planned is what happens."""

import asyncio
import json
import shlex
import shutil
import time
from pathlib import Path

import pytest

from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from sandbox.tofu import state
from tests.workflows.conftest import NEW, OLD, OLDEST, LocalRunner
from tests.workflows.fleets import registry_text

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"


@pytest.fixture
def fleet(runner: LocalRunner, python: Path) -> dict[str, str]:
    """Two hosts of the registry and one that left it, by id; the registry asks for a third."""
    engine = runner.folder / "sandbox-tofu"
    path = shlex.quote(f"{ROOT}:{ROOT / 'skills'}")
    command = f"{shlex.quote(str(python))} -m sandbox.tofu"
    engine.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {command} "$@"\n')
    engine.chmod(0o755)
    runner.environ["TOFU"] = str(engine)
    shutil.copytree(ROOT / "tofu/fleet", runner.folder / "tofu/fleet", dirs_exist_ok=True)
    runner.merges(json.loads(registry_text([ONE, TWO, GONE])), time.time() - 86400)
    runner.merges(json.loads(registry_text([ONE, TWO, THREE])), time.time())
    hosts = {id_: runner.launches(id_) for id_ in (ONE, TWO, GONE)}
    remembers(runner, hosts)
    return hosts


def remembers(runner: LocalRunner, machines: dict[str, str]) -> None:
    """What the engine's state knows from now on."""
    bucket = runner.environ["TOFU_STATE_BUCKET"]
    s3 = runner.client("s3")
    s3.create_bucket(
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": runner.environ["AWS_REGION"]},
    )
    s3.put_object(Bucket=bucket, Key=state.STATE_KEY, Body=state.written(machines).encode())
    s3.close()


def test_one_host_is_replaced_the_missing_one_created_and_no_other_touched(
    runner: LocalRunner, fleet: dict[str, str]
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


def test_all_moves_every_host_and_removes_what_left(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    assert runner.deploys(TARGET="all", AMI_OVERRIDE=OLDEST) == 0
    hosts = runner.hosts()

    assert dict.fromkeys((ONE, TWO, THREE), OLDEST) == {
        id_: image for id_, (_, image) in hosts.items()
    }
    assert not {machine for machine, _ in hosts.values()} & set(fleet.values())
    assert f"Removed: `{GONE}`." in runner.summary


def test_all_is_done_beside_machines_that_no_deploy_made_and_names_them(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.registers(ONE, TWO)
    foreign = {name: runner.launches(name) for name in ("old-claw", "Not an id", "")}

    assert runner.deploys(TARGET="all") == 0
    hosts = runner.hosts()

    assert {name: (machine, OLD) for name, machine in foreign.items()} == {
        name: hosts[name] for name in foreign
    }
    assert GONE not in hosts
    assert f"Removed: `{GONE}`." in runner.summary
    assert f"old-claw ({foreign['old-claw']}), not in the registry and unknown" in runner.summary


def test_beside_a_machine_that_nobody_can_place_no_first_host_is_made(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    strange = runner.launches("old-claw")

    assert runner.deploys(TARGET="all") == 1
    assert {*fleet, "old-claw"} == set(runner.hosts())
    assert f"{THREE}, which never had a host, is not made while {strange} (old-claw) runs" in (
        runner.summary
    )
    assert runner.deploys(TARGET=TWO) == 0
    assert {*fleet, "old-claw"} == set(runner.hosts())


def test_an_engine_that_ec2_shows_nothing_makes_no_second_host(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    """It plans to make all four, since it takes for gone what it is not shown."""
    url = runner.environ["AWS_ENDPOINT_URL"]
    asyncio.run(set_rules(url, Rules(blind=("*",))))

    assert runner.deploys(TARGET=TWO) == 1
    asyncio.run(set_rules(url, Rules()))
    assert fleet == {id_: machine for id_, (machine, _) in runner.hosts().items()}
    assert "Nothing was touched: EC2 does not list i-" in runner.summary


def test_a_fleet_that_is_really_gone_is_made_again(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.ec2.terminate_instances(InstanceIds=list(fleet.values()))

    assert runner.deploys(TARGET="all") == 0
    assert {ONE, TWO, THREE} == set(runner.hosts())


def test_a_renamed_instance_is_made_once_all_has_removed_its_old_host(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    renamed = json.loads(registry_text([ONE, TWO, THREE]))
    renamed["clawdinator-two"] = renamed.pop(TWO)
    runner.merges(renamed, time.time())

    assert runner.deploys(TARGET="clawdinator-two") == 1
    assert f"clawdinator-two is not made while {fleet[TWO]} ({TWO}) runs: both would have" in (
        runner.summary
    )
    assert runner.deploys(TARGET=ONE) == 0
    assert TWO in runner.hosts()
    assert "clawdinator-two" not in runner.hosts()

    assert runner.deploys(TARGET="all") == 0
    assert {ONE, THREE, "clawdinator-two"} == set(runner.hosts())
