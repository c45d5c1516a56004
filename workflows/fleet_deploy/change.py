"""One resource change of a plan, as `tofu show -json` writes it; read without good faith."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

HOST_TYPE = "aws_instance"
HOST = f"{HOST_TYPE}.clawdinator"
ROLE = "aws_iam_role.instance"
POLICY = "aws_iam_role_policy.instance"
TRUST = "assume_role_policy"
TO_EC2 = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"},
        }
    ],
}
# What tofu/fleet keys by instance, and what each says there: whose it is and what bounds it. `{id}`
# is the key, `*` anything.
OWN: Mapping[str, Mapping[str, str]] = {
    HOST: {
        "tags.Name": "{id}",
        "tags_all.app": "clawdinator",
        "iam_instance_profile": "{id}-host",
        "metadata_options.http_tokens": "required",
    },
    ROLE: {
        "name": "{id}-host",
        "path": "/fleet/host/{id}/",
        "permissions_boundary": "arn:*:iam::*:policy/fleet/control/clawdinator-host",
        TRUST: "*",
    },
    "aws_iam_instance_profile.instance": {
        "name": "{id}-host",
        "path": "/fleet/host/{id}/",
        "role": "{id}-host",
    },
    POLICY: {"name": "own-bootstrap-and-ssm-messages", "role": "{id}-host"},
}
# A host can't be made without these.
IDENTITY = tuple(resource for resource in OWN if resource != HOST)
# And what all hosts share. A test holds these lists to the files of tofu/fleet: anything else is no
# part of a fleet, and no deploy makes or changes it.
SHARED = (
    "aws_vpc.fleet",
    "aws_internet_gateway.fleet",
    "aws_subnet.fleet",
    "aws_route_table.fleet",
    "aws_route_table_association.fleet",
    "aws_security_group.fleet",
)
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
class Change:
    """What a plan would do to one object.

    Attributes:
        resource: the address without its index.
        index: the key in a `for_each`, the number in a `count`, or None.
        deposed: whether this is a leftover that an earlier apply could not remove.
        provider: what would do it, as ``<registry>/<namespace>/<name>``.
        old_id: the id of the object that is there now, or empty.
        image: the image that the object would have afterwards, or empty.
        says: what it would say afterwards of what `OWN` lists for it, as far as that is a text
            and known.
        unknown: what of that shows only once the plan is applied.
    """

    address: str
    resource: str
    type: str
    data: bool
    index: str | int | None
    deposed: bool
    action: Action
    provider: str
    old_id: str
    image: str
    says: Mapping[str, str]
    unknown: frozenset[str]


class Unreadable(ValueError):
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


def foreign(change: Change, made: Collection[str]) -> str | None:
    """How a thing that is keyed by one instance is not that instance's own, or None.

    `made` are the addresses of what the plan creates.
    """
    id_ = str(change.index)
    # A role and a profile have their name for an id, a policy its role's before its own.
    if change.resource in IDENTITY and change.action is not Action.CREATE:
        owner = change.old_id.partition(":")[0]
        if owner != f"{id_}-host":
            return f"what is there now is {change.old_id or 'without an id'}, not {id_}'s"
    if change.action is Action.DELETE:
        return None
    for attribute, form in OWN.get(change.resource, {}).items():
        own, said = form.replace("{id}", id_), change.says.get(attribute)
        if said is None and _comes_with_its_role(change, attribute, made):
            continue
        if said is None or not fnmatchcase(said, own):
            return f"its {attribute} would be {said or 'nothing known'} and not {own}"
        if attribute == TRUST and not _trusts_ec2_alone(said):
            return "it would trust others than EC2"
    return None


def _trusts_ec2_alone(policy: str) -> bool:
    """IAM can bound what a role may do, not whom it trusts: nothing but this holds that."""
    try:
        return bool(json.loads(policy) == TO_EC2)
    except (ValueError, RecursionError):
        return False


def _comes_with_its_role(change: Change, attribute: str, made: Collection[str]) -> bool:
    """Whether this is a policy's role, which the engine can't know before it made that."""
    return (
        (change.resource, attribute) == (POLICY, "role")
        and attribute in change.unknown
        and keyed_address(ROLE, str(change.index)) in made
    )


def address_of(raw: object) -> str:
    """The address that a change gives itself, however strange the rest of it is."""
    address = raw.get("address") if isinstance(raw, Mapping) else None
    return address if isinstance(address, str) and address else "a change without an address"


def read(raw: object) -> Change:
    """The change; raises Unreadable rather than guess."""
    if not isinstance(raw, Mapping):
        raise Unreadable("it is not an object")
    address, type_, name = (_text(raw, key) for key in ("address", "type", "name"))
    mode, module = _text(raw, "mode"), _text(raw, "module_address", required=False)
    if mode not in _MODES:
        raise Unreadable(f"its mode is {mode!r}")
    resource = ".".join(
        part for part in (module, "data" if mode == "data" else "", type_, name) if part
    )
    index = _index(raw, address, resource)
    if _text(raw, "previous_address", required=False) not in ("", address):
        raise Unreadable(f"it was {raw['previous_address']!r} before: a move is done by hand")
    change = raw.get("change")
    if not isinstance(change, Mapping):
        raise Unreadable("it does not say what would change")
    if change.get("importing"):
        raise Unreadable("it would be imported: that is done by hand")
    told = {path: _attribute(change, "after", path) for path in OWN.get(resource, ())}
    return Change(
        address=address,
        resource=resource,
        type=type_,
        data=mode == "data",
        index=index,
        deposed=bool(_text(raw, "deposed", required=False)),
        action=_action(change),
        provider=_text(raw, "provider_name"),
        old_id=_known(change, "before", "id"),
        image=_known(change, "after", "ami"),
        says={path: value for path, value in told.items() if isinstance(value, str)},
        unknown=frozenset(
            path for path in told if _attribute(change, "after_unknown", path) is True
        ),
    )


def _text(raw: Mapping[str, object], key: str, *, required: bool = True) -> str:
    value = raw.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise Unreadable(f"its {key} is {value!r}")
    return value


def _index(raw: Mapping[str, object], address: str, resource: str) -> str | int | None:
    """The index, which must be the one that the address shows: the guard judges by both."""
    index = raw.get("index")
    if isinstance(index, bool) or not isinstance(index, str | int | None):
        raise Unreadable(f"its index is {index!r}")
    shown = "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
    if address != resource + shown:
        raise Unreadable(f"its address is not {resource + shown}")
    return index


def _action(change: Mapping[str, object]) -> Action:
    actions = change.get("actions")
    if isinstance(actions, list) and all(isinstance(one, str) for one in actions):
        action = _ACTIONS.get(tuple(actions))
        if action is not None:
            return action
    raise Unreadable(f"its actions are {actions!r}")


def _known(change: Mapping[str, object], side: str, path: str) -> str:
    value = _attribute(change, side, path)
    return value if isinstance(value, str) else ""


def _attribute(change: Mapping[str, object], side: str, path: str) -> object:
    """What stands there at `path`, or None; of a block that may stand more than once, the only."""
    value = change.get(side)
    for key in path.split("."):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
