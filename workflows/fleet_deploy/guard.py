"""Stop a plan that would touch more than was asked.

OpenTofu decides what a plan holds; this decides whether it may be applied. What is not understood
is a violation, never a pass.
"""

from collections.abc import Callable, Collection, Mapping
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
    ResourceChange,
    host_address,
    targets,
)
from workflows.fleet_deploy.difference import difference, whole
from workflows.fleet_deploy.expectation import Expectation
from workflows.fleet_deploy.violation import Violation, changes_of

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
# Why this change may not be, or None.
_Rule = Callable[[ResourceChange], str | None]


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines that EC2 shows, to hold the plan against.

    Attributes:
        owners: every machine of the fleet by its id, and the instance that it is named for.
        live: the instances that have a machine which is not on its way out.
    """

    owners: Mapping[str, str]
    live: frozenset[str]


def rolled(
    plan: object,
    ids: Collection[str],
    image: str,
    machines: Machines,
    expectation: Expectation,
    caller: str = "",
) -> tuple[Violation, ...]:
    """What a plan for the hosts of `ids` does beyond replacing or creating exactly those.

    Allowed are: those hosts, new on `image`; creating or updating in place what is keyed by their
    ids, and what all hosts share. All of it, changed or not, is as the expectation has it. Nothing
    of the bot instance `caller` may change.
    """
    expected = {host_address(id_): id_ for id_ in ids}
    own = {address for id_ in ids for address in targets(id_)}
    changes, strange = changes_of(plan)
    moved = {one.address for one in changes if one.action in (Action.REPLACE, Action.CREATE)}
    idle = [
        Violation(address, Action.NOTHING, "it was to be replaced")
        for address in expected
        if address not in moved
    ]
    unlike = _comparison(plan, changes, expectation, image)
    found = _judged(
        changes, caller, lambda one: _beyond_the_roll(one, expected, own, image, machines), unlike
    )
    launched_on = [one for one in changes if one.address in own or one.address in SHARED]
    stays = [one for one in launched_on if one.action is Action.NOTHING and not _is_host(one)]
    astray = [Violation(one.address, Action.NOTHING, why) for one in stays if (why := unlike(one))]
    return (*strange, *found, *idle, *astray)


def finished(
    plan: object, machines: Machines, expectation: Expectation, caller: str = ""
) -> tuple[Violation, ...]:
    """What the last plan of `all` does beyond removing what left and bringing the rest up to date.

    It may not touch a registered host, nor anything of the bot instance `caller`. What is keyed by
    ids that left the registry may go.
    """
    changes, strange = changes_of(plan)
    registered, unlike = expectation.registry, _comparison(plan, changes, expectation)
    found = _judged(
        changes, caller, lambda one: _beyond_finishing(one, registered, machines), unlike
    )
    return (*strange, *found)


def removed(plan: object) -> tuple[str, ...]:
    """The ids of the hosts that a plan destroys and does not make again."""
    changes, _ = changes_of(plan)
    return tuple(
        str(one.index)
        for one in changes
        if one.resource == HOST and one.action is Action.DELETE and not one.deposed
    )


def _comparison(
    plan: object, changes: Collection[ResourceChange], expectation: Expectation, image: str = ""
) -> _Rule:
    """What of a change is not as this repository makes it, or None."""
    context = whole(plan, changes)
    ids = {
        one.address: one.old_id
        for one in changes
        if one.old_id and one.action in (Action.NOTHING, Action.UPDATE)
    }

    def unlike(change: ResourceChange) -> str | None:
        if change.data or change.action is Action.DELETE:
            return None
        return difference(change, expectation.of(change, ids, image), context)

    return unlike


def _judged(
    changes: Collection[ResourceChange], caller: str, beyond: _Rule, unlike: _Rule
) -> tuple[Violation, ...]:
    judged = (
        (
            one,
            _of_the_caller(one, caller)
            or beyond(one)
            or _by_another_provider(one)
            or _anothers(one)
            or unlike(one),
        )
        for one in changes
        if one.action is not Action.NOTHING
    )
    return tuple(Violation(one.address, one.action, why) for one, why in judged if why)


def _of_the_caller(change: ResourceChange, caller: str) -> str | None:
    if caller and change.index == caller and not (change.data and change.action is Action.READ):
        return f"it belongs to {caller}, which asked for this, and no bot instance deploys itself"
    return None


def _anothers(change: ResourceChange) -> str | None:
    """Why not, where the role, profile or policy that is there now is not that instance's own."""
    if change.resource not in IDENTITY or change.action is Action.CREATE:
        return None
    # A role and a profile have their name for an id, a policy its role's before its own.
    if change.old_id.partition(":")[0] == f"{change.index}-host":
        return None
    return f"what is there now is {change.old_id or 'without an id'}, not {change.index}'s"


def _by_another_provider(change: ResourceChange) -> str | None:
    provider = _BUILT_IN if change.resource == CHECK else _AWS
    if change.provider.endswith(provider):
        return None
    return f"{change.provider} would do it, and not {provider.removeprefix('/')}"


def _beyond_the_roll(
    change: ResourceChange,
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


def _host_beyond(change: ResourceChange, id_: str, image: str, machines: Machines) -> str | None:
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


def _of_another(change: ResourceChange, id_: str, machines: Machines) -> str | None:
    """Why not, where the machine that would go is not the one that EC2 shows for this id."""
    owner = machines.owners.get(change.old_id)
    if owner == id_:
        return None
    machine = change.old_id or "a machine without an id"
    return f"that would take away {machine}, which EC2 shows as {owner or 'none of the fleet'}"


def _beyond_finishing(
    change: ResourceChange, registered: Collection[str], machines: Machines
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


def _beyond_the_registry(change: ResourceChange, registered: Collection[str]) -> str | None:
    if _is_identity(change):
        return None if change.index in registered else "its key is not in the registry"
    return None if change.data or change.address in (*SHARED, CHECK) else _STRANGER


def _host_stays(
    change: ResourceChange, registered: Collection[str], machines: Machines
) -> str | None:
    if change.resource != HOST:
        return "it is no host of the registry's"
    if change.index in registered:
        return "it is registered, and registered hosts are only moved one by one"
    if not _is_keyed(change):
        return "its key names no instance"
    if change.action is not Action.DELETE:
        return "it is not in the registry"
    return _of_another(change, str(change.index), machines)


def _never(change: ResourceChange) -> str | None:
    """Why not, for what no job of a deploy may do."""
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


def _is_host(change: ResourceChange) -> bool:
    return not change.data and change.type.startswith(_HOST_TYPES)


def _is_identity(change: ResourceChange) -> bool:
    return change.resource in IDENTITY and isinstance(change.index, str)


def _is_keyed(change: ResourceChange) -> bool:
    return isinstance(change.index, str) and is_instance_id(change.index)
