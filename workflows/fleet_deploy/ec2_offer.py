"""What EC2 offers for a launch: the image, the types in that zone, and the vCPUs left."""

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet_control.machine import ec2_errors, error_code
from workflows.fleet_deploy.cloud import Cloud
from workflows.fleet_deploy.launch import Launch
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        ImageTypeDef,
        InstanceTypeDef,
        InstanceTypeInfoTypeDef,
    )

# Running on-demand machines of the standard families, in vCPUs; the others have their own.
QUOTA = "L-1216C47A"
_STANDARD = re.compile(r"(a|c|d|h|i|im|is|m|r|t|z)\d")
_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
_DENIED = ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
# EC2 takes no more values of a filter.
_AT_ONCE = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedImage:
    """An available image of ours.

    Attributes:
        boot_mode: empty where it leaves that to the type.
        disk: gigabytes of its root disk's snapshot.
    """

    architecture: str
    boot_mode: str
    root_device: str
    disk: int


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What a machine of this type can run, and its vCPUs."""

    architectures: frozenset[str]
    boot_modes: frozenset[str]
    vcpus: int


@dataclass(frozen=True, slots=True)
class VcpuQuota:
    """vCPUs of the standard families that this account may run, and what each machine takes."""

    limit: float
    running: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ec2Offer:
    """What EC2 offers for one image in one place.

    Attributes:
        image: None where it is none of ours, or not available any more.
        place: the zone in which the hosts would lie; the region where that is not known yet.
        offered: of the types that are to be launched those that can be had there; where one can
            not, all that can.
        types: those that are to be launched, as far as EC2 knows them.
        quota: None where it can't be read.
    """

    image: OfferedImage | None
    place: str
    offered: Collection[str]
    types: Mapping[str, InstanceType]
    quota: VcpuQuota | None = None


def read(cloud: Cloud, image: str, launches: Collection[Launch]) -> Ec2Offer:
    """Of one image and one place, as all hosts of a plan have them; Ec2Error, Stopped if unread."""
    zone = _zone(cloud.ec2, next(iter(launches)).subnet)
    names = {one.type for one in launches}
    return Ec2Offer(
        image=_image(cloud.ec2, image),
        place=zone or cloud.ec2.meta.region_name,
        offered=_offered(cloud.ec2, zone, names),
        types={name: _type(raw) for name, raw in _types(cloud.ec2, names).items()},
        quota=_quota(cloud),
    )


def is_standard(type_: str) -> bool:
    """Whether it counts towards that quota."""
    return _STANDARD.match(type_) is not None


def _image(ec2: "EC2Client", id_: str) -> OfferedImage | None:
    """Looked for as `plan` found it: a moment may lie between, and somebody may have removed it."""
    with _asking("DescribeImages"):
        try:
            images = ec2.describe_images(ImageIds=[id_], Owners=["self"])["Images"]
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return None
        ours = {"Key": "clawdinator", "Value": "true"}
        return next(
            (
                _read_image(one)
                for one in images
                if one["State"] == "available" and ours in one.get("Tags", [])
            ),
            None,
        )


def _read_image(raw: "ImageTypeDef") -> OfferedImage:
    root = raw.get("RootDeviceName", "")
    disks = {
        one.get("DeviceName"): one.get("Ebs", {}) for one in raw.get("BlockDeviceMappings", [])
    }
    disk = disks.get(root, {}).get("VolumeSize", 0)
    return OfferedImage(raw["Architecture"], raw.get("BootMode", ""), root, disk)


def _zone(ec2: "EC2Client", subnet: str) -> str:
    if not subnet:
        return ""
    with _asking("DescribeSubnets"):
        return ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailabilityZone"]


def _offered(ec2: "EC2Client", zone: str, names: Collection[str]) -> frozenset[str]:
    """Of a thousand types a launch needs one: all are asked for where only a near one could do."""
    if len(names) <= _AT_ONCE:
        found = _offerings(ec2, zone, {"Name": "instance-type", "Values": sorted(names)})
        if found.issuperset(names):
            return found
    return _offerings(ec2, zone)


def _offerings(ec2: "EC2Client", zone: str, *filters: "FilterTypeDef") -> frozenset[str]:
    there: tuple[FilterTypeDef, ...] = ({"Name": "location", "Values": [zone]},) if zone else ()
    with _asking("DescribeInstanceTypeOfferings"):
        pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone" if zone else "region", Filters=[*there, *filters]
        )
        return frozenset(
            one["InstanceType"] for page in pages for one in page["InstanceTypeOfferings"]
        )


def _types(ec2: "EC2Client", names: Collection[str]) -> dict[str, "InstanceTypeInfoTypeDef"]:
    """Those of these that there are."""
    with _asking("DescribeInstanceTypes"):
        listed = sorted(names)
        pages = (
            page
            for first in range(0, len(listed), _AT_ONCE)
            for page in ec2.get_paginator("describe_instance_types").paginate(
                Filters=[{"Name": "instance-type", "Values": listed[first : first + _AT_ONCE]}]
            )
        )
        return {one["InstanceType"]: one for page in pages for one in page["InstanceTypes"]}


def _type(raw: "InstanceTypeInfoTypeDef") -> InstanceType:
    return InstanceType(
        architectures=frozenset(raw["ProcessorInfo"]["SupportedArchitectures"]),
        boot_modes=frozenset(raw.get("SupportedBootModes", ())),
        vcpus=raw["VCpuInfo"]["DefaultVCpus"],
    )


def _quota(cloud: Cloud) -> VcpuQuota | None:
    """EC2 holds to it whatever is known here. Where it can't be read, that stops no repair."""
    try:
        answer = cloud.quotas.get_service_quota(ServiceCode="ec2", QuotaCode=QUOTA)
        limit = float(answer["Quota"]["Value"])
    except (ClientError, BotoCoreError, ResponseParserError, KeyError) as error:
        why = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        log.info("fleet.quota_unread quota=%s why=%s", QUOTA, why)
        return None
    return VcpuQuota(limit, _running(cloud.ec2))


def _running(ec2: "EC2Client") -> dict[str, int]:
    """What counts towards the quota, by the machines' ids: the whole account's, not only ours."""
    with _asking("DescribeInstances"):
        pages = ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}],
            PaginationConfig={"PageSize": 500},
        )
        counted = {
            raw["InstanceId"]: raw["InstanceType"]
            for page in pages
            for reservation in page["Reservations"]
            for raw in reservation["Instances"]
            if _counts(raw)
        }
    types = _types(ec2, set(counted.values()))
    return {id_: _type(types[type_]).vcpus for id_, type_ in counted.items() if type_ in types}


def _counts(raw: "InstanceTypeDef") -> bool:
    on_demand = "InstanceLifecycle" not in raw
    shared = raw.get("Placement", {}).get("Tenancy") != "host"
    return on_demand and shared and is_standard(raw["InstanceType"])


@contextmanager
def _asking(action: str) -> Iterator[None]:
    """Errors as of any question to EC2; but a missing permission is Stopped, since only the
    account's owner can mend it."""
    with ec2_errors(action):
        try:
            yield
        except ClientError as error:
            if error_code(error) not in _DENIED:
                raise
            why = f"The deploy role may not ask EC2 for {action}. Apply tofu/control as it is now."
            raise Stopped("Not set up", why) from error
