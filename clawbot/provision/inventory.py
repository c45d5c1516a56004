"""Which secrets a registry asks for, what each is called, and which instances need it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fleet_control.registry import Instance, Registry

CONTROL_TOKEN = "clawdinator-control-token"  # noqa: S105  (its name)
IDENTITY = "clawdinator-identity"
_KEY = ("access-key-id", "secret-access-key")
_TOKENS = (
    "discord_token_secret",
    "telegram_token_secret",
    "clawbot_discord_token_secret",
    "clawbot_telegram_token_secret",
)


class Kind(StrEnum):
    CONTROL_TOKEN = "control token"  # noqa: S105  (its name)
    KEY = "invoker's key"
    TOKEN = "token"  # noqa: S105  (its name)


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of the fleet.

    Attributes:
        name: in nix-secrets, before ``.age``.
        on_host: in a bundle before ``.age``, and below /run/agenix.
        instances: who needs it.
    """

    name: str
    on_host: str
    kind: Kind
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invoker:
    """An IAM user of tofu/control, and the two secrets that are its key."""

    user: str
    access_key_id: str
    secret_access_key: str


def secrets(registry: Registry) -> tuple[Secret, ...]:
    """Every secret, shared ones first."""
    own = (one for id_, entry in registry.items() for one in _own(id_, entry))
    return (control_token(registry), *own)


def needed_by(registry: Registry, instance: str) -> tuple[Secret, ...]:
    return (control_token(registry), *_own(instance, registry[instance]))


def control_token(registry: Registry) -> Secret:
    return Secret(CONTROL_TOKEN, CONTROL_TOKEN, Kind.CONTROL_TOKEN, registry.ids)


def invokers(instance: str) -> tuple[Invoker, ...]:
    """The agent's and the bot's, by the names of tofu/control/invokers.tf."""
    return tuple(
        Invoker(
            f"{instance}-{role}", *(f"clawdinator-{prefix}-aws-{part}-{instance}" for part in _KEY)
        )
        for role, prefix in (("agent", "control"), ("chat", "chat"))
    )


def identity_name(instance: str) -> str:
    """Of the secret that holds the instance's age identity, for the operators."""
    return f"{IDENTITY}-{instance}"


def _own(id_: str, entry: Instance) -> Iterator[Secret]:
    for invoker in invokers(id_):
        for name in (invoker.access_key_id, invoker.secret_access_key):
            yield Secret(name, name.removesuffix(f"-{id_}"), Kind.KEY, (id_,))
    for field in _TOKENS:
        name = getattr(entry, field)
        if name:
            yield Secret(name, name, Kind.TOKEN, (id_,))
