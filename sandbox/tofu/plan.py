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
        known: the machines of the state, by name: a plan is stale once that is another.
        refreshed: what is left of them: those that EC2 showed, or that were not asked about.
    """

    changes: tuple[Change, ...]
    known: Mapping[str, str]
    refreshed: Mapping[str, str]

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


def make(
    types: Mapping[str, str],
    known: Mapping[str, str],
    hosts: Mapping[str, Host],
    image: str,
    replace: Collection[str],
    targets: Collection[str],
) -> Plan:
    """`types` are the registry's instance types by id, `hosts` what EC2 shows of what is `known`.

    No `targets` means everything.

    Image and type of a host that is there are ignored: only `replace` moves it.
    """

    def after(name: str) -> Host | None:
        if name not in types:
            return None
        stays = name in hosts and _address(name) not in replace
        return hosts[name] if stays else Host("", image, types[name])

    def is_chosen(name: str) -> bool:
        return not targets or _address(name) in targets

    return Plan(
        tuple(
            Change(name, hosts.get(name), after(name))
            for name in sorted({*types, *hosts})
            if is_chosen(name)
        ),
        known,
        {name: id_ for name, id_ in known.items() if name in hosts or not is_chosen(name)},
    )


def _address(name: str) -> str:
    return f"{_RESOURCE}[{json.dumps(name)}]"


def to_json(plan: Plan) -> str:
    """What `show -json` prints; what is beside it is for `apply`."""
    changes = [_change(one) for one in plan.changes]
    beside = {"known": plan.known, "refreshed": plan.refreshed}
    return json.dumps({"format_version": "1.2", "resource_changes": changes, **beside})


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
    return Plan(changes, raw["known"], raw["refreshed"])


def _host(attributes: Mapping[str, Any] | None) -> Host | None:
    if attributes is None:
        return None
    return Host(attributes["id"], attributes["ami"], attributes["instance_type"])
