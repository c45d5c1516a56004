"""Objects in the bootstrap bucket, each with the SHA-256 of its content in its metadata."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from clawbot.provision.error import ProvisionError
from fleet_control import aws_error, manifest
from fleet_control.archive import LARGEST_BYTES
from fleet_control.seed import CONTENT_SHA256, SHA256

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SECRETS = "secrets.tar.zst"
MANIFEST = manifest.NAME
# What a bundle was before seeds came from the run: hosts of then still look for it.
BEFORE = "repo-seeds.tar.zst"
NAMES = (SECRETS, MANIFEST, BEFORE)
_DENIED = ("403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_ABSENT = ("404", "NoSuchKey", "NotFound")


class Unreachable(ProvisionError):
    """S3 did not answer; nothing is known about what is there."""


@dataclass(frozen=True, slots=True)
class S3Uri:
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Head:
    """An object's metadata; the sums are empty where another program put it there."""

    sha256: str
    content_sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive ready to upload, and what it holds."""

    archive: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def head(self) -> Head:
        return Head(sha256(self.archive), sha256(self.content), len(self.archive))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def head(s3: "S3Client", uri: S3Uri) -> Head | None:
    """The object's metadata; None where there is no such object."""
    answer = _ask(s3.head_object, uri)
    if answer is None:
        return None
    said = answer["Metadata"]
    return Head(said.get(SHA256, ""), said.get(CONTENT_SHA256, ""), answer["ContentLength"])


def get(s3: "S3Client", uri: S3Uri) -> tuple[bytes, Head] | None:
    """The object's content and metadata; None where there is none, ProvisionError if too large."""
    answer = _ask(s3.get_object, uri)
    if answer is None:
        return None
    if answer["ContentLength"] > LARGEST_BYTES:
        answer["Body"].close()
        raise ProvisionError(
            f"{uri} is larger than {LARGEST_BYTES >> 20} MiB; nothing of it was read."
        )
    try:
        data: bytes = answer["Body"].read()
    except BotoCoreError as error:
        raise Unreachable(f"{uri} broke off while it was read ({error}).") from error
    said = answer["Metadata"]
    return data, Head(said.get(SHA256, ""), said.get(CONTENT_SHA256, ""), len(data))


def put(s3: "S3Client", uri: S3Uri, packed: Packed) -> None:
    """Upload, then read it back; ProvisionError unless that is what was sent."""
    wanted = packed.head
    _ask(
        s3.put_object,
        uri,
        Body=packed.archive,
        ChecksumSHA256=base64.b64encode(bytes.fromhex(wanted.sha256)).decode(),
        Metadata={SHA256: wanted.sha256, CONTENT_SHA256: wanted.content_sha256},
    )
    read = get(s3, uri)
    if read is None or read != (packed.archive, wanted):
        raise ProvisionError(f"{uri} is not what was just uploaded; somebody else uploads too?")


def prefixes(s3: "S3Client", bucket: str) -> tuple[str, ...]:
    """The prefixes in the bucket below which a bundle lies, or a part of one."""
    with in_words(S3Uri(bucket, "")):
        found = {
            one["Key"].rpartition("/")[0]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            for one in page.get("Contents", [])
            if one["Key"].endswith(tuple(f"/{name}" for name in NAMES))
        }
    return tuple(sorted(found))


def delete(s3: "S3Client", uri: S3Uri) -> bool:
    """Delete the object with all its versions; returns whether there was any."""
    with in_words(uri):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=uri.bucket, Prefix=uri.key)
        versions = [
            one["VersionId"]
            for page in pages
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            if one["Key"] == uri.key
        ]
        for version in versions:
            s3.delete_object(Bucket=uri.bucket, Key=uri.key, VersionId=version)
    return bool(versions)


def _ask(call: Any, uri: S3Uri, **arguments: Any) -> Any:
    """The answer to an S3 call; None where the object is not there."""
    try:
        with in_words(uri):
            return call(Bucket=uri.bucket, Key=uri.key, **arguments)
    except _Absent:
        return None


class _Absent(ProvisionError):
    pass


@contextmanager
def in_words(uri: S3Uri) -> Iterator[None]:
    """Turn what boto3 raises into a ProvisionError."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _ABSENT:
            raise _Absent(f"{uri} is not there.") from error
        if status >= 500:
            raise Unreachable(f"S3 does not serve {uri} at the moment ({code}).") from error
        why = f"S3 does not serve {uri} ({code})."
        if code in _DENIED:
            why = (
                f"S3 refuses {uri} ({code}): these credentials may not. A host's instance "
                "profile reads its own prefix only: is /etc/clawdinator/bootstrap-prefix its own?"
            )
        raise ProvisionError(aws_error.words(error, why)) from error
    except NoCredentialsError as error:
        # An operator's are looked at before: this is a host.
        why = f"This host has no AWS credentials for {uri}: is its instance profile attached?"
        raise Unreachable(why) from error
    except BotoCoreError as error:
        why = f"S3 can't be reached for {uri} ({type(error).__name__})."
        raise Unreachable(aws_error.words(error, why)) from error
