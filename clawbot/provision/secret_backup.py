"""The backup of nix-secrets in S3, below `age-secrets/`: the same encrypted files."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clawbot.provision import age
from clawbot.provision.bundle_object import S3Uri, in_words
from clawbot.provision.error import ProvisionError
from clawbot.provision.secret_folder import SecretFolder

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PREFIX = "age-secrets/"


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of files that are not in S3 as they are here, and that are only there."""

    stale: tuple[str, ...]
    left: tuple[str, ...]


def difference(s3: "S3Client", bucket: str, folder: SecretFolder) -> Difference:
    there = _listed(s3, bucket)
    here = {name: folder.read(name) or b"" for name in folder.names()}
    stale = (name for name, data in here.items() if there.get(name) != _etag(data))
    return Difference(tuple(stale), tuple(sorted(there.keys() - here.keys())))


def sync(s3: "S3Client", bucket: str, folder: SecretFolder) -> Iterator[str]:
    """Make S3 as the folder is; yields what was done. Refuses a file that is not encrypted."""
    plain = [name for name in folder.names() if age.readers(folder.read(name) or b"") is None]
    if plain:
        raise ProvisionError(
            *(
                f"{name}.age is not an age file; a plain secret must not be uploaded."
                for name in plain
            )
        )
    found = difference(s3, bucket, folder)
    with in_words(S3Uri(bucket, PREFIX)):
        for name in found.stale:
            s3.put_object(Bucket=bucket, Key=_key(name), Body=folder.read(name) or b"")
            yield f"{_key(name)}: uploaded."
        for name in found.left:
            s3.delete_object(Bucket=bucket, Key=_key(name))
            yield f"{_key(name)}: removed."


def _listed(s3: "S3Client", bucket: str) -> dict[str, str]:
    with in_words(S3Uri(bucket, PREFIX)):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
        return {
            one["Key"].removeprefix(PREFIX).removesuffix(".age"): one["ETag"].strip('"')
            for page in pages
            for one in page.get("Contents", [])
        }


def _key(name: str) -> str:
    return f"{PREFIX}{name}.age"


def _etag(data: bytes) -> str:
    """The ETag that S3 gives an object that was put in one piece."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
