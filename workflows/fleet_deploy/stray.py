"""Hosts that the state forgot: an engine made them and was killed before it could say so."""

from collections.abc import Collection, Mapping

from workflows.fleet_deploy.change import Action, Unreadable, host_address, read


def strays(plan: object, ids: Collection[str], machines: Mapping[str, str]) -> dict[str, str]:
    """Of each id whose host the plan would make a second time: the machine that is there.

    `machines` are the live ones by id. Nothing, where the plan would do more than make and
    replace hosts: then it is not one host that was forgotten, but another state that is read.
    """
    listed = plan.get("resource_changes") if isinstance(plan, Mapping) else None
    try:
        changes = [read(raw) for raw in listed] if isinstance(listed, list) else []
    except Unreadable:
        return {}
    moving = {one.address: one.action for one in changes if one.action is not Action.NOTHING}
    addresses = {host_address(id_): id_ for id_ in ids}
    if not moving.keys() <= addresses.keys():
        return {}
    return {
        addresses[address]: machines[addresses[address]]
        for address, action in moving.items()
        if action is Action.CREATE and addresses[address] in machines
    }
