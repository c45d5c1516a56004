"""Deletes old seeds; none that an image or a host names, nor the newest few."""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fleet_control.seed import FOLDER, key
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build.pruning import hosts
from workflows.image_build.registration import COMMIT_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef
    from mypy_boto3_s3.client import S3Client

# For commits that are named by hand.
KEPT = 50
# On a host: what it was launched as.
REVISION_TAG = "revision"
# The workflow that puts seeds, and makes hosts of them.
DEPLOY = "fleet-deploy.yml"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredSeed:
    """A seed in the bucket, and since when."""

    key: str
    put: datetime


def superfluous(
    seeds: Iterable[StoredSeed], named: Collection[str], kept: int = KEPT
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


def prune(s3: "S3Client", ec2: "EC2Client", bucket: str, kept: int = KEPT) -> Iterator[str]:
    """Delete what is superfluous; yields each's key.

    Call it when no deploy is under way: its seed may be an old one, which no host names yet.
    Nothing is where EC2 lists no host at all, which may mean only that it lists none now.
    """
    there = tuple(hosts(ec2))
    if not there:
        return
    named = _values(REVISION_TAG, there) | _values(COMMIT_TAG, _images(ec2))
    for gone in superfluous(_lying(s3, bucket), named, kept):
        s3.delete_object(Bucket=bucket, Key=gone)
        yield gone


def _values(tag: str, things: Iterable[Any]) -> set[str]:
    """Of that tag, on hosts or on images."""
    tags = (one for thing in things for one in thing.get("Tags", []))
    return {one["Value"] for one in tags if one["Key"] == tag}


def _images(ec2: "EC2Client") -> Iterator["ImageTypeDef"]:
    for page in ec2.get_paginator("describe_images").paginate(Owners=["self"]):
        yield from page["Images"]


def _lying(s3: "S3Client", bucket: str) -> Iterator[StoredSeed]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{FOLDER}/")
    for page in pages:
        for one in page.get("Contents", []):
            yield StoredSeed(one["Key"], one["LastModified"])
