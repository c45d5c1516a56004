"""Packs a revision's seed from git's objects and puts it into the bucket where hosts look."""

import base64
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from fleet_control import archive
from fleet_control.archive import LARGEST_BYTES, ArchiveError, File
from fleet_control.machine import error_code
from fleet_control.seed import CONTENT_SHA256, PATHS, REVISION_FILE, SHA256, key
from fleet_control.seed_check import CONTRACT
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_FILE, _PROGRAM = "100644", "100755"
_THERE = ("PreconditionFailed", "ConditionalRequestConflict")
DENIED = ("AccessDenied", "403")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seed:
    """The files of a revision that its hosts need.

    Attributes:
        files: what it holds, by path.
    """

    commit: str
    files: Mapping[str, File] = field(repr=False)

    def packed(self) -> tuple[bytes, bytes]:
        """The archive, and the tar in it."""
        content = archive.tar(self.files)
        return archive.compress(content), content


def of(git: Git, commit: str) -> Seed:
    """The seed of this commit, from git's objects and no folder; Stopped for what is no file."""
    listed = git.says("ls-tree", "-r", "-z", "--full-tree", commit, "--", *PATHS).decode()
    found: dict[str, tuple[str, str]] = {}
    for line in filter(None, listed.split("\0")):
        about, _, path = line.partition("\t")
        mode, _, blob = about.split(" ")
        if mode not in (_FILE, _PROGRAM):
            raise Stopped("No seed", f"{path} is a link or a submodule; a host gets files only.")
        found[path] = (mode, blob)
    contents = _contents(git, [blob for _, blob in found.values()])
    files = {
        path: File(data, executable=mode == _PROGRAM)
        for (path, (mode, _)), data in zip(found.items(), contents, strict=True)
    }
    return Seed(commit, {**files, REVISION_FILE: File(f"{commit}\n".encode())})


def _contents(git: Git, blobs: list[str]) -> Iterator[bytes]:
    said = git.says("cat-file", "--batch", asked="".join(f"{one}\n" for one in blobs).encode())
    at = 0
    while at < len(said):
        begins = said.index(b"\n", at) + 1
        size = int(said[at:begins].split()[2])
        yield said[begins : begins + size]
        at = begins + size + 1


def put(s3: "S3Client", bucket: str, seed: Seed) -> str:
    """The SHA-256 of the archive that lies there for this seed from now on.

    What lies there already is never replaced: the same content is taken as it lies, any other is
    Stopped.
    """
    packed, content = seed.packed()
    sums = {SHA256: sha256(packed).hexdigest(), CONTENT_SHA256: sha256(content).hexdigest()}
    place = f"s3://{bucket}/{key(seed.commit)}"
    with s3_errors(place):
        try:
            s3.put_object(
                Bucket=bucket,
                Key=key(seed.commit),
                Body=packed,
                IfNoneMatch="*",
                ChecksumSHA256=base64.b64encode(sha256(packed).digest()).decode(),
                Metadata=sums,
            )
        except ClientError as error:
            if error_code(error) not in _THERE:
                raise
            return _taken(s3, bucket, seed)
    log.info("fleet.seeded revision=%s bytes=%d", seed.commit, len(packed))
    return sums[SHA256]


def _taken(s3: "S3Client", bucket: str, seed: Seed) -> str:
    """The sum of what lies there; Stopped unless it holds this seed's files and no others."""
    there = s3.get_object(Bucket=bucket, Key=key(seed.commit))
    data = there["Body"].read() if there["ContentLength"] <= LARGEST_BYTES else b""
    try:
        same = archive.unpack(data) == seed.files
    except ArchiveError:
        same = False
    if not same:
        raise Stopped(
            "Another seed",
            f"s3://{bucket}/{key(seed.commit)} is not what that commit holds: somebody else put it "
            f"there or changed it, or what a seed is of (PATHS in {CONTRACT}) changed since it was "
            "packed. Find out which, delete it, then deploy again.",
        )
    return sha256(data).hexdigest()


@contextmanager
def s3_errors(place: str) -> Iterator[None]:
    """Stopped where S3 does not serve that place, whatever the SDK raises."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in DENIED:
            why = f"The deploy role may not put or read {place}. Apply tofu/control as it is now."
            raise Stopped("Not set up", why) from error
        raise Stopped(
            "S3 is silent", f"S3 does not serve {place} ({error_code(error)})."
        ) from error
    except BotoCoreError as error:
        why = f"S3 can't be reached for {place} ({type(error).__name__})."
        raise Stopped("S3 is silent", why) from error
