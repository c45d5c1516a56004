"""Removing what left the registry: no more than was meant, and never only out of the state."""

from collections.abc import Collection, Iterator, Mapping

from workflows.fleet_deploy.resource_change import (
    HOST,
    ChangeAction,
    ResourceChange,
    UnreadableChange,
    host_address,
    read,
)
from workflows.fleet_deploy.violation import Violation


def beyond(plan: object, ids: Collection[str]) -> tuple[Violation, ...]:
    """What a plan to remove these hosts removes besides, or leaves; beside what the guard finds."""
    changes = tuple(_changes(plan))
    gone = {one.address for one in changes if one.action is ChangeAction.DELETE}
    more = (one for one in changes if one.action is ChangeAction.DELETE and one.index not in ids)
    stays = (host_address(id_) for id_ in ids if host_address(id_) not in gone)
    return (
        *(Violation(one.address, one.action, "only what is in the way was to go") for one in more),
        *(
            Violation(address, ChangeAction.NOTHING, "it was to be removed first")
            for address in stays
        ),
    )


def forgotten(plan: object, machines: Mapping[str, str]) -> tuple[Violation, ...]:
    """Which of these machines a plan of everything does not know of any more.

    `machines` are those that the state knows and EC2 shows, each with its instance. An engine that
    EC2 shows nothing takes them for gone, and writes that down: nobody would remove them later.
    """
    seen = {one.old_id for one in _changes(plan) if one.resource == HOST}
    return tuple(
        Violation(host_address(id_), "be forgotten", f"EC2 shows {machine}, and not to OpenTofu")
        for machine, id_ in machines.items()
        if machine not in seen
    )


def _changes(plan: object) -> Iterator[ResourceChange]:
    """Those that can be read: the guard names the others."""
    listed = plan.get("resource_changes") if isinstance(plan, Mapping) else None
    for raw in listed if isinstance(listed, list) else ():
        try:
            yield read(raw)
        except UnreadableChange:
            continue
