"""What of an instance's bundle is in S3, and what of it is stale."""

import json
from typing import TYPE_CHECKING

from clawbot.provision import bundle_object, checkout
from clawbot.provision.archive import unpack
from clawbot.provision.bundle_object import REPOSITORY, SECRETS, Packed, Place
from clawbot.provision.fault import ProvisionError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def secrets_fault(s3: "S3Client", bucket: str, prefix: str, wanted: Packed) -> str | None:
    return _fault(s3, Place(bucket, f"{prefix}/{SECRETS}"), wanted)


def repository_fault(
    s3: "S3Client", bucket: str, prefix: str, wanted: Packed, instance: str
) -> str | None:
    place = Place(bucket, f"{prefix}/{REPOSITORY}")
    fault = _fault(s3, place, wanted)
    if fault and "stale" in fault and not _knows(s3, place, instance):
        return f"{place} is a repository that does not know {instance}."
    return fault


def _fault(s3: "S3Client", place: Place, wanted: Packed) -> str | None:
    there = bundle_object.head(s3, place)
    if there is None:
        return f"{place} is missing."
    # Held by its content: another zstd packs the same files otherwise.
    if there.content_sha256 != wanted.head.content_sha256:
        return f"{place} is stale."
    return None


def _knows(s3: "S3Client", place: Place, instance: str) -> bool:
    try:
        fetched = bundle_object.get(s3, place)
        files = unpack(fetched[0]) if fetched else {}
        return instance in json.loads(files[str(checkout.REGISTRY)].data)
    except (ProvisionError, KeyError, ValueError, TypeError):
        return False
