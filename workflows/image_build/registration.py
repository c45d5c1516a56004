"""Registers an image of a snapshot; the tag by which deploys find it comes last."""

from typing import TYPE_CHECKING

from fleet_control import seed
from workflows.fleet_deploy.health import Time
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build.nix_image import NixImage

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.literals import ArchitectureValuesType, BootModeValuesType
    from mypy_boto3_ec2.type_defs import TagTypeDef

# Which commit an image is of, and its snapshot: it is there from the start, also on one that is
# never finished. What the role of a build may change is known by it.
COMMIT_TAG = seed.COMMIT_TAG
# What a deploy looks for.
TAG = "clawdinator"
ROOT_DEVICE = "/dev/xvda"
POLL_SECONDS = 10.0
DEADLINE_SECONDS = 1800.0
_ARCHITECTURES: dict[str, "ArchitectureValuesType"] = {
    "x86_64-linux": "x86_64",
    "aarch64-linux": "arm64",
}
_BOOT_MODES: dict[str, "BootModeValuesType"] = {
    "legacy-bios": "legacy-bios",
    "uefi": "uefi",
    "uefi-preferred": "uefi-preferred",
}


def of_commit(ec2: "EC2Client", commit: str) -> str | None:
    """The finished image of this commit, if there is one."""
    answer = ec2.describe_images(
        Owners=["self"],
        Filters=[
            {"Name": f"tag:{COMMIT_TAG}", "Values": [commit]},
            {"Name": f"tag:{TAG}", "Values": ["true"]},
            {"Name": f"tag:{seed.BOOT_TAG}", "Values": [seed.BOOT]},
            {"Name": "state", "Values": ["available"]},
        ],
    )
    images = answer["Images"]
    return images[0]["ImageId"] if images else None


def register(ec2: "EC2Client", snapshot: str, image: NixImage, name: str, commit: str) -> str:
    """The new image's id; nobody takes it for one of ours yet."""
    if image.system not in _ARCHITECTURES or image.boot_mode not in _BOOT_MODES:
        raise Stopped("Build failed", f"No image for {image.system}, booted by {image.boot_mode}.")
    marks: list[TagTypeDef] = [
        {"Key": "Name", "Value": name},
        {"Key": COMMIT_TAG, "Value": commit},
        {"Key": seed.BOOT_TAG, "Value": seed.BOOT},
    ]
    answer = ec2.register_image(
        Name=name,
        Description="NixOS, CLAWDINATOR inside",
        Architecture=_ARCHITECTURES[image.system],
        BootMode=_BOOT_MODES[image.boot_mode],
        VirtualizationType="hvm",
        EnaSupport=True,
        SriovNetSupport="simple",
        ImdsSupport="v2.0",
        RootDeviceName=ROOT_DEVICE,
        BlockDeviceMappings=[
            {
                "DeviceName": ROOT_DEVICE,
                "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3", "DeleteOnTermination": True},
            }
        ],
        TagSpecifications=[{"ResourceType": "image", "Tags": marks}],
    )
    return answer["ImageId"]


def wait_available(ec2: "EC2Client", image: str, clock: Time) -> None:
    """Stopped where it can't be used after half an hour, or never."""
    until = clock.monotonic() + DEADLINE_SECONDS
    while True:
        found = ec2.describe_images(ImageIds=[image])["Images"]
        state = found[0]["State"] if found else "not there yet"
        if state == "available":
            return
        if state in ("failed", "error", "invalid", "deregistered"):
            raise Stopped("Image failed", f"{image} is {state}.")
        if clock.monotonic() + POLL_SECONDS > until:
            raise Stopped("Image failed", f"{image} is {state} after half an hour.")
        clock.sleep(POLL_SECONDS)


def publish(ec2: "EC2Client", image: str) -> None:
    """Tag the image, so that the next deploy takes it."""
    ec2.create_tags(Resources=[image], Tags=[{"Key": TAG, "Value": "true"}])
