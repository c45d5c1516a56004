"""python -m workflows.image_build: one new image, and the oldest images and seeds away."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from workflows.fleet_deploy import revision, runner, seed_upload
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.health import SystemTime, Time
from workflows.fleet_deploy.seed_upload import Seed
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build import nix_image, pruning, registration, snapshot
from workflows.image_build.nix_image import NixImage

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3.client import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Maker:
    """Everything the making of an image touches.

    Attributes:
        bucket: where the disk lies while EC2 imports it.
        seeds: the bucket that seeds lie in.
        commit: the revision that an image is of, and says it is of.
        build: builds the image when it is needed.
        deploying: whether a deploy waits or runs: it may be of an old image or seed that no host
            names yet, so nothing goes.
    """

    ec2: "EC2Client"
    s3: "S3Client"
    clock: Time
    bucket: str
    seeds: str
    commit: str
    build: Callable[[], NixImage]
    deploying: Callable[[], bool]

    def make(self) -> str:
        """The id of this commit's image, made unless it is there; then the oldest go."""
        there = registration.of_commit(self.ec2, self.commit)
        if there:
            log.info("image.there image=%s commit=%s", there, self.commit)
            return there
        image = self._make(self.build())
        if self.deploying():
            log.info("image.none_pruned why=deploying")
            return image
        for gone in pruning.prune(self.ec2):
            log.info("image.pruned id=%s", gone)
        for gone in pruning.prune_seeds(self.s3, self.ec2, self.seeds):
            log.info("image.seed_pruned key=%s", gone)
        return image

    def _make(self, built: NixImage) -> str:
        made = datetime.fromtimestamp(self.clock.now(), UTC)
        name = f"clawdinator-{made:%Y%m%d-%H%M%S}-{self.commit[:12]}"
        key = snapshot.upload(self.s3, self.bucket, name, built.disk)
        task = snapshot.begin(self.ec2, self.bucket, key, name)
        log.info("image.importing task=%s", task)
        imported = snapshot.finished(self.ec2, task, self.clock)
        snapshot.mark(self.ec2, imported, self.commit)
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        image = registration.register(self.ec2, imported, built, name, self.commit)
        log.info("image.registered image=%s snapshot=%s", image, imported)
        registration.wait_available(self.ec2, image, self.clock)
        registration.publish(self.ec2, image)
        return image


def main(environ: Mapping[str, str], root: Path) -> int:
    """Make an image of the revision of the checkout at `root`: 0 done, 1 stopped."""
    with runner.commands_stopped():
        made = _made(environ, root)
    if isinstance(made, Stopped):
        runner.write_summary(environ, f"### {made.title}\n\n{made}")
        runner.say_error(made.title, str(made))
        return 1
    runner.write_summary(environ, made)
    return 0


def _made(environ: Mapping[str, str], root: Path) -> str | Stopped:
    """What was made, in sentences, or what stopped it."""
    try:
        git = Git(root, environ)
        (sha,) = runner.needed(environ, "GITHUB_SHA")
        seed = seed_upload.of(git, revision.at(git, sha).commit)
        with TemporaryDirectory(prefix="image-") as folder:
            image = _maker(environ, seed, Path(folder)).make()
        holds = "It holds every host's system."
        if nix_image.without_systems(seed):
            holds = "It holds no host's system: nix/facts.json does not say what starts the agent."
        return f"The newest image is `{image}`, of {seed.commit[:7]}. {holds}"
    except Stopped as stop:
        return stop
    except (ClientError, BotoCoreError) as error:
        return Stopped("AWS refused", f"{error}")
    except Exception as error:
        log.exception("image.broken")
        return Stopped("Broken", f"Something I did not expect: {type(error).__name__}.")


def _maker(environ: Mapping[str, str], seed: Seed, folder: Path) -> Maker:
    region, bucket, seeds = runner.needed(environ, "AWS_REGION", "IMAGE_BUCKET", "BOOTSTRAP_BUCKET")
    api, token = runner.needed(environ, "GITHUB_API_URL", "GITHUB_TOKEN")
    run, github = runner.read_run(environ), GitHubRuns(api, token, control_api="")
    return Maker(
        boto3.client("ec2", region_name=region),
        boto3.client("s3", region_name=region),
        SystemTime(),
        bucket,
        seeds,
        seed.commit,
        lambda: nix_image.build(seed, folder),
        lambda: pruning.deploying(github, run, time.time()),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    sys.exit(main(os.environ, Path.cwd()))
