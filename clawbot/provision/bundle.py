"""An instance's bundle: build it, upload it with its manifest, and compare both with S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clawbot.provision import boot, bundle_object, secret_check
from clawbot.provision.bundle_object import MANIFEST, SECRETS, Packed, S3Uri, sha256
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import needed_by
from clawbot.provision.secret_folder import SecretFolder
from fleet_control import archive, manifest
from fleet_control.archive import File
from fleet_control.error import ManifestError
from fleet_control.manifest import Manifest
from fleet_control.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class Bundle:
    """An instance's secrets, packed, and the manifest that says what they are."""

    secrets: Packed
    manifest: Manifest

    @property
    def said(self) -> Packed:
        """The manifest, ready to upload."""
        data = manifest.write(self.manifest)
        return Packed(data, data)


def build(registry: Registry, instance: str, folder: SecretFolder) -> Bundle:
    """Pack the shared secrets, the instance's identity, its own tokens and keys, in memory only.

    ProvisionError names whatever is missing or wrong.
    """
    problems = secret_check.faults(registry, instance, folder)
    if problems:
        raise ProvisionError(*problems)
    encrypted = {
        f"{secret.on_host}.age": folder.read(secret.name) or b""
        for secret in needed_by(registry, instance)
    }
    identity = folder.identity(instance)
    files = {boot.IDENTITY: File(boot.identity_file(identity.secret, instance))} if identity else {}
    content = archive.tar(files | {name: File(data) for name, data in encrypted.items()})
    packed = Packed(archive.compress(content), content)
    return Bundle(
        packed,
        Manifest(
            instance=instance,
            bootstrap_prefix=registry[instance].bootstrap_prefix,
            files={name: sha256(data) for name, data in encrypted.items()},
            archive=packed.head.sha256,
        ),
    )


def upload(s3: "S3Client", bucket: str, bundle: Bundle) -> None:
    """The secrets first, then the manifest, since a run believes the manifest."""
    prefix = bundle.manifest.bootstrap_prefix
    bundle_object.put(s3, S3Uri(bucket, f"{prefix}/{SECRETS}"), bundle.secrets)
    bundle_object.put(s3, S3Uri(bucket, f"{prefix}/{MANIFEST}"), bundle.said)


def faults(s3: "S3Client", bucket: str, wanted: Bundle) -> Iterator[str]:
    """A sentence for each object in S3 that is missing or is not as `wanted`."""
    prefix = wanted.manifest.bootstrap_prefix
    uri, beside = (S3Uri(bucket, f"{prefix}/{name}") for name in (SECRETS, MANIFEST))
    there = bundle_object.head(s3, uri)
    if there is None:
        yield f"{uri} is missing."
    # Held by its content: another zstd packs the same files otherwise.
    elif there.content_sha256 != wanted.secrets.head.content_sha256:
        yield f"{uri} is stale."
    said = bundle_object.get(s3, beside)
    if said is None:
        yield f"{beside} is missing."
    elif there is not None and not _says(said[0], wanted.manifest, there.sha256):
        yield f"{beside} does not say what the bundle is."


def _says(data: bytes, wanted: Manifest, archive_sha256: str) -> bool:
    """Whether `data` is the manifest of the bundle whose archive lies in S3."""
    try:
        return manifest.read(data) == wanted.model_copy(update={"archive": archive_sha256})
    except ManifestError:
        return False
