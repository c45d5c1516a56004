"""What is wrong with secrets: missing, unreadable, readable by too many, or in plain view."""

from collections.abc import Iterator
from pathlib import Path

from clawbot.login import account
from clawbot.provision import age, checkout
from clawbot.provision.fleet_secret import FleetSecret, Kind, identity_name, needed_by, secrets
from clawbot.provision.secret_folder import SecretFolder
from fleet_control.registry import Registry

# Plain values that are shorter are not searched for: they are found anywhere.
_SHORTEST = 16


def faults(registry: Registry, instance: str, folder: SecretFolder) -> list[str]:
    """A sentence for each thing that is wrong with an instance's secrets."""
    return lacking(registry, instance, folder) or list(borrowed(registry, instance, folder))


def lacking(registry: Registry, instance: str, folder: SecretFolder) -> list[str]:
    """The same of each by itself: missing, not to be read, or to be read by too many."""
    found = list(_identity_faults(instance, folder))
    for secret in needed_by(registry, instance):
        found += _secret_faults(secret, instance, folder)
    return found


def same_account(
    registry: Registry, secret: FleetSecret, value: bytes | None, folder: SecretFolder
) -> FleetSecret | None:
    """Another login whose token is of the account that this token's value is of, if any is."""
    for other in secrets(registry):
        if other.kind is Kind.TOKEN and other.name != secret.name and value is not None:
            held = folder.reveal(other.name)
            if held is not None and account(held) == account(value):
                return other
    return None


def excess(secret: FleetSecret, folder: SecretFolder) -> str | None:
    """Who else may read it, if anybody: each known key is tried, and the keys are counted."""
    data = folder.read(secret.name)
    count = age.readers(data) if data is not None else None
    if data is None or count is None:
        return None
    able = sum(folder.opens(id_, secret.name) for id_ in secret.instances)
    if count <= able + len(folder.recipients.operators):
        return None
    others = [
        id_
        for id_ in folder.recipients.instances
        if id_ not in secret.instances and folder.opens(id_, secret.name)
    ]
    who = ", ".join(others) or "somebody who is not known here"
    return (
        f"{secret.name}.age is encrypted to one more than should read it: {who}. Change the secret "
        "itself: encrypting it again does not take it back."
    )


def in_plain(repository: Path, registry: Registry, folder: SecretFolder) -> Iterator[str]:
    """A sentence for each secret whose value a file of the repository holds."""
    files = checkout.files(repository)
    for secret in secrets(registry):
        value = (folder.reveal(secret.name) or b"").strip()
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


def _identity_faults(instance: str, folder: SecretFolder) -> Iterator[str]:
    identity = folder.identity(instance)
    name = f"{identity_name(instance)}.age"
    if folder.read(identity_name(instance)) is None:
        yield f"{name} is missing: make it with `clawbot secrets make {instance}`."
    elif identity is None:
        yield f"{name} can't be read by this operator; was it encrypted to another?"
    elif folder.recipients.instances.get(instance) != identity.recipient:
        yield (
            f"{name} is not the key that recipients.json has: run "
            f"`clawbot secrets make {instance}`."
        )


def _secret_faults(secret: FleetSecret, instance: str, folder: SecretFolder) -> Iterator[str]:
    file = f"{secret.name}.age"
    data = folder.read(secret.name)
    if data is None:
        if secret.taken:
            how = f"take it in with `clawbot secrets take {secret.name}`"
        else:
            how = f"make it with `clawbot secrets make {secret.instances[0]}`"
        yield f"{file} is missing: {how}."
    elif age.readers(data) is None:
        yield f"{file} is not an age file; a plain secret must not lie there. Remove it."
    elif not folder.opens(instance, secret.name):
        again = f"`clawbot secrets make {instance}`"
        yield f"{file} can't be read by {instance}: encrypt it again with {again}."
    else:
        if folder.reveal(secret.name) is None:
            yield f"{file} can't be read by this operator."
        if more := excess(secret, folder):
            yield more


def borrowed(registry: Registry, instance: str, folder: SecretFolder) -> Iterator[str]:
    """Tokens of this instance that log in somebody else too: its agent and its bot are two."""
    for secret in needed_by(registry, instance):
        if secret.kind is not Kind.TOKEN:
            continue
        other = same_account(registry, secret, folder.reveal(secret.name), folder)
        if other is None:
            continue
        (whose,) = other.instances
        yield (
            f"{secret.name}.age holds the token of {whose}: it logs in as {other.name} does, and "
            f"each needs its own. Take it in with `clawbot secrets take {secret.name}`."
        )
