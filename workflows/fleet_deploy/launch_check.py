"""Checks that EC2 would launch a plan's hosts, before the engine destroys any for them."""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fleet_control.machine import ec2_errors
from workflows.fleet_deploy import ec2_offer, summary
from workflows.fleet_deploy.cloud import Cloud
from workflows.fleet_deploy.ec2_offer import QUOTA, Ec2Offer, InstanceType, OfferedImage
from workflows.fleet_deploy.launch import Launch
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RunInstancesRequestTypeDef

_REGISTRY = "nix/instances.json"
# What a launch would be refused for while the machine that it replaces still runs.
_FULL = ("VcpuLimitExceeded", "InstanceLimitExceeded", "InsufficientInstanceCapacity")
_WOULD = "DryRunOperation"
_UNSAFE = re.compile(r"[^\w .,:;/()'-]+")
_SAID = 200
# How alike a type must be to be meant.
_NEAR = 0.8


def refuse(cloud: Cloud, launches: Sequence[Launch], also_gone: Collection[str] = ()) -> None:
    """Stopped where EC2 would not launch these hosts, one after the other.

    `also_gone` are machines that are removed before the first of them is made.
    """
    image = launches[0].image
    found = ec2_offer.read(cloud, image, launches)
    problems = [*unfit(launches, found), *over_quota(launches, found, also_gone)]
    if not problems and found.image:
        problems = list(_refused(cloud, launches, found.image, bool(also_gone)))
    if problems:
        raise summary.stop("Would not launch", "", problems)


def unfit(launches: Sequence[Launch], found: Ec2Offer) -> Iterator[str]:
    """What about these launches does not go together, each as a sentence without its end."""
    image = launches[0].image
    if found.image is None:
        yield (
            f"{image} is not, or not any more, an available image of ours tagged clawdinator=true; "
            "deploy the newest, or name another"
        )
        return
    for one in launches:
        type_ = found.types.get(one.type)
        if one.type not in found.offered or type_ is None:
            near = get_close_matches(one.type, sorted(found.offered), 1, _NEAR)
            hint = f", did you mean `{near[0]}`?" if near else "."
            yield (
                f"{one.id} would not start: {found.place} offers no `{one.type}`{hint} "
                f"Write a type that it offers into {_REGISTRY}"
            )
        elif why := _misfit(one, found.image, type_):
            yield f"{one.id} would not start: {why}"


def _misfit(launch: Launch, image: OfferedImage, type_: InstanceType) -> str:
    """Why this image does not run on this type or disk, or nothing."""
    if image.architecture not in type_.architectures:
        return (
            f"{launch.image} is for {image.architecture}, and `{launch.type}` is "
            f"{' or '.join(sorted(type_.architectures))}. Write a type for {image.architecture} "
            f"into {_REGISTRY}, or deploy an image for that one"
        )
    if image.boot_mode in ("uefi", "legacy-bios") and image.boot_mode not in type_.boot_modes:
        return (
            f"{launch.image} boots by {image.boot_mode}, which `{launch.type}` does not. "
            f"Write another type into {_REGISTRY}, or deploy another image"
        )
    if launch.disk is not None and image.disk > launch.disk:
        return (
            f"the disk of {launch.image} takes {image.disk} GB, and a host gets {launch.disk}. "
            "Raise root_gigabytes in tofu/fleet, or deploy another image"
        )
    return ""


def over_quota(
    launches: Sequence[Launch], found: Ec2Offer, also_gone: Collection[str]
) -> Iterator[str]:
    """The first host for which too few vCPUs are left, each before it made and what it replaces
    gone."""
    if found.quota is None:
        return
    running = dict(found.quota.running)
    for machine in also_gone:
        running.pop(machine, None)
    for one in launches:
        running.pop(one.replaces, None)
        if one.type not in found.types or not ec2_offer.is_standard(one.type):
            continue
        running[one.id] = found.types[one.type].vcpus
        used = sum(running.values())
        if used > found.quota.limit:
            yield (
                f"{one.id} would not start: with it {used} vCPUs would run in this account, and "
                f"its quota ({QUOTA}) is {found.quota.limit:.0f}. Ask AWS for more in Service "
                f"Quotas, or write a smaller type into {_REGISTRY}"
            )
            return


def _refused(
    cloud: Cloud, launches: Sequence[Launch], image: OfferedImage, makes_room: bool
) -> Iterator[str]:
    """What EC2 itself says to a dry run of the first of each kind."""
    kinds = {(one.type, bool(one.profile), bool(one.replaces)): one for one in reversed(launches)}
    for one in reversed(kinds.values()):
        if one.placed:
            code, words = _dry_run(cloud, one, image)
            room_comes = makes_room or bool(one.replaces)
            if code != _WOULD and not (code in _FULL and room_comes):
                yield f"{one.id} would not start: EC2 says {code} ({words})"


def _dry_run(cloud: Cloud, launch: Launch, image: OfferedImage) -> tuple[str, str]:
    """EC2's code, and its words as far as they may be repeated."""
    with ec2_errors("RunInstances"):
        try:
            cloud.ec2.run_instances(**_request(launch, image))
        except ClientError as error:
            said = error.response.get("Error", {})
            words = said.get("Message", "").partition("Encoded authorization")[0]
            return said.get("Code", "an unknown error"), _UNSAFE.sub(" ", words)[:_SAID].strip()
    raise Stopped("Would not launch", f"EC2 took a dry run of {launch.id} for a launch.")


def _request(launch: Launch, image: OfferedImage) -> "RunInstancesRequestTypeDef":
    """As the engine asks for it, but for what the host itself reads."""
    request: RunInstancesRequestTypeDef = {
        "DryRun": True,
        "ImageId": launch.image,
        "InstanceType": launch.type,  # type: ignore[typeddict-item]  # the registry's word for it
        "MinCount": 1,
        "MaxCount": 1,
        "MetadataOptions": {"HttpTokens": "required"},
        "TagSpecifications": [
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in launch.tags.items()],
            }
        ],
    }
    if launch.disk is not None:
        request["BlockDeviceMappings"] = [
            {
                "DeviceName": image.root_device,
                "Ebs": {
                    "Encrypted": launch.encrypted,
                    "VolumeSize": launch.disk,
                    "VolumeType": "gp3",
                },
            }
        ]
    if launch.subnet:
        request["SubnetId"] = launch.subnet
    if launch.groups:
        request["SecurityGroupIds"] = list(launch.groups)
    if launch.profile:
        request["IamInstanceProfile"] = {"Name": launch.profile}
    return request
