"""Uploads a disk to S3 and imports it into EC2 as a snapshot."""

from pathlib import Path
from typing import TYPE_CHECKING

from workflows.fleet_deploy.health import Time
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build.registration import COMMIT_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3.client import S3Client

PREFIX = "image-build"
# The service role of VM Import, by the name that AWS gives it; tofu/control makes it.
ROLE = "vmimport"
POLL_SECONDS = 20.0
DEADLINE_SECONDS = 3600.0


def upload(s3: "S3Client", bucket: str, name: str, disk: Path) -> str:
    """The disk's key in the bucket."""
    key = f"{PREFIX}/{name}{disk.suffix}"
    s3.upload_file(str(disk), bucket, key)
    return key


def begin(ec2: "EC2Client", bucket: str, key: str, name: str) -> str:
    """The task's id; `name` also makes it the same import when it is asked for twice."""
    answer = ec2.import_snapshot(
        ClientToken=name,
        Description=name,
        RoleName=ROLE,
        DiskContainer={
            "Description": name,
            "Format": "VHD",
            "UserBucket": {"S3Bucket": bucket, "S3Key": key},
        },
    )
    return answer["ImportTaskId"]


def finished(ec2: "EC2Client", task: str, clock: Time) -> str:
    """The snapshot's id, once it is whole; Stopped where it never will be."""
    until = clock.monotonic() + DEADLINE_SECONDS
    while True:
        answer = ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])
        detail = answer["ImportSnapshotTasks"][0]["SnapshotTaskDetail"]
        status = detail.get("Status", "")
        if status == "completed":
            return detail["SnapshotId"]
        why = detail.get("StatusMessage", "nothing is said of why")
        if status in ("deleting", "deleted"):
            raise Stopped("Import failed", f"EC2 gave up importing the disk: {why}.")
        if clock.monotonic() + POLL_SECONDS > until:
            raise Stopped("Import failed", f"EC2 still imports the disk after an hour: {why}.")
        clock.sleep(POLL_SECONDS)


def mark(ec2: "EC2Client", snapshot: str, commit: str) -> None:
    """Say whose it is: without that an image may not be made of it, nor may it be deleted."""
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": COMMIT_TAG, "Value": commit}])
