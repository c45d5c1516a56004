"""What goes into an instance's bundle, what must not, and whether it is so in S3."""

import json
from typing import TYPE_CHECKING

from clawbot.provision import boot, bundle_object, checkout, secret_check
from clawbot.provision.bundle_object import Packed, Place
from clawbot.provision.fault import ProvisionError
from clawbot.provision.inventory import Kind, needed_by, secrets
from clawbot.provision.vault import Vault
from fleet_control import archive
from fleet_control.archive import ArchiveError, File
from fleet_control.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def secrets_archive(registry: Registry, instance: str, vault: Vault) -> Packed:
    """The shared secrets, the instance's identity, and its own tokens and keys; in memory only.

    ProvisionError names whatever is missing or wrong.
    """
    problems = secret_check.faults(registry, instance, vault)
    if problems:
        raise ProvisionError(*problems)
    identity = vault.identity(instance)
    files = {boot.IDENTITY: File(f"{identity.secret}\n".encode())} if identity else {}
    for secret in needed_by(registry, instance):
        files[f"{secret.on_host}.age"] = File(vault.read(secret.name) or b"")
    return _packed(files)


def repository_archive(registry: Registry, files: dict[str, File], vault: Vault) -> Packed:
    """The repository, for every instance the same; ProvisionError if a secret lies in it plain."""
    packed = _packed(files)
    for secret in secrets(registry):
        value = (vault.reveal(secret.name) or b"").strip()
        # An access key's id is no secret by itself, and what is short is found anywhere.
        is_key_id = secret.kind is Kind.KEY and "access-key-id" in secret.name
        if len(value) >= 16 and not is_key_id:
            holding = [path for path, file in files.items() if value in file.data]
            if holding:
                raise ProvisionError(
                    f"{holding[0]} holds the value of {secret.name}, in plain. Change that secret "
                    "and take it out of the repository."
                )
    return packed


def fault(s3: "S3Client", place: Place, wanted: Packed) -> str | None:
    """What is wrong with what lies there, if anything."""
    there = bundle_object.head(s3, place)
    if there is None:
        return f"{place} is missing."
    # Held by its content: another zstd packs the same files otherwise.
    if there.content_sha256 != wanted.head.content_sha256:
        return f"{place} is stale."
    return None


def lacks(s3: "S3Client", place: Place, instance: str) -> bool:
    """Whether a repository lies there that does not have this instance."""
    try:
        fetched = bundle_object.get(s3, place)
        files = archive.unpack(fetched[0]) if fetched else {}
        return bool(fetched) and instance not in json.loads(files[str(checkout.REGISTRY)].data)
    except (ProvisionError, ArchiveError, KeyError, ValueError, TypeError):
        return True


def _packed(files: dict[str, File]) -> Packed:
    content = archive.tar(files)
    return Packed(archive.compress(content), content)
