"""What would be done: the registry held against the hosts that are there."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox.tofu import address
from sandbox.tofu.failure import Failed

_FORM = "clawbot-stand-in-plan-1"


class Action(StrEnum):
    NOTHING = "no-op"
    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


_AS_JSON = {
    Action.NOTHING: ["no-op"],
    Action.CREATE: ["create"],
    # Destroyed first: two hosts of one instance would share its Discord token.
    Action.REPLACE: ["delete", "create"],
    Action.DELETE: ["delete"],
}


@dataclass(frozen=True, slots=True)
class Host:
    """A host there is, or one to be made (which has no id yet)."""

    id: str
    image: str
    type: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one instance's host.

    Attributes:
        name: the instance's id.
    """

    name: str
    action: Action
    before: Host | None
    after: Host | None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Attributes:
        state: every host there was, by name: a plan is stale once that is another.
    """

    changes: tuple[Change, ...]
    state: Mapping[str, str]

    @property
    def moves(self) -> tuple[Change, ...]:
        return tuple(one for one in self.changes if one.action is not Action.NOTHING)


def make(
    types: Mapping[str, str],
    hosts: Mapping[str, Host],
    image: str,
    replace: Collection[str],
    targets: Collection[str],
) -> Plan:
    """`types` are the registry's instance types by id; no `targets` means everything.

    Image and type of a host that is there are ignored: only `replace` moves it.
    """
    names = sorted({*types, *hosts})
    chosen = [name for name in names if not targets or _is_among(name, targets)]
    return Plan(
        tuple(
            _change(name, types.get(name), hosts.get(name), image, _is_among(name, replace))
            for name in chosen
        ),
        {name: host.id for name, host in sorted(hosts.items())},
    )


def _is_among(name: str, addresses: Collection[str]) -> bool:
    return address.of(name) in addresses or address.RESOURCE in addresses


def _change(name: str, type_: str | None, host: Host | None, image: str, replace: bool) -> Change:
    if type_ is None:
        return Change(name, Action.DELETE, host, None)
    new = Host("", image, type_)
    if host is None:
        return Change(name, Action.CREATE, None, new)
    if replace:
        return Change(name, Action.REPLACE, host, new)
    return Change(name, Action.NOTHING, host, host)


def write(plan: Plan, file: Path) -> None:
    file.touch(mode=0o600)
    file.write_text(json.dumps({"form": _FORM, **asdict(plan)}))


def read(file: Path) -> Plan:
    try:
        raw = json.loads(file.read_text())
        if raw.get("form") != _FORM:
            raise ValueError
        return Plan(tuple(_read_change(one) for one in raw["changes"]), raw["state"])
    except OSError as error:
        raise Failed(f'Failed to load "{file.name}" as a plan file', str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failed(
            f'Failed to load "{file.name}" as a plan file', "It is no plan of this stand-in's."
        ) from error


def _read_change(raw: Mapping[str, Any]) -> Change:
    before, after = raw["before"], raw["after"]
    return Change(
        raw["name"],
        Action(raw["action"]),
        Host(**before) if before else None,
        Host(**after) if after else None,
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """What `show -json` prints."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.12.6",
        "resource_changes": [_change_as_json(one) for one in plan.changes],
        "applyable": bool(plan.moves),
        "complete": True,
        "errored": False,
    }


def _change_as_json(change: Change) -> dict[str, Any]:
    known = change.after is None or change.after.id
    return {
        "address": address.of(change.name),
        "mode": "managed",
        "type": "aws_instance",
        "name": "clawdinator",
        "index": change.name,
        "provider_name": "registry.opentofu.org/hashicorp/aws",
        "change": {
            "actions": _AS_JSON[change.action],
            "before": _attributes(change.name, change.before),
            "after": _attributes(change.name, change.after),
            "after_unknown": {} if known else {"id": True},
        },
        **({"action_reason": "replace_by_request"} if change.action is Action.REPLACE else {}),
    }


def _attributes(name: str, host: Host | None) -> dict[str, Any] | None:
    """As tofu/fleet has a host; the profile is in no state here, and the sandbox asks for none."""
    if host is None:
        return None
    return {
        **({"id": host.id} if host.id else {}),
        "ami": host.image,
        "instance_type": host.type,
        "iam_instance_profile": f"{name}-host",
        "metadata_options": [{"http_tokens": "required"}],
        "tags": {"Name": name},
        "tags_all": {"Name": name, "app": "clawdinator"},
    }
