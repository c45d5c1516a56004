"""Deletes old images, old seeds and what failed builds left; none in use, nor the newest few."""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fleet_control.seed import FOLDER, key
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build.registration import COMMIT_TAG, TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeDef
    from mypy_boto3_s3.client import S3Client

# Enough to go back a few times: a rollback names one of them.
KEPT = 5
# For commits that are named by hand.
SEEDS_KEPT = 50
# On a host: what it was launched as.
REVISION_TAG = "revision"
# The workflow that puts seeds, and makes hosts of them.
DEPLOY = "fleet-deploy.yml"

log = logging.getLogger(__name__)


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
    images, in_use = tuple(_images(ec2)), {host["ImageId"] for host in hosts(ec2)}
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


def _images(ec2: "EC2Client") -> Iterator["ImageTypeDef"]:
    """Of this account, whoever made them: somebody may have made one of a snapshot of ours."""
    for page in ec2.get_paginator("describe_images").paginate(Owners=["self"]):
        yield from page["Images"]


def _made(images: Iterable["ImageTypeDef"]) -> Iterator[BuiltImage]:
    for image in images:
        tags = {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])}
        if COMMIT_TAG in tags:
            yield BuiltImage(image["ImageId"], image["CreationDate"], tags.get(TAG) == "true")


def _snapshots(image: "ImageTypeDef") -> Iterator[str]:
    disks = (mapping.get("Ebs", {}) for mapping in image.get("BlockDeviceMappings", []))
    return (disk["SnapshotId"] for disk in disks if disk.get("SnapshotId"))


def _marked(ec2: "EC2Client") -> Iterator[str]:
    """Snapshots that a run of ours imported."""
    pages = ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=[{"Name": "tag-key", "Values": [COMMIT_TAG]}]
    )
    return (snapshot["SnapshotId"] for page in pages for snapshot in page["Snapshots"])


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
    return (host for page in pages for one in page["Reservations"] for host in one["Instances"])


@dataclass(frozen=True, slots=True)
class StoredSeed:
    """A seed in the bucket, and since when."""

    key: str
    put: datetime


def superfluous_seeds(
    seeds: Iterable[StoredSeed], named: Collection[str], kept: int = SEEDS_KEPT
) -> tuple[str, ...]:
    """The keys past the newest `kept` whose commit nobody names."""
    newest = sorted(seeds, key=lambda seed: seed.put, reverse=True)
    spared = {key(commit) for commit in named}
    return tuple(seed.key for seed in newest[kept:] if seed.key not in spared)


def deploying(github: GitHubRuns, run: ThisRun, now: float) -> bool:
    """Whether a deploy of this run's branch waits or is under way, or GitHub does not tell."""
    try:
        return not all(one.finished for one in github.runs(replace(run, workflow=DEPLOY), now))
    except Stopped as stop:
        log.warning("image.deploys_unread why=%s", stop.title)
        return True


def prune_seeds(
    s3: "S3Client", ec2: "EC2Client", bucket: str, kept: int = SEEDS_KEPT
) -> Iterator[str]:
    """Delete what is superfluous; yields each's key.

    Call it when no deploy is under way: its seed may be an old one, which no host names yet.
    Nothing is where EC2 lists no host at all, which may mean only that it lists none now.
    """
    there = tuple(hosts(ec2))
    if not there:
        return
    named = _values(REVISION_TAG, there) | _values(COMMIT_TAG, _images(ec2))
    for gone in superfluous_seeds(_lying(s3, bucket), named, kept):
        s3.delete_object(Bucket=bucket, Key=gone)
        yield gone


def _values(tag: str, things: Iterable[Any]) -> set[str]:
    """Of that tag, on hosts or on images."""
    tags = (one for thing in things for one in thing.get("Tags", []))
    return {one["Value"] for one in tags if one["Key"] == tag}


def _lying(s3: "S3Client", bucket: str) -> Iterator[StoredSeed]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{FOLDER}/")
    found = (one for page in pages for one in page.get("Contents", []))
    return (StoredSeed(one["Key"], one["LastModified"]) for one in found)
