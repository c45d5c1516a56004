"""Make secrets, take them in, and encrypt them to exactly those who are to read them."""

import secrets as random
from collections.abc import Iterable, Iterator

from clawbot.provision import age, secret_check
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import (
    CONTROL_TOKEN,
    FleetSecret,
    Invoker,
    Kind,
    control_token,
    identity_name,
    invokers,
    needed_by,
    secrets,
)
from clawbot.provision.invoker_key import InvokerKeys
from clawbot.provision.secret_folder import SecretFolder
from fleet_control.registry import Registry

PREVIOUS_TOKEN = f"{CONTROL_TOKEN}-previous"
_TOKEN_BYTES = 32


def make(
    registry: Registry, instances: Iterable[str], folder: SecretFolder, keys: InvokerKeys
) -> Iterator[str]:
    """Make what is missing of these instances, and encrypt the shared ones to them too.

    Yields what was done, a sentence each; ProvisionError at the end names what can't be made.
    """
    wanted = tuple(instances)
    if not folder.recipients.operators:
        folder.add_operator(folder.operator.recipient)
        yield f"recipients.json: {folder.operator.recipient} is the operator."
    for id_ in wanted:
        yield from _make_identity(id_, folder)
    if folder.read(CONTROL_TOKEN) is None:
        _write(control_token(registry), random.token_urlsafe(_TOKEN_BYTES).encode(), folder)
        yield f"{CONTROL_TOKEN}: made."
    problems: list[str] = []
    for id_ in wanted:
        try:
            yield from _make_keys(registry, id_, folder, keys)
        except ProvisionError as error:
            problems += error.problems
    for secret in {one.name: one for id_ in wanted for one in needed_by(registry, id_)}.values():
        more = secret_check.excess(secret, folder)
        if more:
            # Encrypting it again would only hide who knows it.
            problems.append(more)
        elif _encrypt_again(secret, folder):
            yield f"{secret.name}: encrypted again, for {', '.join(secret.instances)}."
    if problems:
        raise ProvisionError(*dict.fromkeys(problems))


def to_take(registry: Registry, instances: Iterable[str], folder: SecretFolder) -> tuple[str, ...]:
    """Names of the secrets that only a person can get, each once."""
    missing = (
        secret.name
        for id_ in instances
        for secret in needed_by(registry, id_)
        if secret.taken and folder.read(secret.name) is None
    )
    return tuple(dict.fromkeys(missing))


def to_be_taken(registry: Registry, name: str) -> FleetSecret:
    """The secret of that name; ProvisionError where it is none to take in."""
    secret = next((one for one in secrets(registry) if one.name == name), None)
    if secret is None or not secret.taken:
        known = sorted(one.name for one in secrets(registry) if one.taken)
        raise ProvisionError(
            f"{name} is no token and no agent's secret of the registry; those are "
            f"{', '.join(known)}."
        )
    return secret


def take(registry: Registry, secret: FleetSecret, value: bytes, folder: SecretFolder) -> None:
    """Take a secret in; ProvisionError where its value is some other one's."""
    for other in secrets(registry):
        # Two agents may well have the same allow list.
        both_agents = secret.kind is other.kind is Kind.AGENTS
        if other.name != secret.name and not both_agents and folder.reveal(other.name) == value:
            raise ProvisionError(f"That is the value of {other.name}; each needs its own.")
    if secret.kind is Kind.TOKEN and (
        alike := secret_check.same_account(registry, secret, value, folder)
    ):
        raise ProvisionError(
            f"That is a token of the account that {alike.name} logs in; each needs its own."
        )
    _write(secret, value, folder)


def rotate_control_token(registry: Registry, folder: SecretFolder) -> None:
    """A new control token; the old one is kept for the operators until it is retired."""
    old = folder.reveal(CONTROL_TOKEN)
    if old is None:
        raise ProvisionError("There is no control token yet: `clawbot secrets make all` makes it.")
    if folder.read(PREVIOUS_TOKEN) is not None:
        raise ProvisionError(
            "The control token before this one is still accepted: retire it first with "
            f"`clawbot secrets retire {CONTROL_TOKEN}`."
        )
    folder.write(PREVIOUS_TOKEN, old, folder.recipients.operators)
    _write(control_token(registry), random.token_urlsafe(_TOKEN_BYTES).encode(), folder)


def accepted_tokens(folder: SecretFolder) -> str:
    """What the Control API is to accept, one a line, the newest first."""
    found = [folder.reveal(name) for name in (CONTROL_TOKEN, PREVIOUS_TOKEN)]
    if found[0] is None:
        raise ProvisionError("There is no control token yet: `clawbot secrets make all` makes it.")
    return "\n".join(one.decode() for one in found if one is not None)


def rotate_keys(registry: Registry, instance: str, folder: SecretFolder, keys: InvokerKeys) -> None:
    """New keys for both invokers of the instance; the old ones go on working."""
    own = {one.name: one for one in needed_by(registry, instance)}
    for invoker in invokers(instance):
        _keep_new_key(invoker, folder.recipients.of(own[invoker.access_key_id]), folder, keys)


def retire_keys(instance: str, folder: SecretFolder, keys: InvokerKeys) -> Iterator[str]:
    """Delete the instance's keys that are not the ones kept here; yields their ids."""
    for invoker in invokers(instance):
        held = folder.reveal(invoker.access_key_id)
        if held is None:
            raise ProvisionError(f"{invoker.access_key_id}.age is missing; nothing was deleted.")
        yield from keys.delete_others(invoker.user, held.decode())


def forget(
    registry: Registry, instance: str, folder: SecretFolder, keys: InvokerKeys
) -> Iterator[str]:
    """Take back everything of an instance that left the registry; yields what was done."""
    for invoker in invokers(instance):
        for key_id in keys.delete_others(invoker.user, ""):
            yield f"{invoker.user}: key {key_id} deleted."
        folder.delete(invoker.access_key_id)
        folder.delete(invoker.secret_access_key)
    folder.forget(instance)
    yield f"{identity_name(instance)}: deleted."
    if _encrypt_again(control_token(registry), folder):
        yield (
            f"{CONTROL_TOKEN}: encrypted again without {instance}, which still knows it: "
            f"`clawbot secrets rotate {CONTROL_TOKEN}` makes another."
        )
    for secret in secrets(registry):
        if secret.kind is Kind.AGENTS and _encrypt_again(secret, folder):
            yield (
                f"{secret.name}: encrypted again without {instance}, which still knows it: get "
                f"another, and `clawbot secrets take {secret.name}`."
            )


def _make_identity(id_: str, folder: SecretFolder) -> Iterator[str]:
    if folder.read(identity_name(id_)) is None:
        folder.add_identity(id_)
        yield f"{identity_name(id_)}: made."
        return
    known = folder.identity(id_)
    operators = folder.recipients.operators
    if known is not None and age.readers(folder.read(identity_name(id_)) or b"") != len(operators):
        folder.write(identity_name(id_), known.secret.encode(), operators)
        yield f"{identity_name(id_)}: encrypted again, for every operator."
    if known is not None and folder.recipients.instances.get(id_) != known.recipient:
        folder.note_identity(id_, known)
        yield f"recipients.json: {id_} is {known.recipient}."


def _make_keys(
    registry: Registry, id_: str, folder: SecretFolder, keys: InvokerKeys
) -> Iterator[str]:
    own = {one.name: one for one in needed_by(registry, id_)}
    for invoker in invokers(id_):
        names = (invoker.access_key_id, invoker.secret_access_key)
        if all(folder.read(name) is not None for name in names):
            continue
        _keep_new_key(invoker, folder.recipients.of(own[names[0]]), folder, keys)
        yield f"{invoker.user}: key made."


def _keep_new_key(
    invoker: Invoker, readers: set[str], folder: SecretFolder, keys: InvokerKeys
) -> None:
    """Make a new IAM key and write both halves of it, or neither."""
    with keys.made(invoker.user) as key:
        halves = {
            invoker.access_key_id: key.access_key_id.encode(),
            invoker.secret_access_key: key.secret_access_key.encode(),
        }
        folder.write_together(halves, readers)


def _write(secret: FleetSecret, value: bytes, folder: SecretFolder) -> None:
    folder.write(secret.name, value, folder.recipients.of(secret))


def _encrypt_again(secret: FleetSecret, folder: SecretFolder) -> bool:
    """Encrypt it anew if a reader can't read it or one more can; returns whether it was done."""
    data, plain = folder.read(secret.name), folder.reveal(secret.name)
    if data is None or plain is None:
        return False
    wanted = folder.recipients.of(secret)
    readable = all(
        folder.opens(id_, secret.name)
        for id_ in secret.instances
        if id_ in folder.recipients.instances
    )
    if readable and age.readers(data) == len(wanted):
        return False
    folder.write(secret.name, plain, wanted)
    return True
