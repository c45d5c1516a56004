"""Checks of a plan that removes hosts: it removes only those, and forgets none that still run."""

from collections.abc import Collection, Mapping

from workflows.fleet_deploy.change import HOST, Action, host_address
from workflows.fleet_deploy.violation import Violation, changes_of


def beyond(plan: object, ids: Collection[str]) -> tuple[Violation, ...]:
    """The violations of a plan to remove these hosts: what else it removes, and what it leaves."""
    changes, _ = changes_of(plan)
    gone = {one.address for one in changes if one.action is Action.DELETE}
    more = (one for one in changes if one.action is Action.DELETE and one.index not in ids)
    stays = (host_address(id_) for id_ in ids if host_address(id_) not in gone)
    return (
        *(Violation(one.address, one.action, "only what is in the way was to go") for one in more),
        *(Violation(address, Action.NOTHING, "it was to be removed first") for address in stays),
    )


def forgotten(plan: object, machines: Mapping[str, str]) -> tuple[Violation, ...]:
    """The machines that a plan of everything no longer knows, each a violation.

    `machines` are those that the state knows and EC2 shows, each with its instance. An engine that
    EC2 shows nothing takes them for gone, and writes that down: nobody would remove them later.
    """
    seen = {one.old_id for one in changes_of(plan)[0] if one.resource == HOST}
    return tuple(
        Violation(host_address(id_), "be forgotten", f"EC2 shows {machine}, and not to OpenTofu")
        for machine, id_ in machines.items()
        if machine not in seen
    )
