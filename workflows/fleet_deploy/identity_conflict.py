"""Running machines that share a token, prefix or host name with a host that is to be made.

A machine keeps the tokens, the prefix and the host name that its entry gave it. Once the entry is
renamed, removed or rewritten, another may name the same: then two machines would share them.
One of an older revision holds no more than the entry it was launched by: `boot_check` sees to that.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet_control.caller import ALL
from fleet_control.status import FleetStatus
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import Stopped

# All that the entry of a name has said since that moment (Unix seconds); None where that can't be
# read.
Said = Callable[[str, float], tuple[Mapping[str, Any], ...] | None]

_NAMES_A_TOKEN = "TokenSecret"  # noqa: S105  (how such a field ends)


@dataclass(frozen=True, slots=True)
class IdentityConflict:
    """A machine that runs, and must not while an instance is made.

    Attributes:
        name: its `Name`, as whose host it runs; empty where it has none.
        registered: whether an entry still asks for it.
        shares: what both would have; empty where nobody can tell what it holds.
        unread: whether that is since history can't be read.
    """

    machine: str
    name: str
    registered: bool
    shares: str = ""
    unread: bool = False


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """The entries, machines and history that tell of conflicts, for one run.

    Attributes:
        entries: the registry's.
        known: the machines that the state knows, each with its instance.
    """

    entries: Mapping[str, Mapping[str, Any]]
    status: FleetStatus
    known: Mapping[str, str]
    said: Said


def make_room(
    target: str, turns: Sequence[HostTurn], fleet: FleetFacts
) -> tuple[tuple[HostTurn, ...], tuple[str, ...]]:
    """The turns, each with what has to go before it; and why some have none.

    `all` takes first who holds what another's entry names by now, and removes what left the
    registry; what any other target would bring along is left out.
    Stopped where something is in the way of what was asked for.
    """
    kept: list[HostTurn] = []
    left_out: list[str] = []
    for turn in _holders_first(turns, fleet) if target == ALL else turns:
        cleared = [id_ for one in kept for id_ in one.clears]
        found = tuple(_in_the_way(turn, (*(one.id for one in kept), *cleared), fleet))
        goes = [
            one
            for one in found
            if target == ALL and one.shares and not one.registered and one.machine in fleet.known
        ]
        stays = [one for one in found if one not in goes]
        if not stays:
            names = dict.fromkeys(fleet.known[one.machine] for one in goes)
            kept.append(replace(turn, clears=tuple(names)))
        elif target in (turn.id, ALL):
            raise Stopped("Not made", _why(turn, stays[0], fleet))
        else:
            left_out.append(_why(turn, stays[0], fleet))
    return tuple(kept), tuple(left_out)


def _holders_first(turns: Sequence[HostTurn], fleet: FleetFacts) -> Iterator[HostTurn]:
    """The turns in their order, but those that wait for another come after it; of a circle, one
    goes first."""
    left = {turn.id: turn for turn in turns}
    waits = _waits(fleet)
    while left:
        free = (id_ for id_ in left if not waits[id_] & left.keys())
        circle = (id_ for id_ in left if id_ in _behind(id_, waits))
        yield left.pop(next(free, "") or next(circle))


def _waits(fleet: FleetFacts) -> Mapping[str, frozenset[str]]:
    """For each instance, the registered ones whose machines have what its entry names by now."""
    return {
        id_: frozenset(
            one.name
            for one in obstacles(id_, fleet.entries, fleet.status, (), fleet.said)
            if one.registered and one.shares
        )
        for id_ in fleet.entries
    }


def _behind(id_: str, waits: Mapping[str, frozenset[str]]) -> Collection[str]:
    """All that have to go before this one; itself too where that is a circle."""
    found: set[str] = set()
    ahead = [id_]
    while ahead:
        more = set(waits[ahead.pop()]) - found
        found |= more
        ahead += more
    return found


def _in_the_way(
    turn: HostTurn, moved: Collection[str], fleet: FleetFacts
) -> Iterator[IdentityConflict]:
    """The conflicts of this turn. A machine that nobody can place conflicts only with an
    instance that never had a host."""
    had_a_host = turn.seen or turn.id in fleet.known.values()
    for one in obstacles(turn.id, fleet.entries, fleet.status, moved, fleet.said):
        if one.shares or not had_a_host:
            yield one


def _why(turn: HostTurn, obstacle: IdentityConflict, fleet: FleetFacts) -> str:
    """Why this instance is not made, and what to do."""
    machine, name = obstacle.machine, obstacle.name or "without a name"
    if obstacle.unread:
        return (
            f"{turn.id}, which never had a host, is not made while {machine} ({name}) runs: the "
            "branch's history can't be read, so nobody can tell what it holds. The log of `plan` "
            "says why; deploy again once it can."
        )
    if not obstacle.shares:
        return (
            f"{turn.id}, which never had a host, is not made while {machine} ({name}) runs: no "
            "entry that is known ever had that name, so nobody can tell what it holds. "
            "Terminate it, or take its tag `app` away; then deploy again."
        )
    if obstacle.registered:
        has = f"{turn.id} is not made while {machine} ({name}) has {obstacle.shares}"
        if turn.id not in _behind(name, _waits(fleet)):
            return f"{has}, from before its entry changed. Deploy {name} first."
        return (
            f"{has}, and waits in turn: terminate that one by hand, then deploy again "
            "(docs/runbook.md, `A swap`)."
        )
    both = f"{turn.id} is not made while {machine} ({name}) runs: both would have {obstacle.shares}"
    if machine in fleet.known:
        return f"{both}. It left the registry: a deploy of `{ALL}` removes it first."
    return f"{both}. OpenTofu does not know it: terminate it by hand, then deploy again."


def obstacles(
    id_: str,
    entries: Mapping[str, Mapping[str, Any]],
    status: FleetStatus,
    moved: Collection[str],
    said: Said,
) -> Iterator[IdentityConflict]:
    """What must be gone before this instance is made.

    `entries` are the registry's; `moved` the instances that have new machines by then.
    """
    for row in status.rows:
        if row.id in (id_, *moved):
            continue
        for host in row.staying:
            registered = row.instance is not None
            held = said(row.id, host.launched)
            if not held:
                yield IdentityConflict(host.id, host.name, registered, unread=held is None)
            elif what := _shared(entries[id_], held):
                yield IdentityConflict(host.id, host.name, registered, what)


def _shared(entry: Mapping[str, Any], held: Collection[Mapping[str, Any]]) -> str:
    """What no two machines may have, and these two would; or nothing."""
    for one in held:
        if tokens := sorted(_tokens(entry) & _tokens(one)):
            return f"the token `{tokens[0]}`"
        if _overlap(entry.get("bootstrapPrefix"), one.get("bootstrapPrefix")):
            return f"the bootstrap prefix `{entry['bootstrapPrefix']}`"
        if entry.get("host") == one.get("host"):
            return f"the host name `{entry['host']}`"
    return ""


def _tokens(entry: Mapping[str, Any]) -> set[str]:
    return {str(value) for key, value in entry.items() if key.endswith(_NAMES_A_TOKEN) and value}


def _overlap(one: object, other: object) -> bool:
    """Whether one prefix is the other, or lies inside it."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
