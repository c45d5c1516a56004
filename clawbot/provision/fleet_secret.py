"""The fleet's secrets by its registry: each one's name, its kind, the instances that need it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from clawbot.provision.error import ProvisionError
from fleet_control.registry import Instance, Registry

CONTROL_TOKEN = "clawdinator-control-token"  # noqa: S105  (its name)
IDENTITY = "clawdinator-identity"
_KEY_ID, _KEY = "access-key-id", "secret-access-key"
# An instance's login on each platform, and the bot's own there.
_LOGINS = (
    ("discord_token_secret", "clawbot_discord_token_secret"),
    ("telegram_token_secret", "clawbot_telegram_token_secret"),
)


class Kind(StrEnum):
    CONTROL_TOKEN = "control token"  # noqa: S105  (its name)
    KEY = "invoker's key"
    TOKEN = "token"  # noqa: S105  (its name)
    AGENTS = "secret"


class Readers(StrEnum):
    """Whose users on a host may read a secret, as nix/modules/secrets.nix has it."""

    AGENT = "the agent"
    BOT = "the bot"
    BOTH = "the agent and the bot"


@dataclass(frozen=True, slots=True)
class FleetSecret:
    """One secret of the fleet.

    Attributes:
        name: in nix-secrets, before ``.age``.
        on_host: in a bundle before ``.age``, and below /run/agenix.
        instances: who needs it.
        readers: whose it is there.
    """

    name: str
    on_host: str
    kind: Kind
    instances: tuple[str, ...]
    readers: Readers

    @property
    def taken(self) -> bool:
        """Whether an operator has to take it in, since no command can make it."""
        return self.kind in (Kind.TOKEN, Kind.AGENTS)


@dataclass(frozen=True, slots=True)
class Invoker:
    """An IAM user of tofu/control, and the two secrets that are its key."""

    user: str
    access_key_id: str
    secret_access_key: str
    readers: Readers


def secrets(registry: Registry) -> tuple[FleetSecret, ...]:
    """Every secret, shared ones first.

    ProvisionError where one name would be two things, or would have readers of two kinds.
    """
    own = (one for id_, entry in registry.items() for one in _own(id_, entry))
    found = (control_token(registry), *_agents(registry), *own)
    if problems := tuple(_ambiguous(found, registry.ids)):
        raise ProvisionError(*problems)
    return found


def needed_by(registry: Registry, instance: str) -> tuple[FleetSecret, ...]:
    return tuple(one for one in secrets(registry) if instance in one.instances)


def control_token(registry: Registry) -> FleetSecret:
    return FleetSecret(CONTROL_TOKEN, CONTROL_TOKEN, Kind.CONTROL_TOKEN, registry.ids, Readers.BOTH)


def invokers(instance: str) -> tuple[Invoker, ...]:
    """The agent's and the bot's, by the names of tofu/control/invokers.tf."""
    return tuple(
        Invoker(
            f"{instance}-{role}", f"{key}-{_KEY_ID}-{instance}", f"{key}-{_KEY}-{instance}", readers
        )
        for role, key, readers in (
            ("agent", "clawdinator-control-aws", Readers.AGENT),
            ("chat", "clawdinator-chat-aws", Readers.BOT),
        )
    )


def identity_name(instance: str) -> str:
    """The name of the secret that holds the instance's age identity, for the operators."""
    return f"{IDENTITY}-{instance}"


def _agents(registry: Registry) -> Iterator[FleetSecret]:
    """The agents' further secrets, each once, for every instance whose entry lists it."""
    listed = {id_: entry.agent_secrets or () for id_, entry in registry.items()}
    for name in dict.fromkeys(name for names in listed.values() for name in names):
        instances = tuple(id_ for id_, names in listed.items() if name in names)
        yield FleetSecret(name, name, Kind.AGENTS, instances, Readers.AGENT)


def _own(id_: str, entry: Instance) -> Iterator[FleetSecret]:
    for invoker in invokers(id_):
        for name in (invoker.access_key_id, invoker.secret_access_key):
            on_host = name.removesuffix(f"-{id_}")
            yield FleetSecret(name, on_host, Kind.KEY, (id_,), invoker.readers)
    for instances, bots in _LOGINS:
        instances_token, bots_token = getattr(entry, instances), getattr(entry, bots)
        if instances_token:
            yield FleetSecret(instances_token, instances_token, Kind.TOKEN, (id_,), Readers.AGENT)
        if bots_token:
            yield FleetSecret(bots_token, bots_token, Kind.TOKEN, (id_,), Readers.BOT)


def _ambiguous(found: tuple[FleetSecret, ...], ids: tuple[str, ...]) -> Iterator[str]:
    """A sentence for each name that would be more than one thing.

    The registry refuses such names; whoever writes bundles does not take its word for it.
    """
    things: dict[str, set[str]] = defaultdict(set)
    for id_ in ids:
        things[identity_name(id_)].add("an identity")
    for one in found:
        things[one.name].add(f"the {one.kind} of {one.readers} ({one.on_host})")
        for id_ in one.instances:
            things[f"/run/agenix/{one.on_host} of {id_}"].add(one.name)
    for name, several in things.items():
        if len(several) > 1:
            yield (
                f"{name} would be {' and '.join(sorted(several))}: name one of them otherwise in "
                "nix/instances.json."
            )
