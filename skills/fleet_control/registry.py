"""The registry, `nix/instances.json`: which instances should exist."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from fleet_control.caller import ALL, is_instance_id
from fleet_control.error import RegistryError
from fleet_control.line import code

# How the names of the fleet's own secrets begin: its tokens, keys and identities. An agent whose
# token had such a name would be given somebody else's key.
FLEETS_OWN = ("clawdinator-control", "clawdinator-chat", "clawdinator-identity")


def is_fleets_own(secret: str) -> bool:
    """Whether a secret of that name is one that the fleet uses itself."""
    return f"{secret}-".startswith(tuple(f"{begin}-" for begin in FLEETS_OWN))


def _not_the_fleets_own(secret: str) -> str:
    if is_fleets_own(secret):
        begins = ", ".join(f"{begin}-…" for begin in FLEETS_OWN)
        raise PydanticCustomError(
            "fleets_own", "it may not be a name that the fleet uses itself ({begins})",
            {"begins": begins},
        )  # fmt: skip
    return secret


SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=100),
    AfterValidator(_not_the_fleets_own),
]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]


class Instance(BaseModel):
    """One entry of the registry.

    Attributes:
        host: the NixOS configuration and host name.
        instance_type: an EC2 instance type.
        bootstrap_prefix: where this instance's bundle lies in the bootstrap bucket.
        discord_token_secret: name of the age secret with its Discord token.
        discord_user_id: the Discord account that speaks as this instance.
        telegram_user_id: the Telegram account that speaks as this instance.
        telegram_token_secret: name of the age secret with its Telegram token.
        clawbot_discord_token_secret: the same with the Discord token of the bot, which logs in with
            no other; without it the bot does not serve Discord from this host.
        clawbot_telegram_token_secret: the same for Telegram.
        agent_secrets: names of further age secrets that its agent reads; instances may share one.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    host: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=63)]
    instance_type: Annotated[
        str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", max_length=32)
    ]
    bootstrap_prefix: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$", max_length=200)
    ]
    discord_token_secret: SecretName
    discord_user_id: AccountId | None = None
    telegram_user_id: AccountId | None = None
    telegram_token_secret: SecretName | None = None
    clawbot_discord_token_secret: SecretName | None = None
    clawbot_telegram_token_secret: SecretName | None = None
    agent_secrets: tuple[SecretName, ...] | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Names of the secrets that something logs in with."""
        named = (
            self.discord_token_secret,
            self.clawbot_discord_token_secret,
            self.telegram_token_secret,
            self.clawbot_telegram_token_secret,
        )
        return tuple(name for name in named if name)

    @property
    def bot_tokens(self) -> tuple[str, ...]:
        """Names of those that the bot logs in with; of none it serves no chat from this host."""
        named = (self.clawbot_discord_token_secret, self.clawbot_telegram_token_secret)
        return tuple(name for name in named if name)


class Registry(Mapping[str, Instance]):
    """Instances by id, in the file's order."""

    def __init__(self, instances: Mapping[str, Instance]) -> None:
        self._instances = dict(instances)

    def __getitem__(self, id_: str) -> Instance:
        return self._instances[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._instances)

    def __len__(self) -> int:
        return len(self._instances)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._instances)

    def by_discord(self, user_id: str) -> str | None:
        """The instance that this Discord account speaks as."""
        return next((id_ for id_, one in self.items() if one.discord_user_id == user_id), None)

    def by_telegram(self, user_id: str) -> str | None:
        """The instance that this Telegram account speaks as."""
        return next((id_ for id_, one in self.items() if one.telegram_user_id == user_id), None)


def parse(text: str | bytes) -> Registry:
    """The registry a file holds; RegistryError names every problem, each with its entry."""
    twice: list[str] = []
    try:
        raw = json.loads(_decoded(text), object_pairs_hook=lambda pairs: _object(pairs, twice))
    except (ValueError, RecursionError) as error:
        raise RegistryError([f"it is not JSON ({error})"]) from error
    if not isinstance(raw, dict):
        raise RegistryError(["it must be a JSON object of instance ids"])
    if not raw:
        raise RegistryError(["it is empty; an empty fleet would remove every host"])
    problems = [f"{code(key)} stands twice" for key in twice]
    found = {id_: _read(id_, entry, problems) for id_, entry in raw.items()}
    instances = {id_: instance for id_, instance in found.items() if instance is not None}
    problems += _clashes(instances)
    if problems:
        raise RegistryError(problems)
    return Registry(instances)


def _decoded(text: str | bytes) -> str:
    """The same whether a file or the Control API gave it: Python's own guess is for bytes alone."""
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise RegistryError(["it is not UTF-8; save it as that"]) from error
    if decoded.startswith("\ufeff"):
        raise RegistryError(["it begins with a byte order mark; save it as UTF-8 without one"])
    return decoded


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            twice.append(key)
        seen[key] = value
    return seen


def _read(id_: str, entry: object, problems: list[str]) -> Instance | None:
    if not is_instance_id(id_):
        problems.append(
            f"{code(id_)} is not an id: lower-case letters and digits, single hyphens between "
            f"them, at most 32, and not `{ALL}`"
        )
    try:
        return Instance.model_validate(entry, by_alias=True)
    except ValidationError as error:
        problems += [f"{code(id_)}: {_sentence(dict(detail))}" for detail in error.errors()]
        return None


def _sentence(detail: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown field {code(field)}"
        case "missing":
            return f"`{field}` is missing"
        case "string_pattern_mismatch":
            return f"`{field}` must match {detail['ctx']['pattern']}"
        case "model_type":
            return "it must be a JSON object"
        case "tuple_type":
            return f"`{field}` must be a list of secrets' names"
        case _:
            return f"`{field}`: {detail['msg']}"


def _clashes(instances: Mapping[str, Instance]) -> list[str]:
    return [
        *_shared("host", instances, lambda one: (one.host,)),
        *_shared("token secret", instances, lambda one: one.tokens),
        *_shared("Discord account", instances, lambda one: (one.discord_user_id,)),
        *_shared("Telegram account", instances, lambda one: (one.telegram_user_id,)),
        *_agents(instances),
        *_nested_prefixes(instances),
    ]


def _shared(
    what: str, instances: Mapping[str, Instance], of: Callable[[Instance], tuple[str | None, ...]]
) -> Iterator[str]:
    owner: dict[str, str] = {}
    for id_, instance in instances.items():
        for value in filter(None, of(instance)):
            if owner.get(value) == id_:
                yield f"`{id_}` names the {what} `{value}` twice: each login needs its own"
            elif value in owner:
                yield f"`{owner[value]}` and `{id_}` share the {what} `{value}`"
            owner.setdefault(value, id_)


def _agents(instances: Mapping[str, Instance]) -> Iterator[str]:
    """Secrets of an agent that something logs in with, or that its list has twice."""
    logins = {token: id_ for id_, one in instances.items() for token in one.tokens}
    for id_, instance in instances.items():
        listed = instance.agent_secrets or ()
        for name in dict.fromkeys(listed):
            if name in logins:
                yield f"`{id_}`: `agentSecrets` names the token secret `{name}` of `{logins[name]}`"
            if listed.count(name) > 1:
                yield f"`{id_}`: `agentSecrets` names `{name}` twice"


def _nested_prefixes(instances: Mapping[str, Instance]) -> Iterator[str]:
    """Two prefixes that are one, or of which one lies inside the other.

    Sorted by their parts, whatever lies inside a prefix comes right after it.
    """
    by_parts = sorted((one.bootstrap_prefix.split("/"), id_) for id_, one in instances.items())
    for (outer, outer_id), (inner, inner_id) in pairwise(by_parts):
        if inner[: len(outer)] == outer:
            yield (
                f"`{outer_id}` and `{inner_id}` share the bootstrap prefix "
                f"`{'/'.join(outer)}` (`{inner_id}` has `{'/'.join(inner)}`)"
            )
