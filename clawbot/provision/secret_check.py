"""What is wrong with the secrets of an instance: missing, unreadable, readable by one more."""

from collections.abc import Iterator

from clawbot.provision import age
from clawbot.provision.inventory import Kind, Secret, identity_name, needed_by, secrets
from clawbot.provision.vault import Vault
from fleet_control.registry import Registry


def faults(registry: Registry, instance: str, vault: Vault) -> list[str]:
    """A sentence for each; empty where all is well."""
    found = list(_identity_faults(instance, vault))
    for secret in needed_by(registry, instance):
        found += _secret_faults(secret, instance, vault)
    if not found:
        found += _borrowed(registry, instance, vault)
    return found


def unreadable(secret: Secret, instance: str, vault: Vault) -> str | None:
    """Why this instance could not use the secret, if so."""
    file = f"{secret.name}.age"
    data = vault.read(secret.name)
    if data is None:
        return f"{file} is missing: {how_to_get(secret)}."
    if age.readers(data) is None:
        return f"{file} is not an age file; a plain secret must not lie there. Remove it."
    if not vault.opens(instance, secret.name):
        return (
            f"{file} can't be read by {instance}: encrypt it again with "
            f"`clawbot secrets make {instance}`."
        )
    return None


def excess(secret: Secret, vault: Vault) -> str | None:
    """Who else may read it, if anybody: each known key is tried, and the keys are counted."""
    data = vault.read(secret.name)
    count = age.readers(data) if data is not None else None
    if data is None or count is None:
        return None
    able = sum(vault.opens(id_, secret.name) for id_ in secret.instances)
    if count <= able + len(vault.recipients.operators):
        return None
    others = [
        id_
        for id_ in vault.recipients.instances
        if id_ not in secret.instances and vault.opens(id_, secret.name)
    ]
    who = ", ".join(others) or "somebody who is not known here"
    return (
        f"{secret.name}.age is encrypted to one more than should read it: {who}. Change the secret "
        "itself: encrypting it again does not take it back."
    )


def how_to_get(secret: Secret) -> str:
    if secret.taken:
        return f"take it in with `clawbot secrets take {secret.name}`"
    return f"make it with `clawbot secrets make {secret.instances[0]}`"


def _identity_faults(instance: str, vault: Vault) -> Iterator[str]:
    identity = vault.identity(instance)
    name = f"{identity_name(instance)}.age"
    if vault.read(identity_name(instance)) is None:
        yield f"{name} is missing: make it with `clawbot secrets make {instance}`."
    elif identity is None:
        yield f"{name} can't be read by this operator; was it encrypted to another?"
    elif vault.recipients.instances.get(instance) != identity.recipient:
        yield (
            f"{name} is not the key that recipients.json has: run "
            f"`clawbot secrets make {instance}`."
        )


def _secret_faults(secret: Secret, instance: str, vault: Vault) -> Iterator[str]:
    wrong = unreadable(secret, instance, vault)
    if wrong:
        yield wrong
        return
    if vault.reveal(secret.name) is None:
        yield f"{secret.name}.age can't be read by this operator."
    more = excess(secret, vault)
    if more:
        yield more


def _borrowed(registry: Registry, instance: str, vault: Vault) -> Iterator[str]:
    """Tokens of this instance that are some other instance's too."""
    mine = {
        vault.reveal(secret.name): secret.name
        for secret in needed_by(registry, instance)
        if secret.kind is Kind.TOKEN
    }
    for other in secrets(registry):
        if other.kind is Kind.TOKEN and instance not in other.instances:
            value = vault.reveal(other.name)
            if value is not None and value in mine:
                yield (
                    f"{mine[value]}.age holds the token of {other.instances[0]}: each instance "
                    f"needs its own. Take it in with `clawbot secrets take {mine[value]}`."
                )
