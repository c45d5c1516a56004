"""Deletes old images and what failed builds left; none that a host runs on, nor the newest few."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflows.image_build.registration import COMMIT_TAG, TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeDef

# Enough to go back a few times: a rollback names one of them.
KEPT = 5


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that a run of ours made.

    Attributes:
        created: ISO 8601, so that text order is time's.
        published: whether a deploy may take it.
    """

    id: str
    created: str
    published: bool


def superfluous(
    made: Iterable[BuiltImage], in_use: Iterable[str], kept: int = KEPT
) -> tuple[BuiltImage, ...]:
    """Which may go: past the newest `kept`, or never published; and on no host."""
    newest = sorted(made, key=lambda image: image.created, reverse=True)
    spared = {image.id for image in [one for one in newest if one.published][:kept]}
    spared.update(in_use)
    return tuple(image for image in newest if image.id not in spared)


def prune(ec2: "EC2Client", kept: int = KEPT) -> Iterator[str]:
    """Deregister what is superfluous, delete our snapshots that no image has; yields each's id.

    Call it when no image is being made: what is not published yet counts as left by a dead run.
    And when no deploy is under way: its image may be an old one, which no host runs on yet.
    Nothing is where EC2 lists no host at all, which may mean only that it lists none now.
    """
    images, in_use = tuple(_own(ec2)), _in_use(ec2)
    if not in_use:
        return
    gone = [image.id for image in superfluous(_made(images), in_use, kept)]
    for id_ in gone:
        ec2.deregister_image(ImageId=id_)
        yield id_
    held = {one for image in images if image["ImageId"] not in gone for one in _snapshots(image)}
    for snapshot in _marked(ec2):
        if snapshot not in held:
            ec2.delete_snapshot(SnapshotId=snapshot)
            yield snapshot


def _own(ec2: "EC2Client") -> Iterator["ImageTypeDef"]:
    """Of this account, whoever made them: somebody may have made one of a snapshot of ours."""
    for page in ec2.get_paginator("describe_images").paginate(Owners=["self"]):
        yield from page["Images"]


def _made(images: Iterable["ImageTypeDef"]) -> Iterator[BuiltImage]:
    for image in images:
        tags = {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])}
        if COMMIT_TAG in tags:
            yield BuiltImage(image["ImageId"], image["CreationDate"], tags.get(TAG) == "true")


def _snapshots(image: "ImageTypeDef") -> Iterator[str]:
    for mapping in image.get("BlockDeviceMappings", []):
        snapshot = mapping.get("Ebs", {}).get("SnapshotId")
        if snapshot:
            yield snapshot


def _marked(ec2: "EC2Client") -> Iterator[str]:
    """Snapshots that a run of ours imported."""
    pages = ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=[{"Name": "tag-key", "Values": [COMMIT_TAG]}]
    )
    for page in pages:
        for snapshot in page["Snapshots"]:
            yield snapshot["SnapshotId"]


def _in_use(ec2: "EC2Client") -> set[str]:
    return {host["ImageId"] for host in hosts(ec2)}


def hosts(ec2: "EC2Client") -> Iterator["InstanceTypeDef"]:
    """Any machine that is or may come back, of the fleet or not."""
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {
                "Name": "instance-state-name",
                "Values": ["pending", "running", "stopping", "stopped", "shutting-down"],
            }
        ]
    )
    for page in pages:
        for reservation in page["Reservations"]:
            yield from reservation["Instances"]
