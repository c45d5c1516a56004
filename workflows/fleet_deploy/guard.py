"""Stop a plan that would touch more than was asked.

OpenTofu decides what a plan holds; this decides whether it may be applied. What is not understood
is a trespass, never a pass.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from fleet_control.caller import is_instance_id
from workflows.fleet_deploy.change import (
    CHECK,
    DATA,
    HOST,
    HOST_TYPE,
    IDENTITY,
    KEYED_DATA,
    SHARED,
    Action,
    Change,
    Unreadable,
    address_of,
    foreign,
    host_address,
    read,
    targets,
)

# Names of what makes, stops or starts machines, so that it is told as a host by another name. Not
# all of them, nor need they be: what is on no list is stopped all the same.
_HOST_TYPES = (HOST_TYPE, "aws_spot_", "aws_ec2_fleet", "aws_autoscaling_", "aws_ec2_instance_")
# The thing that deploys, its lock and its keys live in states of their own. Here they would mean
# that two states were mixed up.
_CONTROL_TYPES = (
    "aws_lambda_",
    "aws_dynamodb_",
    "aws_iam_user",
    "aws_iam_access_key",
    "aws_iam_openid_connect_provider",
)
# How a provider's name ends; the registry before it is the engine's.
_AWS, _BUILT_IN = "/hashicorp/aws", "/builtin/terraform"
_GENTLE = (Action.READ, Action.CREATE, Action.UPDATE)
_STRANGER = "it is no part of a fleet"
_LEFTOVER = "it is the leftover of an earlier apply: see to it by hand"


@dataclass(frozen=True, slots=True)
class Trespass:
    """One thing a plan must not do.

    Attributes:
        address: what it would be done to.
        action: what would be done, to be read after "would".
        why: why it may not.
    """

    address: str
    action: str
    why: str

    def __str__(self) -> str:
        return f"{self.address} would {self.action}: {self.why}"


@dataclass(frozen=True, slots=True)
class Machines:
    """What EC2 shows, to hold the plan's idea of it against.

    Attributes:
        owners: every machine of the fleet by its id, and the instance that it is named for.
        live: the instances that have a machine which is not on its way out.
    """

    owners: Mapping[str, str]
    live: frozenset[str]


def rolled(
    plan: object, ids: Collection[str], image: str, machines: Machines, caller: str = ""
) -> tuple[Trespass, ...]:
    """What a plan for the hosts of `ids` does beyond replacing or creating exactly those.

    Allowed are: those hosts, new on `image`; creating or updating in place what is keyed by their
    ids, and what all hosts share. Nothing of the bot instance `caller` may change.
    """
    expected = {host_address(id_): id_ for id_ in ids}
    own = {address for id_ in ids for address in targets(id_)}
    changes, strange = _changes(plan)
    moved = {one.address for one in changes if one.action in (Action.REPLACE, Action.CREATE)}
    idle = [
        Trespass(address, Action.NOTHING, "it was to be replaced")
        for address in expected
        if address not in moved
    ]
    found = _judged(
        changes, caller, lambda one: _beyond_the_roll(one, expected, own, image, machines)
    )
    return (*strange, *found, *idle)


def finished(
    plan: object, registered: Collection[str], machines: Machines, caller: str = ""
) -> tuple[Trespass, ...]:
    """What the last plan of `all` does beyond removing what left and bringing the rest up to date.

    It may not touch a registered host, nor anything of the bot instance `caller`. What is keyed by
    ids that left the registry may go.
    """
    changes, strange = _changes(plan)
    found = _judged(changes, caller, lambda one: _beyond_finishing(one, registered, machines))
    return (*strange, *found)


def removed(plan: object) -> tuple[str, ...]:
    """The ids of the hosts that a plan destroys and does not make again."""
    changes, _ = _changes(plan)
    return tuple(
        str(one.index)
        for one in changes
        if _is_fleet_host(one) and one.action is Action.DELETE and not one.deposed
    )


def _changes(plan: object) -> tuple[tuple[Change, ...], tuple[Trespass, ...]]:
    """The plan's changes, and what about it can't be read."""
    if not isinstance(plan, Mapping):
        return (), (_strange("the plan", "it is not an object"),)
    strange = [_strange("the plan", why) for why in _strange_plan(plan)]
    changes: list[Change] = []
    listed = plan.get("resource_changes") or []
    for raw in listed if isinstance(listed, list) else []:
        try:
            changes.append(read(raw))
        except Unreadable as error:
            strange.append(_strange(address_of(raw), str(error)))
    twice = Counter(one.address for one in changes if not one.deposed)
    strange += [_strange(address, "it stands twice") for address, n in twice.items() if n > 1]
    return tuple(changes), tuple(strange)


def _strange(address: str, why: str) -> Trespass:
    return Trespass(address, "change in a way I do not understand", why)


def _strange_plan(plan: Mapping[str, object]) -> Iterable[str]:
    version = plan.get("format_version")
    if not isinstance(version, str) or not version.startswith("1."):
        yield f"its format version is {version!r}, not 1.x"
    if not isinstance(plan.get("resource_changes", []), list | None):
        yield "its resource_changes are not a list"
    if plan.get("errored"):
        yield "making it failed"
    for key in ("deferred_changes", "action_invocations"):
        if plan.get(key):
            yield f"it holds {key}"


def _judged(
    changes: Collection[Change], caller: str, beyond: Callable[[Change], str | None]
) -> tuple[Trespass, ...]:
    made = {one.address for one in changes if one.action is Action.CREATE}
    judged = (
        (
            one,
            _of_the_caller(one, caller)
            or beyond(one)
            or _by_another_provider(one)
            or foreign(one, made),
        )
        for one in changes
        if one.action is not Action.NOTHING
    )
    return tuple(Trespass(one.address, one.action, why) for one, why in judged if why)


def _of_the_caller(change: Change, caller: str) -> str | None:
    if caller and change.index == caller and not (change.data and change.action is Action.READ):
        return f"it belongs to {caller}, which asked for this, and no bot instance deploys itself"
    return None


def _by_another_provider(change: Change) -> str | None:
    provider = _BUILT_IN if change.resource == CHECK else _AWS
    if change.provider.endswith(provider):
        return None
    return f"{change.provider} would do it, and not {provider.removeprefix('/')}"


def _beyond_the_roll(
    change: Change,
    expected: Mapping[str, str],
    own: Collection[str],
    image: str,
    machines: Machines,
) -> str | None:
    if _is_host(change):
        id_ = expected.get(change.address)
        return _host_beyond(change, id_, image, machines) if id_ else "nobody asked for this host"
    if why := _never(change):
        return why
    if change.deposed:
        return _LEFTOVER
    if change.action not in _GENTLE:
        return "a host's job destroys or replaces nothing but its host"
    if change.data or change.address in own or change.address in SHARED:
        return None
    return "it is keyed by no host that is moved here" if _is_identity(change) else _STRANGER


def _host_beyond(change: Change, id_: str, image: str, machines: Machines) -> str | None:
    if change.deposed:
        return _LEFTOVER
    if change.action not in (Action.REPLACE, Action.CREATE):
        return "a host is only ever replaced or created"
    if change.image != image:
        return f"it would run {change.image or 'an unknown image'} and not {image}"
    if change.action is Action.CREATE:
        return (
            f"{id_} has a machine that OpenTofu does not see, and two would share its token; "
            "deploy again in a few minutes"
            if id_ in machines.live
            else None
        )
    return _of_another(change, id_, machines)


def _of_another(change: Change, id_: str, machines: Machines) -> str | None:
    """Why not, where the machine that would go is not the one that EC2 shows under this id."""
    owner = machines.owners.get(change.old_id)
    if owner == id_:
        return None
    machine = change.old_id or "a machine without an id"
    return f"that would take away {machine}, which EC2 shows as {owner or 'none of the fleet'}"


def _beyond_finishing(
    change: Change, registered: Collection[str], machines: Machines
) -> str | None:
    if _is_host(change):
        return _host_stays(change, registered, machines)
    if why := _never(change):
        return why
    if change.action in _GENTLE:
        return _beyond_the_registry(change, registered)
    left = _is_keyed(change) and change.index not in registered
    if change.action is Action.DELETE and _is_identity(change) and left:
        return None
    return "a run removes only what is keyed by an id that left the registry; do this by hand"


def _beyond_the_registry(change: Change, registered: Collection[str]) -> str | None:
    if _is_identity(change):
        return None if change.index in registered else "its key is not in the registry"
    return None if change.data or change.address in (*SHARED, CHECK) else _STRANGER


def _host_stays(change: Change, registered: Collection[str], machines: Machines) -> str | None:
    if not _is_fleet_host(change):
        return "it is no host of the registry's"
    if change.index in registered:
        return "it is registered, and registered hosts are only moved one by one"
    if not _is_keyed(change):
        return "its key names no instance"
    if change.action is not Action.DELETE:
        return "it is not in the registry"
    return _of_another(change, str(change.index), machines)


def _never(change: Change) -> str | None:
    """Why not, for what no deploy may do whichever its job."""
    if change.deposed and change.action is not Action.DELETE:
        return "a leftover can only be destroyed"
    if change.data and change.action is not Action.READ:
        return "a data source can only be read"
    if change.data:
        known = change.address in DATA or (change.resource == KEYED_DATA and _is_keyed(change))
        return None if known else "no fleet reads such a thing"
    if change.action is Action.READ:
        return "only a data source can be read"
    if change.type.startswith(_CONTROL_TYPES):
        return "it belongs to the control plane, and no deploy may touch what deploys"
    return None


def _is_host(change: Change) -> bool:
    return not change.data and change.type.startswith(_HOST_TYPES)


def _is_fleet_host(change: Change) -> bool:
    return change.resource == HOST


def _is_identity(change: Change) -> bool:
    return change.resource in IDENTITY and isinstance(change.index, str)


def _is_keyed(change: Change) -> bool:
    return isinstance(change.index, str) and is_instance_id(change.index)
