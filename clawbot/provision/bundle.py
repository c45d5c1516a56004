"""What goes into an instance's bundle, and what must not."""

from clawbot.provision import archive, boot, secret_check
from clawbot.provision.archive import File
from clawbot.provision.bundle_object import Packed
from clawbot.provision.fault import ProvisionError
from clawbot.provision.inventory import Kind, needed_by, secrets
from clawbot.provision.vault import Vault
from fleet_control.registry import Registry


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
        if len(value) >= 16 and not _is_key_id(secret.kind, secret.name):
            holding = [path for path, file in files.items() if value in file.data]
            if holding:
                raise ProvisionError(
                    f"{holding[0]} holds the value of {secret.name}, in plain. Change that secret "
                    "and take it out of the repository."
                )
    return packed


def _is_key_id(kind: Kind, name: str) -> bool:
    return kind is Kind.KEY and "access-key-id" in name


def _packed(files: dict[str, File]) -> Packed:
    content = archive.tar(files)
    return Packed(archive.compress(content), content)
