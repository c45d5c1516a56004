"""What would be done: the registry held against the hosts that are there."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_RESOURCE = "aws_instance.clawdinator"


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
    before: Host | None
    after: Host | None

    @property
    def address(self) -> str:
        return _address(self.name)

    @property
    def actions(self) -> tuple[str, ...]:
        if self.before == self.after:
            return ("no-op",)
        # Destroyed first: two hosts of one instance would share its Discord token.
        return ("delete",) * bool(self.before) + ("create",) * bool(self.after)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Attributes:
        hosts: the id of every host there was, by name: a plan is stale once that is another.
    """

    changes: tuple[Change, ...]
    hosts: Mapping[str, str]

    @property
    def moves(self) -> tuple[Change, ...]:
        return tuple(one for one in self.changes if one.before != one.after)

    @property
    def added(self) -> int:
        return sum(one.after is not None for one in self.moves)

    @property
    def destroyed(self) -> int:
        return sum(one.before is not None for one in self.moves)

    def words(self) -> str:
        if not self.moves:
            return "No changes. Your infrastructure matches the configuration."
        moves = "\n".join(f"  # {one.address}: {', '.join(one.actions)}" for one in self.moves)
        return f"{moves}\n\nPlan: {self.added} to add, 0 to change, {self.destroyed} to destroy."


def ids(hosts: Mapping[str, Host]) -> dict[str, str]:
    return {name: host.id for name, host in hosts.items()}


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

    def after(name: str) -> Host | None:
        if name not in types:
            return None
        stays = name in hosts and _address(name) not in replace
        return hosts[name] if stays else Host("", image, types[name])

    names = sorted({*types, *hosts})
    chosen = [name for name in names if not targets or _address(name) in targets]
    return Plan(tuple(Change(name, hosts.get(name), after(name)) for name in chosen), ids(hosts))


def _address(name: str) -> str:
    return f"{_RESOURCE}[{json.dumps(name)}]"


def to_json(plan: Plan) -> str:
    """What `show -json` prints; the hosts beside it are for `apply`."""
    changes = [_change(one) for one in plan.changes]
    return json.dumps({"format_version": "1.2", "resource_changes": changes, "hosts": plan.hosts})


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "mode": "managed",
        "type": "aws_instance",
        "name": "clawdinator",
        "index": change.name,
        "provider_name": "registry.opentofu.org/hashicorp/aws",
        "change": {
            "actions": change.actions,
            "before": _attributes(change.name, change.before),
            "after": _attributes(change.name, change.after),
        },
    }


def _attributes(name: str, host: Host | None) -> dict[str, Any] | None:
    """As tofu/fleet has a host; the profile is in no state here, and the sandbox asks for none."""
    if host is None:
        return None
    return {
        "id": host.id,
        "ami": host.image,
        "instance_type": host.type,
        "iam_instance_profile": f"{name}-host",
        "metadata_options": [{"http_tokens": "required"}],
        "tags": {"Name": name},
        "tags_all": {"Name": name, "app": "clawdinator"},
    }


def from_json(text: str) -> Plan:
    raw = json.loads(text)
    changes = tuple(
        Change(one["index"], _host(one["change"]["before"]), _host(one["change"]["after"]))
        for one in raw["resource_changes"]
    )
    return Plan(changes, raw["hosts"])


def _host(attributes: Mapping[str, Any] | None) -> Host | None:
    if attributes is None:
        return None
    return Host(attributes["id"], attributes["ami"], attributes["instance_type"])
