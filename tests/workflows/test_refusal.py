"""What EC2 would not launch stops a run before anything is destroyed for it, in `plan` as in a
host's own turn."""

import json
import logging
from typing import Any

import pytest

from fleet_control.deploy_jobs import EndState, begins
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner

ONE, TWO = "clawdinator-1", "clawdinator-2"
BOTH = pytest.mark.parametrize("job", ["plan", "host"])


@pytest.fixture
def seen(runner: LocalRunner) -> str:
    """The machine of the one host that a deploy would replace."""
    runner.registers(ONE, TWO)
    runner.launches(ONE)
    return runner.launches(TWO)


def planned(runner: LocalRunner, seen: str, **after: Any) -> None:
    """A plan to replace that host by what is so launched; its type is the registry's."""
    runner.retypes(TWO, after.get("instance_type", plans.OWN_TYPE))
    new = plans.own(plans.HOST, TWO, ami=NEW, **after)
    runner.plans(plans.replaced(TWO, after=new, before={"id": seen, "ami": OLD}))


def turn(seen: str) -> dict[str, str]:
    roll = [{"id": TWO, "seen": seen, "name": f"{TWO}: {OLD} -> {NEW}", **MADE_OF}]
    return {"INSTANCE": TWO, "IMAGE": NEW, "ROLL": json.dumps(roll)}


def refused(runner: LocalRunner, job: str, seen: str) -> str:
    """What the job says; it must have refused, and moved nothing."""
    assert runner.does(job, **turn(seen)) == 1
    assert runner.hosts()[TWO] == (seen, OLD)
    assert "apply" not in runner.commands
    assert runner.outputs == ({"untouched": "true"} if job == "host" else {})
    said_first = {"plan": "Nothing was touched: ", "host": begins(TWO, EndState.UNTOUCHED)}[job]
    said = runner.summary.partition("## Stopped: Would not launch\n\n")[2]
    assert said.startswith(said_first), runner.summary
    return said.removeprefix(said_first)


def test_an_image_that_went_between_plan_and_its_turn(runner: LocalRunner, seen: str) -> None:
    planned(runner, seen)
    assert runner.does("plan") == 0
    handed = runner.handed
    runner.ec2.deregister_image(ImageId=NEW)
    runner.outputs = {}

    assert runner.does("host", INSTANCE=TWO, **handed) == 1
    why = f"{NEW} is not, or not any more, an available image of ours"
    assert f"{begins(TWO, EndState.UNTOUCHED)}{why}" in runner.summary
    assert runner.hosts()[TWO] == (seen, OLD)


def test_an_image_that_lost_its_tag(runner: LocalRunner, seen: str) -> None:
    planned(runner, seen)
    runner.ec2.create_tags(Resources=[NEW], Tags=[{"Key": "clawdinator", "Value": "no"}])

    assert "tagged clawdinator=true; deploy the newest" in refused(runner, "host", seen)


@BOTH
def test_a_type_that_there_is_not(runner: LocalRunner, seen: str, job: str) -> None:
    planned(runner, seen, instance_type="t3.lagre")

    zone = runner.ec2.describe_subnets()["Subnets"][0]["AvailabilityZone"]
    assert refused(runner, job, seen).startswith(
        f"{TWO} would not start: {zone} offers no `t3.lagre`, did you mean `t3.large`? Write "
        "a type that it offers into nix/instances.json."
    )


@BOTH
def test_a_type_of_another_architecture(runner: LocalRunner, seen: str, job: str) -> None:
    planned(runner, seen, instance_type="t4g.large")

    assert f"{NEW} is for x86_64, and `t4g.large` is arm64." in refused(runner, job, seen)


@BOTH
def test_a_disk_that_is_too_small_for_the_image(runner: LocalRunner, seen: str, job: str) -> None:
    runner.environ["TF_VAR_root_gigabytes"] = "10"
    planned(runner, seen, root_block_device=[{**plans.DISK, "volume_size": 10}])

    assert f"the disk of {NEW} takes 15 GB, and a host gets 10." in refused(runner, job, seen)


def test_a_type_is_asked_for_in_the_region_where_there_is_no_subnet_yet(
    runner: LocalRunner, seen: str
) -> None:
    runner.retypes(TWO, "t3.lagre")
    new = plans.without(plans.HOST, TWO, "subnet_id") | {"ami": NEW, "instance_type": "t3.lagre"}
    runner.plans(
        plans.late(plans.SUBNET, availability_zone=True),
        plans.late(plans.ROUTED, subnet_id=True),
        plans.replaced(TWO, after=new, after_unknown={"subnet_id": True}, before={"id": seen}),
    )

    assert "eu-central-1 offers no `t3.lagre`" in refused(runner, "host", seen)


@BOTH
def test_a_quota_that_does_not_suffice(
    runner: LocalRunner, front: AwsFront, seen: str, job: str
) -> None:
    front.quota = 5
    planned(runner, seen, instance_type="t3.xlarge")

    assert "with it 6 vCPUs would run in this account, and its quota (L-1216C47A) is 5." in (
        refused(runner, job, seen)
    )


def test_a_quota_that_just_suffices(runner: LocalRunner, front: AwsFront, seen: str) -> None:
    front.quota = 6
    planned(runner, seen, instance_type="t3.xlarge")

    assert runner.does("plan") == 0


def test_a_quota_that_can_not_be_read_is_noted_and_stops_nothing(
    runner: LocalRunner, front: AwsFront, seen: str, caplog: pytest.LogCaptureFixture
) -> None:
    front.refused["GetServiceQuota"] = ""
    planned(runner, seen)

    with caplog.at_level(logging.INFO):
        assert runner.does("plan") == 0

    assert "fleet.quota_unread quota=L-1216C47A why=AccessDeniedException" in caplog.messages


@BOTH
def test_what_ec2_says_to_a_dry_run(
    runner: LocalRunner, front: AwsFront, seen: str, job: str
) -> None:
    front.dry_run = "UnauthorizedOperation", "You may not. Encoded authorization failure: aaaa"
    planned(runner, seen)

    assert refused(runner, job, seen).startswith(
        f"{TWO} would not start: EC2 says UnauthorizedOperation (You may not.)."
    )


def test_an_ec2_that_does_not_say_what_it_offers_stops_the_run(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    front.refused["DescribeInstanceTypeOfferings"] = ""
    planned(runner, seen)

    assert runner.does("plan") == 1
    assert runner.summary.startswith(
        "## Stopped: EC2 is silent\n\nNothing was touched: EC2 refused DescribeInstanceTypeOff"
    )


def test_a_full_account_has_room_once_the_old_host_is_gone(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    front.dry_run = "VcpuLimitExceeded", "You have requested more vCPU capacity than your limit."
    planned(runner, seen)

    assert runner.does("host", **turn(seen)) == 0


def test_a_full_account_has_none_for_a_further_host(runner: LocalRunner, front: AwsFront) -> None:
    front.dry_run = "VcpuLimitExceeded", "You have requested more vCPU capacity than your limit."
    runner.registers(TWO)
    runner.plans(plans.host(TWO, "create", image=NEW))

    assert runner.does("host", **turn("")) == 1
    assert "would not start: EC2 says VcpuLimitExceeded (You have requested" in runner.summary
    assert "apply" not in runner.commands


def test_a_dry_run_names_a_profile_that_is_there(runner: LocalRunner, seen: str) -> None:
    """moto knows no such profile, and says so; of one that is not made yet nothing is asked."""
    profile = plans.keyed(plans.PROFILE, TWO, "no-op")
    new = plans.own(plans.HOST, TWO, ami=NEW)
    runner.plans(profile, plans.replaced(TWO, after=new, before={"id": seen}))

    assert f"{TWO}-host" in refused(runner, "host", seen)


def test_every_host_of_a_rehearsal_is_looked_at(runner: LocalRunner, seen: str) -> None:
    one = runner.hosts()[ONE][0]
    small = plans.own(plans.HOST, ONE, ami=NEW, instance_type="t4g.large")
    large = plans.own(plans.HOST, TWO, ami=NEW, instance_type="t3.lagre")
    runner.retypes(ONE, "t4g.large")
    runner.retypes(TWO, "t3.lagre")
    runner.plans(
        plans.replaced(ONE, after=small, before={"id": one}),
        plans.replaced(TWO, after=large, before={"id": seen}),
    )

    assert runner.does("plan", TARGET="all") == 1
    assert f"{ONE} would not start: " in runner.summary
    assert "(and 1 more)." in runner.summary
    assert f"- {TWO} would not start: " in runner.summary


def test_of_what_ec2_says_two_hundred_characters_are_told(
    runner: LocalRunner, front: AwsFront, seen: str
) -> None:
    front.dry_run = "UnauthorizedOperation", "x" * 300
    planned(runner, seen)

    assert f"UnauthorizedOperation ({'x' * 200})." in refused(runner, "plan", seen)
