"""The plan: what has to be done so that the hosts are as the registry says."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.tofu.attributes import Setting, of_network

_RESOURCE = "aws_instance.clawdinator"


@dataclass(frozen=True, slots=True)
class TofuHost:
    """A host there is, or one to be made (which has no id yet)."""

    id: str
    image: str
    type: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What happens to one instance's host.

    Attributes:
        name: the instance's id.
    """

    name: str
    before: TofuHost | None
    after: TofuHost | None

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
class HostPlan:
    """
    Attributes:
        known: the machines of the state, by name: a plan is stale once that is another.
        refreshed: what is left of them: those that EC2 showed, or that were not asked about.
        user_data: of the hosts to be made, by name, once it was read from a file.
    """

    changes: tuple[PlannedChange, ...]
    known: Mapping[str, str]
    refreshed: Mapping[str, str]
    user_data: Mapping[str, str] = field(default_factory=dict)

    @property
    def moves(self) -> tuple[PlannedChange, ...]:
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
    hosts: Mapping[str, TofuHost],
    image: str,
    replace: Collection[str],
    targets: Collection[str],
    revision: str = "",
) -> HostPlan:
    """`types` are the registry's instance types by id, `hosts` what EC2 shows of what is `known`.

    No `targets` means everything.

    Image and type of a host that is there are ignored: only `replace` moves it.
    """

    def after(name: str) -> TofuHost | None:
        if name not in types:
            return None
        stays = name in hosts and _address(name) not in replace
        return hosts[name] if stays else TofuHost("", image, types[name], revision)

    def is_chosen(name: str) -> bool:
        return not targets or _address(name) in targets

    return HostPlan(
        tuple(
            PlannedChange(name, hosts.get(name), after(name))
            for name in sorted({*types, *hosts})
            if is_chosen(name)
        ),
        known,
        {name: id_ for name, id_ in known.items() if name in hosts or not is_chosen(name)},
    )


def _address(name: str) -> str:
    return f"{_RESOURCE}[{json.dumps(name)}]"


def to_json(plan: HostPlan, setting: Setting) -> str:
    """What `show -json` prints; what stands beside that is for `apply`."""
    network = of_network(setting.network).items()
    changes = [
        *(_described(address, ("no-op",), one, one) for address, one in network),
        *(_change(one, setting) for one in plan.changes),
    ]
    told = {one.name: setting.user_data(one.name) for one in plan.moves if one.after}
    beside = {"known": plan.known, "refreshed": plan.refreshed, "user_data": told}
    return json.dumps({"format_version": "1.2", "resource_changes": changes, **beside})


def _change(change: PlannedChange, setting: Setting) -> dict[str, Any]:
    before, after = (
        host and {**_attributes(host), **setting.of_host(change.name, host.revision)}
        for host in (change.before, change.after)
    )
    return _described(_RESOURCE, change.actions, before, after) | {
        "address": change.address,
        "index": change.name,
    }


def _described(address: str, actions: tuple[str, ...], before: Any, after: Any) -> dict[str, Any]:
    type_, name = address.split(".")
    return {
        "address": address,
        "mode": "managed",
        "type": type_,
        "name": name,
        "provider_name": "registry.opentofu.org/hashicorp/aws",
        "change": {"actions": actions, "before": before, "after": after},
    }


def _attributes(host: TofuHost) -> dict[str, Any]:
    return {"id": host.id, "ami": host.image, "instance_type": host.type}


def from_json(text: str) -> HostPlan:
    raw = json.loads(text)
    changes = tuple(
        PlannedChange(one["index"], _host(one["change"]["before"]), _host(one["change"]["after"]))
        for one in raw["resource_changes"]
        if "index" in one
    )
    return HostPlan(changes, raw["known"], raw["refreshed"], raw["user_data"])


def _host(attributes: Mapping[str, Any] | None) -> TofuHost | None:
    if attributes is None:
        return None
    return TofuHost(
        attributes["id"],
        attributes["ami"],
        attributes["instance_type"],
        attributes.get("tags", {}).get("revision", ""),
    )
