"""What EC2 is asked before a launch, and what of its answers counts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fleet_control.error import Ec2Error
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2
from tests.workflows.conftest import KEYS
from tests.workflows.test_launch_check import IMAGE, LAUNCH
from workflows.fleet_deploy import ec2_offer
from workflows.fleet_deploy.cloud import Cloud, connect
from workflows.fleet_deploy.health import SystemTime
from workflows.fleet_deploy.stopped import Stopped

TYPE = (
    "<item><instanceType>t3.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>"
    "<processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures>"
    "</processorInfo></item>"
)


def answer(action: str, inner: str) -> tuple[int, str]:
    return 200, f"<{action}Response>{inner}</{action}Response>"


def image(state: str = "available", tag: str = "true", disk: str = "20") -> tuple[int, str]:
    tags = f"<tagSet><item><key>clawdinator</key><value>{tag}</value></item></tagSet>"
    mapping = (
        "<blockDeviceMapping><item><deviceName>/dev/sdb</deviceName></item><item>"
        f"<deviceName>/dev/xvda</deviceName><ebs><volumeSize>{disk}</volumeSize></ebs></item>"
        "</blockDeviceMapping>"
    )
    return answer(
        "DescribeImages",
        f"<imagesSet><item><imageId>{IMAGE}</imageId><imageState>{state}</imageState>{tags}"
        f"<architecture>arm64</architecture><bootMode>uefi</bootMode>{mapping}"
        "<rootDeviceName>/dev/xvda</rootDeviceName></item></imagesSet>",
    )


def offerings(*types: str) -> tuple[int, str]:
    items = "".join(f"<item><instanceType>{one}</instanceType></item>" for one in types)
    return answer(
        "DescribeInstanceTypeOfferings",
        f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>",
    )


SUBNET = answer(
    "DescribeSubnets",
    "<subnetSet><item><availabilityZone>eu-central-1b</availabilityZone></item></subnetSet>",
)
QUOTA = 200, '{"Quota": {"Value": 32.0}}'


@pytest.fixture
def ec2() -> Iterator[FakeEc2]:
    with aws.serving() as served:
        served.scripts = {
            "DescribeImages": [image()],
            "DescribeSubnets": [SUBNET],
            "DescribeInstanceTypeOfferings": [offerings("t3.large", "t3.small")],
            "DescribeInstanceTypes": [
                answer("DescribeInstanceTypes", f"<instanceTypeSet>{TYPE}</instanceTypeSet>")
            ],
        }
        yield served


@pytest.fixture
def cloud(ec2: FakeEc2) -> Iterator[Cloud]:
    environ = {"AWS_ENDPOINT_URL": ec2.url, "AWS_REGION": "eu-central-1", **KEYS}
    made = connect(environ, SystemTime())
    yield made
    for client in (made.ec2, made.ssm, made.quotas):
        client.close()


def test_the_zone_is_the_subnets_and_the_disk_the_roots(ec2: FakeEc2, cloud: Cloud) -> None:
    found = ec2_offer.read(cloud, IMAGE, [LAUNCH])

    assert found.place == "eu-central-1b"
    assert found.offered == {"t3.large", "t3.small"}
    assert found.image == ec2_offer.OfferedImage("arm64", "uefi", "/dev/xvda", 20)
    assert found.types == {
        "t3.large": ec2_offer.InstanceType(frozenset({"x86_64"}), frozenset(), 2)
    }
    (asked,) = (one for one in ec2.asked if one["Action"] == "DescribeInstanceTypeOfferings")
    assert (asked["LocationType"], asked["Filter.1.Value.1"]) == (
        "availability-zone",
        "eu-central-1b",
    )
    assert (asked["Filter.2.Name"], asked["Filter.2.Value.1"]) == ("instance-type", "t3.large")


def test_of_a_type_that_is_not_offered_a_near_one_is_looked_for_among_all(
    ec2: FakeEc2, cloud: Cloud
) -> None:
    ec2.scripts["DescribeInstanceTypeOfferings"] = [offerings(), offerings("t3.large", "t3.small")]

    found = ec2_offer.read(cloud, IMAGE, [replace(LAUNCH, type="t3.larg")])

    assert found.offered == {"t3.large", "t3.small"}
    _, asked = (one for one in ec2.asked if one["Action"] == "DescribeInstanceTypeOfferings")
    assert [f"Filter.{number}.Name" in asked for number in (1, 2)] == [True, False]


def test_without_a_subnet_the_region_is_asked(ec2: FakeEc2, cloud: Cloud) -> None:
    found = ec2_offer.read(cloud, IMAGE, [replace(LAUNCH, subnet="")])

    assert found.place == "eu-central-1"
    (asked,) = (one for one in ec2.asked if one["Action"] == "DescribeInstanceTypeOfferings")
    assert (asked["LocationType"], asked["Filter.1.Name"]) == ("region", "instance-type")
    assert "Filter.2.Name" not in asked
    assert ec2.counts["DescribeSubnets"] == 0


@pytest.mark.parametrize(
    "said",
    [
        image(state="pending"),
        image(state="deregistered"),
        image(tag="false"),
        answer("DescribeImages", "<imagesSet/>"),
        aws.error(400, "InvalidAMIID.NotFound"),
        aws.error(400, "InvalidAMIID.Unavailable"),
    ],
    ids=["pending", "deregistered", "untagged", "not listed", "not found", "unavailable"],
)
def test_an_image_that_no_host_could_boot_is_none(
    ec2: FakeEc2, cloud: Cloud, said: tuple[int, str]
) -> None:
    ec2.scripts["DescribeImages"] = [said]

    assert ec2_offer.read(cloud, IMAGE, [LAUNCH]).image is None


def test_an_ec2_that_fails_is_no_image_that_is_gone(ec2: FakeEc2, cloud: Cloud) -> None:
    ec2.scripts["DescribeImages"] = [aws.error(400, "OptInRequired")]

    with pytest.raises(Ec2Error, match="OptInRequired"):
        ec2_offer.read(cloud, IMAGE, [LAUNCH])


def test_a_right_that_the_role_lacks_is_named_with_what_gives_it(
    ec2: FakeEc2, cloud: Cloud
) -> None:
    ec2.scripts["DescribeInstanceTypeOfferings"] = [aws.error(403, "UnauthorizedOperation")]

    with pytest.raises(
        Stopped, match=r"ask EC2 for DescribeInstanceTypeOfferings\. Apply tofu/con"
    ):
        ec2_offer.read(cloud, IMAGE, [LAUNCH])


def machine(id_: str, type_: str = "t3.large", more: str = "") -> str:
    return (
        f"<item><instancesSet><item><instanceId>{id_}</instanceId>"
        f"<instanceType>{type_}</instanceType>{more}</item></instancesSet></item>"
    )


def test_on_demand_machines_of_the_standard_families_count_whosever_they_are(
    ec2: FakeEc2, cloud: Cloud
) -> None:
    ec2.scripts["GetServiceQuota"] = [QUOTA]
    ec2.scripts["DescribeInstances"] = [
        answer(
            "DescribeInstances",
            "<reservationSet>"
            + machine("i-ours")
            + machine("i-spot", more="<instanceLifecycle>spot</instanceLifecycle>")
            + machine("i-own-host", more="<placement><tenancy>host</tenancy></placement>")
            + machine("i-shared", more="<placement><tenancy>default</tenancy></placement>")
            + machine("i-graphics", "g5.xlarge")
            + "</reservationSet>",
        )
    ]

    found = ec2_offer.read(cloud, IMAGE, [LAUNCH])

    assert found.quota == ec2_offer.VcpuQuota(32.0, {"i-ours": 2, "i-shared": 2})
    (asked,) = (one for one in ec2.asked if one["Action"] == "DescribeInstances")
    states = {asked["Filter.1.Value.1"], asked["Filter.1.Value.2"]}
    assert (asked["Filter.1.Name"], states) == ("instance-state-name", {"pending", "running"})


@pytest.mark.parametrize(
    "said",
    [(200, "{}"), (200, '{"Quota": {}}'), (400, '{"__type": "AccessDeniedException"}')],
    ids=["nothing", "no value", "denied"],
)
def test_a_quota_that_is_not_told_is_none(
    ec2: FakeEc2, cloud: Cloud, said: tuple[int, str]
) -> None:
    ec2.scripts["GetServiceQuota"] = [said]

    assert ec2_offer.read(cloud, IMAGE, [LAUNCH]).quota is None


@pytest.mark.parametrize(
    ("type_", "standard"),
    [
        ("t3.large", True),
        ("m7i-flex.large", True),
        ("c7gn.xlarge", True),
        ("im4gn.large", True),
        ("is4gen.medium", True),
        ("i8ge.large", True),
        ("d3en.xlarge", True),
        ("z1d.large", True),
        ("inf2.xlarge", False),
        ("hpc7a.96xlarge", False),
        ("dl1.24xlarge", False),
        ("trn1.2xlarge", False),
        ("g5.xlarge", False),
        ("x2gd.large", False),
        ("mac2.metal", False),
        ("u-6tb1.metal", False),
    ],
)
def test_which_families_are_standard(type_: str, standard: bool) -> None:
    assert ec2_offer.is_standard(type_) is standard


def test_types_are_asked_about_by_as_many_as_ec2_takes(ec2: FakeEc2, cloud: Cloud) -> None:
    ec2_offer.read(cloud, IMAGE, [replace(LAUNCH, type=f"t3.{number}") for number in range(250)])

    asked = [one for one in ec2.asked if one["Action"] == "DescribeInstanceTypes"]
    assert [f"Filter.1.Value.{last}" in asked[0] for last in (200, 201)] == [True, False]
    assert len(asked) == 2
