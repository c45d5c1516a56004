"""One resource change of a plan, as `tofu show -json` writes it; whatever is strange is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

HOST_TYPE = "aws_instance"
HOST = f"{HOST_TYPE}.clawdinator"
ROLE = "aws_iam_role.instance"
PROFILE = "aws_iam_instance_profile.instance"
POLICY = "aws_iam_role_policy.instance"
# A host can't be made without these.
IDENTITY = (ROLE, PROFILE, POLICY)
# What tofu/fleet keys by instance.
OWN = (HOST, *IDENTITY)
VPC = "aws_vpc.fleet"
GATEWAY = "aws_internet_gateway.fleet"
SUBNET = "aws_subnet.fleet"
ROUTES = "aws_route_table.fleet"
ROUTED = "aws_route_table_association.fleet"
GROUP = "aws_security_group.fleet"
# And what all hosts share. A test holds these lists to the files of tofu/fleet: anything else is no
# part of a fleet, and no deploy makes or changes it.
SHARED = (VPC, GATEWAY, SUBNET, ROUTES, ROUTED, GROUP)
# Holds nothing but a check on the registry, and no host leads to it: `finish` alone meets it.
CHECK = "terraform_data.registry_is_not_empty"
# What tofu/fleet reads, and what it reads by instance.
DATA = ("data.aws_partition.current", "data.aws_caller_identity.current")
KEYED_DATA = "data.aws_iam_policy_document.instance"


class Action(StrEnum):
    """What would happen to a resource; anything not listed here is not understood."""

    NOTHING = "stay as it is"
    READ = "be read"
    CREATE = "be created"
    UPDATE = "be updated in place"
    REPLACE = "be replaced"
    DELETE = "be destroyed"


_ACTIONS = {
    ("no-op",): Action.NOTHING,
    ("read",): Action.READ,
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("delete",): Action.DELETE,
}
_MODES = ("managed", "data")


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a plan would do to one object.

    Attributes:
        resource: the address without its index.
        index: the key in a `for_each`, the number in a `count`, or None.
        deposed: whether this is a leftover that an earlier apply could not remove.
        provider: what would do it, as ``<registry>/<namespace>/<name>``.
        before: what stands there now; empty where nothing does.
        after: what would stand there afterwards, as far as that is known.
        unknown: true where something shows only once the plan is applied; shaped like `after`.
    """

    address: str
    resource: str
    type: str
    data: bool
    index: str | int | None
    deposed: bool
    action: Action
    provider: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    unknown: Mapping[str, object]

    @property
    def old_id(self) -> str:
        """The id of the object that is there now, or empty."""
        return _word(self.before.get("id"))

    @property
    def image(self) -> str:
        """The image that the object would have afterwards, or empty."""
        return _word(self.after.get("ami"))


class BadChange(ValueError):
    """A shape that a plan should not have; the message says what is strange about it."""


def host_address(id_: str) -> str:
    """Where an instance's host stands in the configuration."""
    return keyed_address(HOST, id_)


def keyed_address(resource: str, id_: str) -> str:
    """Where what is keyed by an instance stands in the configuration."""
    return f'{resource}["{id_}"]'


def targets(id_: str) -> tuple[str, ...]:
    """What a host's plan is limited to: the host, and what is keyed by the same id.

    Naming the host alone would plan its identity for every id at once, and so destroy that of
    a host which left the registry but still runs.
    """
    return tuple(keyed_address(resource, id_) for resource in OWN)


def address_of(raw: object) -> str:
    """The address that a change gives itself, however strange the rest of it is."""
    address = raw.get("address") if isinstance(raw, Mapping) else None
    return address if isinstance(address, str) and address else "a change without an address"


def read(raw: object) -> ResourceChange:
    """The change; BadChange rather than guess."""
    if not isinstance(raw, Mapping):
        raise BadChange("it is not an object")
    address, type_, name = (_text(raw, key) for key in ("address", "type", "name"))
    mode, module = _text(raw, "mode"), _text(raw, "module_address", required=False)
    if mode not in _MODES:
        raise BadChange(f"its mode is {mode!r}")
    resource = ".".join(
        part for part in (module, "data" if mode == "data" else "", type_, name) if part
    )
    index = _index(raw, address, resource)
    if _text(raw, "previous_address", required=False) not in ("", address):
        raise BadChange(f"it was {raw['previous_address']!r} before: a move is done by hand")
    change = raw.get("change")
    if not isinstance(change, Mapping):
        raise BadChange("it does not say what would change")
    if change.get("importing"):
        raise BadChange("it would be imported: that is done by hand")
    return ResourceChange(
        address=address,
        resource=resource,
        type=type_,
        data=mode == "data",
        index=index,
        deposed=bool(_text(raw, "deposed", required=False)),
        action=_action(change),
        provider=_text(raw, "provider_name"),
        before=_side(change, "before"),
        after=_side(change, "after"),
        unknown=_side(change, "after_unknown"),
    )


def _text(raw: Mapping[str, object], key: str, *, required: bool = True) -> str:
    value = raw.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise BadChange(f"its {key} is {value!r}")
    return value


def _index(raw: Mapping[str, object], address: str, resource: str) -> str | int | None:
    """The index, which must be the one that the address shows: the guard judges by both."""
    index = raw.get("index")
    if isinstance(index, bool) or not isinstance(index, str | int | None):
        raise BadChange(f"its index is {index!r}")
    shown = "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
    if address != resource + shown:
        raise BadChange(f"its address is not {resource + shown}")
    return index


def _action(change: Mapping[str, object]) -> Action:
    actions = change.get("actions")
    if isinstance(actions, list) and all(isinstance(one, str) for one in actions):
        action = _ACTIONS.get(tuple(actions))
        if action is not None:
            return action
    raise BadChange(f"its actions are {actions!r}")


def _side(change: Mapping[str, object], side: str) -> Mapping[str, object]:
    value = change.get(side)
    return value if isinstance(value, Mapping) else {}


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
