"""Bad days with the real engine: no host is gone, no second one is made, and it is said why."""

import asyncio
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.host_rules import Rules
from sandbox.moto import set_rules
from sandbox.principal import REGION
from tests.engine.site import NEW, ONE, THREE, TWO, Site
from tests.workflows.fleets import registry_text

RENAMED = "clawdinator-two"
ENGINES_KEY = "AKIAENGINESOWNKEY000"


@contextmanager
def blind(site: Site, *keys: str) -> Iterator[None]:
    """EC2 shows no host to these."""
    asyncio.run(set_rules(site.url, Rules(blind=keys or ("*",))))
    try:
        yield
    finally:
        asyncio.run(set_rules(site.url, Rules()))


def plan(site: Site, **asked: str) -> dict[str, str]:
    """What `plan` hands to the jobs after it."""
    Path(site.runner.environ["GITHUB_OUTPUT"]).unlink(missing_ok=True)
    assert site.runner.does("plan", **asked) == 0
    return site.runner.handed


def test_a_type_that_there_is_not_costs_no_host(site: Site) -> None:
    before = site.settles()
    site.registers(ONE, TWO, THREE, clawdinator_2="t3.lagre")

    assert site.deploys(TARGET=TWO) == 1
    assert before == site.runner.hosts()
    assert f"Nothing was touched: {TWO} would not start: eu-central-1" in site.runner.summary
    assert "offers no `t3.lagre`, did you mean `t3.large`?" in site.runner.summary


def test_a_type_of_another_architecture_costs_no_host(site: Site) -> None:
    before = site.settles()
    site.registers(ONE, TWO, THREE, clawdinator_2="t4g.large")

    assert site.deploys(TARGET=TWO) == 1
    assert before == site.runner.hosts()
    assert f"{NEW} is for x86_64, and `t4g.large` is arm64." in site.runner.summary


def test_an_image_that_is_removed_between_plan_and_host_costs_no_host(site: Site) -> None:
    before = site.settles()
    image = site.runner.ec2.copy_image(Name="a-short-life", SourceImageId=NEW, SourceRegion=REGION)[
        "ImageId"
    ]
    tags = [{"Key": "clawdinator", "Value": "true"}]
    site.runner.ec2.create_tags(Resources=[image], Tags=tags)  # type: ignore[arg-type]  # as said
    site.runner.builds(site.runner.commit, image)
    handed = plan(site, TARGET=TWO, AMI_OVERRIDE=image)
    site.runner.ec2.deregister_image(ImageId=image)

    assert site.runner.does("host", TARGET=TWO, INSTANCE=TWO, **handed) == 1
    assert before == site.runner.hosts()
    assert f"{TWO} was not touched: {image} is not, or not any more, an available image" in (
        site.runner.summary
    )


def test_vcpus_that_are_not_left_cost_no_host(site: Site) -> None:
    before = site.settles()
    site.registers(ONE, TWO, THREE, clawdinator_2="t3.xlarge")
    asyncio.run(set_rules(site.url, Rules(vcpus=7)))
    code = site.deploys(TARGET=TWO)
    asyncio.run(set_rules(site.url, Rules()))

    assert code == 1
    assert before == site.runner.hosts()
    assert "with it 8 vCPUs would run in this account, and its quota (L-1216C47A) is 7." in (
        site.runner.summary
    )


def test_an_account_that_is_full_still_has_room_for_the_host_that_is_replaced(site: Site) -> None:
    before = site.settles()
    asyncio.run(set_rules(site.url, Rules(vcpus=6)))
    code = site.deploys(TARGET=TWO)
    asyncio.run(set_rules(site.url, Rules()))

    assert code == 0, site.runner.summary
    assert before.keys() == site.runner.hosts().keys()


def test_ec2_that_shows_nothing_to_plan(site: Site) -> None:
    before = site.settles()
    with blind(site):
        code = site.deploys(TARGET=TWO, FLEET_HEALTH_DEADLINE="1")

    assert code == 1
    assert before == site.runner.hosts()
    assert "Nothing was touched: EC2 does not list i-" in site.runner.summary


def test_ec2_that_shows_nothing_to_one_hosts_job(site: Site) -> None:
    before = site.settles()
    handed = plan(site, TARGET=TWO)
    with blind(site):
        code = site.runner.does(
            "host", TARGET=TWO, INSTANCE=TWO, FLEET_HEALTH_DEADLINE="1", **handed
        )

    assert code == 1
    assert before == site.runner.hosts()
    assert f"{TWO} was not touched: EC2 does not list i-" in site.runner.summary


@pytest.mark.parametrize("job", ["plan", "host"])
def test_ec2_that_shows_nothing_to_the_engine_alone(site: Site, tmp_path: Path, job: str) -> None:
    """Its refresh takes the host for gone, and it plans to make it."""
    before = site.settles()
    handed = plan(site, TARGET=TWO) if job == "host" else {}
    engine = shlex.quote(site.runner.environ["TOFU"])
    other = tmp_path / "other-key"
    other.write_text(f'#!/bin/sh\nAWS_ACCESS_KEY_ID={ENGINES_KEY} exec {engine} "$@"\n')
    other.chmod(0o755)
    with blind(site, ENGINES_KEY):
        code = site.runner.does(job, INSTANCE=TWO, TARGET=TWO, TOFU=str(other), **handed)

    assert code == 1
    assert before == site.runner.hosts()
    assert f"{TWO} has a machine that OpenTofu does not see, and two would share its token" in (
        site.runner.summary
    )
    assert not site.differs("fleet")


def test_a_host_that_is_really_gone_is_brought_back(site: Site) -> None:
    before = site.settles()
    site.runner.ec2.terminate_instances(InstanceIds=[machine for machine, _ in before.values()])

    assert site.deploys(TARGET="all") == 0, site.runner.summary
    after = site.runner.hosts()
    assert before.keys() == after.keys()
    assert {image for _, image in after.values()} == {NEW}


def test_an_instance_that_is_renamed(site: Site) -> None:
    before = site.settles()
    registry = json.loads(registry_text([ONE, TWO, THREE]))
    site.merges({(RENAMED if id_ == TWO else id_): one for id_, one in registry.items()})

    assert site.deploys(TARGET=RENAMED) == 1
    assert before == site.runner.hosts()
    assert f"{RENAMED} is not made while {before[TWO][0]} ({TWO}) runs: both would have the " in (
        site.runner.summary
    )

    assert site.deploys(TARGET="all") == 0, site.runner.summary
    assert {ONE, RENAMED, THREE} == set(site.runner.hosts())
    assert f"Removed before `{RENAMED}` was made: `{TWO}`" in site.runner.summary
    assert f'instance["{TWO}"]' not in site.account.ask("tofu -chdir=tofu/fleet state list")
