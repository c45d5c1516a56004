"""Secrets of the fleet that lie in the repository for everybody to read."""

from collections.abc import Iterator
from pathlib import Path

from clawbot.provision import checkout
from clawbot.provision.inventory import Kind, secrets
from clawbot.provision.vault import Vault
from fleet_control.registry import Registry

# What is shorter is found anywhere.
_SHORTEST = 16


def found(folder: Path, registry: Registry, vault: Vault) -> Iterator[str]:
    """A sentence for each secret whose value a file of the checkout holds."""
    files = checkout.files(folder)
    for secret in secrets(registry):
        value = (vault.reveal(secret.name) or b"").strip()
        # An access key's id is no secret by itself.
        is_key_id = secret.kind is Kind.KEY and "access-key-id" in secret.name
        if len(value) < _SHORTEST or is_key_id:
            continue
        holding = next((path for path, data in files.items() if value in data), None)
        if holding:
            yield (
                f"{holding} holds the value of {secret.name}, in plain. Change that secret and "
                "take it out of the repository."
            )
