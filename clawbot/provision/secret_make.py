"""Make secrets, take them in, and encrypt them to exactly those who are to read them."""

import secrets as random
from collections.abc import Iterable, Iterator

from clawbot.provision import age, secret_check
from clawbot.provision.fault import ProvisionError
from clawbot.provision.inventory import (
    CONTROL_TOKEN,
    Invoker,
    Kind,
    Secret,
    control_token,
    identity_name,
    invokers,
    needed_by,
    secrets,
)
from clawbot.provision.invoker_key import InvokerKeys
from clawbot.provision.vault import Vault
from fleet_control.registry import Registry

PREVIOUS_TOKEN = f"{CONTROL_TOKEN}-previous"
_TOKEN_BYTES = 32


def make(
    registry: Registry, instances: Iterable[str], vault: Vault, keys: InvokerKeys
) -> Iterator[str]:
    """Make what is missing of these instances, and encrypt the shared ones to them too.

    Yields what was done, a sentence each; ProvisionError at the end names what can't be made.
    """
    wanted = tuple(instances)
    if not vault.recipients.operators:
        vault.add_operator(vault.operator.recipient)
        yield f"recipients.json: {vault.operator.recipient} is the operator."
    for id_ in wanted:
        yield from _make_identity(id_, vault)
    if vault.read(CONTROL_TOKEN) is None:
        _write(control_token(registry), random.token_urlsafe(_TOKEN_BYTES).encode(), vault)
        yield f"{CONTROL_TOKEN}: made."
    problems: list[str] = []
    for id_ in wanted:
        try:
            yield from _make_keys(registry, id_, vault, keys)
        except ProvisionError as error:
            problems += error.problems
    for secret in {one.name: one for id_ in wanted for one in needed_by(registry, id_)}.values():
        more = secret_check.excess(secret, vault)
        if more:
            # Encrypting it again would only hide who knows it.
            problems.append(more)
        elif _encrypt_again(secret, vault):
            yield f"{secret.name}: encrypted again, for {', '.join(secret.instances)}."
    if problems:
        raise ProvisionError(*dict.fromkeys(problems))


def to_take(registry: Registry, instances: Iterable[str], vault: Vault) -> tuple[str, ...]:
    """Names of the secrets that only a person can get, each once."""
    missing = (
        secret.name
        for id_ in instances
        for secret in needed_by(registry, id_)
        if secret.taken and vault.read(secret.name) is None
    )
    return tuple(dict.fromkeys(missing))


def take(registry: Registry, name: str, value: bytes, vault: Vault) -> None:
    """Take a secret in; ProvisionError where it is none to take, or is some other one's."""
    secret = next((one for one in secrets(registry) if one.name == name), None)
    if secret is None or not secret.taken:
        known = sorted(one.name for one in secrets(registry) if one.taken)
        raise ProvisionError(
            f"{name} is no token and no agent's secret of the registry; those are "
            f"{', '.join(known)}."
        )
    value = _valid(secret, value)
    for other in secrets(registry):
        # Two agents may well have the same allow list.
        alike = secret.kind is other.kind is Kind.AGENTS
        if other.name != name and not alike and vault.reveal(other.name) == value:
            raise ProvisionError(f"That is the value of {other.name}; each needs its own.")
    _write(secret, value, vault)


def _valid(secret: Secret, value: bytes) -> bytes:
    """As it is kept: text of several lines, such as a PEM, with the newline at its end."""
    value = value.strip()
    if secret.kind is Kind.TOKEN:
        if not value or not value.isascii() or len(value.split()) != 1:
            raise ProvisionError(
                f"{secret.name} must be one line of printable characters without spaces."
            )
        return value
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or "\0" in text:
        raise ProvisionError(f"{secret.name} must be text in UTF-8, a line or more.")
    return value + b"\n" if "\n" in text else value


def rotate_control_token(registry: Registry, vault: Vault) -> None:
    """A new control token; the old one is kept for the operators until it is retired."""
    old = vault.reveal(CONTROL_TOKEN)
    if old is None:
        raise ProvisionError("There is no control token yet: `clawbot secrets make all` makes it.")
    if vault.read(PREVIOUS_TOKEN) is not None:
        raise ProvisionError(
            "The control token before this one is still accepted: retire it first with "
            f"`clawbot secrets retire {CONTROL_TOKEN}`."
        )
    vault.write(PREVIOUS_TOKEN, old, vault.recipients.operators)
    _write(control_token(registry), random.token_urlsafe(_TOKEN_BYTES).encode(), vault)


def accepted_tokens(vault: Vault) -> str:
    """What the Control API is to accept, one a line, the newest first."""
    found = [vault.reveal(name) for name in (CONTROL_TOKEN, PREVIOUS_TOKEN)]
    if found[0] is None:
        raise ProvisionError("There is no control token yet: `clawbot secrets make all` makes it.")
    return "\n".join(one.decode() for one in found if one is not None)


def rotate_keys(registry: Registry, instance: str, vault: Vault, keys: InvokerKeys) -> None:
    """New keys for both invokers of the instance; the old ones go on working."""
    own = {one.name: one for one in needed_by(registry, instance)}
    for invoker in invokers(instance):
        _keep_new_key(invoker, vault.recipients.of(own[invoker.access_key_id]), vault, keys)


def retire_keys(instance: str, vault: Vault, keys: InvokerKeys) -> Iterator[str]:
    """Delete the instance's keys that are not the ones kept here; yields their ids."""
    for invoker in invokers(instance):
        held = vault.reveal(invoker.access_key_id)
        if held is None:
            raise ProvisionError(f"{invoker.access_key_id}.age is missing; nothing was deleted.")
        yield from keys.delete_others(invoker.user, held.decode())


def forget(registry: Registry, instance: str, vault: Vault, keys: InvokerKeys) -> Iterator[str]:
    """Take back everything of an instance that left the registry; yields what was done."""
    for invoker in invokers(instance):
        for key_id in keys.delete_others(invoker.user, ""):
            yield f"{invoker.user}: key {key_id} deleted."
        vault.delete(invoker.access_key_id)
        vault.delete(invoker.secret_access_key)
    vault.forget(instance)
    yield f"{identity_name(instance)}: deleted."
    if _encrypt_again(control_token(registry), vault):
        yield (
            f"{CONTROL_TOKEN}: encrypted again without {instance}, which still knows it: "
            f"`clawbot secrets rotate {CONTROL_TOKEN}` makes another."
        )
    for secret in secrets(registry):
        if secret.kind is Kind.AGENTS and _encrypt_again(secret, vault):
            yield (
                f"{secret.name}: encrypted again without {instance}, which still knows it: get "
                f"another, and `clawbot secrets take {secret.name}`."
            )


def _make_identity(id_: str, vault: Vault) -> Iterator[str]:
    if vault.read(identity_name(id_)) is None:
        vault.add_identity(id_)
        yield f"{identity_name(id_)}: made."
        return
    known = vault.identity(id_)
    operators = vault.recipients.operators
    if known is not None and age.readers(vault.read(identity_name(id_)) or b"") != len(operators):
        vault.write(identity_name(id_), known.secret.encode(), operators)
        yield f"{identity_name(id_)}: encrypted again, for every operator."
    if known is not None and vault.recipients.instances.get(id_) != known.recipient:
        vault.note_identity(id_, known)
        yield f"recipients.json: {id_} is {known.recipient}."


def _make_keys(registry: Registry, id_: str, vault: Vault, keys: InvokerKeys) -> Iterator[str]:
    own = {one.name: one for one in needed_by(registry, id_)}
    for invoker in invokers(id_):
        names = (invoker.access_key_id, invoker.secret_access_key)
        if all(vault.read(name) is not None for name in names):
            continue
        _keep_new_key(invoker, vault.recipients.of(own[names[0]]), vault, keys)
        yield f"{invoker.user}: key made."


def _keep_new_key(invoker: Invoker, readers: set[str], vault: Vault, keys: InvokerKeys) -> None:
    """Both halves of it, or neither."""
    with keys.made(invoker.user) as key:
        halves = {
            invoker.access_key_id: key.access_key_id.encode(),
            invoker.secret_access_key: key.secret_access_key.encode(),
        }
        vault.write_together(halves, readers)


def _write(secret: Secret, value: bytes, vault: Vault) -> None:
    vault.write(secret.name, value, vault.recipients.of(secret))


def _encrypt_again(secret: Secret, vault: Vault) -> bool:
    """Whether it had to be: some reader could not read it, or one more could."""
    data, plain = vault.read(secret.name), vault.reveal(secret.name)
    if data is None or plain is None:
        return False
    wanted = vault.recipients.of(secret)
    readable = all(
        vault.opens(id_, secret.name)
        for id_ in secret.instances
        if id_ in vault.recipients.instances
    )
    if readable and age.readers(data) == len(wanted):
        return False
    vault.write(secret.name, plain, wanted)
    return True
