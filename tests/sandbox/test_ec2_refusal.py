"""Our moto launches only what EC2 would, and shows no host to whom it is told not to."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws import MotoAws

IMAGE = "ami-03c1a3d1000000003"
ROOT = "/dev/xvda"


async def refused(aws: MotoAws, **asked: Any) -> str:
    """What EC2 says to a launch of an image of ours, changed by what is asked; its code."""
    launch = {"ImageId": IMAGE, "InstanceType": "t3.large", "MinCount": 1, "MaxCount": 1, **asked}
    try:
        await aws.ask("ec2", "run_instances", **launch)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def disk(gigabytes: int) -> dict[str, Any]:
    return {"BlockDeviceMappings": [{"DeviceName": ROOT, "Ebs": {"VolumeSize": gigabytes}}]}


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no such type": ("InvalidParameterValue", {"InstanceType": "t3.lagre"}),
    "another architecture": ("InvalidParameterValue", {"InstanceType": "t4g.large"}),
    "no such image": ("InvalidAMIID.NotFound", {"ImageId": "ami-00000000000000000"}),
    "a disk that is too small": ("InvalidBlockDeviceMapping", disk(14)),
}


@pytest.mark.parametrize("dry", [True, False], ids=["a dry run", "a launch"])
@pytest.mark.parametrize(("code", "asked"), REFUSED.values(), ids=REFUSED)
async def test_what_could_not_run_is_refused(
    aws: MotoAws, code: str, asked: dict[str, Any], dry: bool
) -> None:
    assert await refused(aws, DryRun=dry, **asked) == code
    assert len(await aws.hosts()) == 2


async def test_what_could_is_launched_or_would_be(aws: MotoAws) -> None:
    assert await refused(aws, DryRun=True, **disk(15)) == "DryRunOperation"
    assert len(await aws.hosts()) == 2

    assert await refused(aws, **disk(15)) == ""
    assert len(await aws.hosts()) == 3


async def test_an_image_that_was_removed_is_not_to_be_had(aws: MotoAws) -> None:
    await aws.ask("ec2", "deregister_image", ImageId=IMAGE)

    assert await refused(aws, DryRun=True) == "InvalidAMIID.Unavailable"


async def test_a_type_that_the_subnets_zone_does_not_have_is_refused(aws: MotoAws) -> None:
    subnets = (await aws.ask("ec2", "describe_subnets"))["Subnets"]
    offered = await aws.ask(
        "ec2", "describe_instance_type_offerings", LocationType="availability-zone"
    )
    there = {(one["InstanceType"], one["Location"]) for one in offered["InstanceTypeOfferings"]}
    types = {type_ for type_, _ in there}
    type_, subnet = next(
        (type_, one)
        for type_ in sorted(types)
        for one in subnets
        if (type_, one["AvailabilityZone"]) not in there
    )

    asked = {"InstanceType": type_, "SubnetId": subnet["SubnetId"], "DryRun": True}
    assert await refused(aws, **asked) == "Unsupported"


async def test_no_more_vcpus_run_than_the_quota_says(aws: MotoAws) -> None:
    """The two hosts take two each."""
    await aws.rule(vcpus=6)
    quota = await aws.ask(
        "service-quotas", "get_service_quota", ServiceCode="ec2", QuotaCode="L-1216C47A"
    )

    assert quota["Quota"]["Value"] == 6.0
    assert await refused(aws, InstanceType="t3.xlarge") == "VcpuLimitExceeded"
    assert await refused(aws, InstanceType="t3.xlarge", DryRun=True) == "DryRunOperation"
    assert await refused(aws) == ""
    assert await refused(aws) == "VcpuLimitExceeded"


async def test_ec2_may_show_no_host_to_one_and_all_to_another(aws: MotoAws) -> None:
    machine = aws.seeded.hosts[0].id
    await aws.rule(blind=(aws.seeded.deployer.access_key,))

    assert await aws.hosts() == {}
    assert await aws.hosts(InstanceIds=[machine]) == {}
    assert await aws.checks() == {}
    assert await aws.terminate(machine) == {"before": "running", "after": "shutting-down"}

    await aws.rule(blind=(aws.seeded.chats["demo"].access_key,))
    assert len(await aws.hosts()) == 2
    await aws.rule(blind=("*",))
    assert await aws.hosts() == {}
