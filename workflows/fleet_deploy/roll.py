"""The roll: the order in which hosts are replaced, and whether the next one may begin."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from fleet_control.caller import is_instance_id
from fleet_control.host import Host
from fleet_control.policy import Condition
from fleet_control.run_title import is_image_id
from fleet_control.seed import is_commit, is_sum
from fleet_control.status import FleetStatus, InstanceStatus
from workflows.fleet_deploy.revision import SHORT, ImageAndRevision
from workflows.fleet_deploy.stopped import Stopped

_MACHINE = re.compile(r"i-[0-9a-f]{8,17}")
# Of what a chat shows of a reason, what is left to where the hosts are, and to what was removed.
WHERE_LENGTH = 120
CLEARED_LENGTH = 64
_ELSEWHERE = " The rest is elsewhere."


@dataclass(frozen=True, slots=True)
class HostTurn:
    """One host's turn.

    Attributes:
        id: the instance.
        seen: the machine that the rehearsal saw there, or empty where there was none.
        name: of the job, ``<id>: <old image> -> <new image> @<revision>``.
        adopt: whether the state does not know that machine, and is to be told of it first.
        clears: what left the registry, still runs, and would share something with the new host: it
            goes before.
        ran: the first digits of the revision that it had, where it says so.
        image, revision, seed_sha256: what the host becomes: the commit, and the sum of its seed.
    """

    id: str
    seen: str
    name: str
    adopt: bool = False
    clears: tuple[str, ...] = ()
    ran: str = ""
    image: str = ""
    revision: str = ""
    seed_sha256: str = ""


def rows(status: FleetStatus) -> dict[str, InstanceStatus]:
    """The registry's instances by id."""
    return {row.id: row for row in status.rows if row.instance is not None}


def left(status: FleetStatus) -> tuple[InstanceStatus, ...]:
    """The hosts that no entry of the registry asks for."""
    return tuple(row for row in status.rows if row.instance is None)


def of(
    target: str, status: FleetStatus, made_of: ImageAndRevision, *, carrier: str
) -> tuple[HostTurn, ...]:
    """The turns of this target, in the status's order."""
    return each(dict.fromkeys(status.in_turn(target, carrier=carrier), made_of), status)


def each(made_of: Mapping[str, ImageAndRevision], status: FleetStatus) -> tuple[HostTurn, ...]:
    """A turn for each of these instances, in their order, and what its host becomes."""
    there = rows(status)
    return tuple(_turn(id_, there[id_].host, one) for id_, one in made_of.items())


def _turn(id_: str, host: Host | None, made_of: ImageAndRevision) -> HostTurn:
    new = f"{made_of.image.id} @{made_of.revision.short}"
    # GitHub cuts the name of a job at about 97 characters. Ours has 89 at the most.
    name = f"{id_}: {host.image if host else 'none'} -> {new}"
    ran = host.revision if host and is_commit(host.revision) else ""
    return HostTurn(
        id_,
        host.id if host else "",
        name,
        ran=ran[:SHORT],
        image=made_of.image.id,
        revision=made_of.revision.commit,
    )


def host_of(id_: str, there: Mapping[str, InstanceStatus]) -> Host | None:
    row = there.get(id_)
    return row.host if row else None


def machines(there: Mapping[str, InstanceStatus]) -> dict[str, str]:
    """The hosts that are there, each by its instance's id."""
    return {id_: row.host.id for id_, row in there.items() if row.host}


def encode(roll: Iterable[HostTurn]) -> str:
    """The roll as a matrix takes it."""
    return json.dumps([asdict(turn) for turn in roll], separators=(",", ":"))


def decode(text: str) -> tuple[HostTurn, ...]:
    """The roll that `plan` handed over; Stopped where it is none."""
    try:
        turns = (HostTurn(**entry) for entry in json.loads(text))
        roll = tuple(replace(turn, clears=tuple(turn.clears)) for turn in turns)
    except (TypeError, ValueError) as error:
        raise Stopped("Bad roll", "The roll that `plan` handed over can't be read.") from error
    if not roll or not all(_well_formed(turn) for turn in roll):
        raise Stopped("Bad roll", "The roll that `plan` handed over holds what is no host.")
    return roll


def _well_formed(turn: HostTurn) -> bool:
    made_of = (turn.image, turn.revision, turn.seed_sha256)
    fields = (turn.id, turn.seen, turn.name, turn.ran, *turn.clears, *made_of)
    return (
        all(isinstance(field, str) for field in fields)
        and all(map(is_instance_id, (turn.id, *turn.clears)))
        and (not turn.seen or _MACHINE.fullmatch(turn.seen) is not None)
        and re.fullmatch(r"(?:[0-9a-f]{7})?", turn.ran) is not None
        and is_image_id(turn.image)
        and is_commit(turn.revision)
        and is_sum(turn.seed_sha256)
        and turn.adopt in (False, True)
        and (not turn.adopt or bool(turn.seen))
    )


def before(roll: Iterable[HostTurn], id_: str) -> tuple[HostTurn, ...]:
    """The turns before this instance's; Stopped if it has none."""
    turns = tuple(roll)
    ids = [turn.id for turn in turns]
    if id_ not in ids:
        raise Stopped("Bad roll", f"{id_[:40]} has no turn in this roll.")
    return turns[: ids.index(id_)]


def moved(turn: HostTurn) -> str:
    """What the turn's job did, where it got that far."""
    return f"{turn.id} was {'replaced' if turn.seen else 'created'}"


def unfinished(turn: HostTurn, row: InstanceStatus | None) -> str:
    """What is still missing until this turn is done, or nothing."""
    if row is None or row.host is None:
        return f"{turn.id} has no host"
    host = row.host
    if row.others:
        return twins(row)
    if host.id == turn.seen:
        return f"{turn.id} is still the machine it was ({host.id})"
    if host.image != turn.image:
        return f"{turn.id} runs {host.image} and not {turn.image}"
    if row.condition is not Condition.HEALTHY:
        ill = f"but {host.ill}" if host.ill else f"its status checks say {host.health}"
        return f"{turn.id} is {host.state}, {ill}"
    return ""


def twins(row: InstanceStatus, known: Collection[str] = ()) -> str:
    """That an instance has more machines than one, and which has to go; nothing where it has not.

    `known` are machines that the state knows.
    """
    machines = [host.id for host in row.staying]
    if len(machines) < 2:
        return ""
    strangers = [one for one in machines if one not in known]
    which = "all of them but one"
    if 0 < len(strangers) < len(machines):
        which = f"{_some(strangers)}, which OpenTofu does not know,"
    return (
        f"{row.id} has {len(machines)} machines, {_some(machines)}, which share its tokens: "
        f"terminate {which} by hand"
    )


def hindrance(
    turn: HostTurn, earlier: Iterable[HostTurn], there: Mapping[str, InstanceStatus]
) -> str:
    """Why this turn may not begin, or nothing.

    Not every runner stops a serial matrix at its first failure, so the roll stops itself.
    """
    for one in earlier:
        if why := unfinished(one, there.get(one.id)):
            return f"the roll stopped at {one.id}: {why}"
    host = host_of(turn.id, there)
    now = host.id if host else ""
    if now != turn.seen:
        return (
            f"{turn.id} was {turn.seen or 'without a host'} when this was planned and is "
            f"{now or 'without a host'} now: somebody else moved it"
        )
    return ""


def whereabouts(
    ids: Collection[str], there: Mapping[str, InstanceStatus], unsure: Collection[str] = ()
) -> str:
    """Which hosts are on which image, in a sentence a chat has room for.

    `unsure` are instances of whose machine EC2 does not say whether it is gone.
    """
    on: dict[str, list[str]] = {}
    for id_ in ids:
        host = host_of(id_, there)
        missing = "Not shown by EC2" if id_ in unsure else "Without a host"
        on.setdefault(f"On {host.image}" if host else missing, []).append(id_)
    for most in (3, 2, 1, 0):
        told = [f"{place}: {_some(names, most)}." for place, names in on.items()]
        if len(" ".join(told)) <= WHERE_LENGTH:
            return " ".join(told)
    while len(" ".join(told)) > WHERE_LENGTH - len(_ELSEWHERE):
        told.pop()
    return " ".join(told) + _ELSEWHERE


def cleared(turn: HostTurn) -> str:
    """What was removed for it, to stand before why it stopped; nothing where nothing was."""
    if not turn.clears:
        return ""
    told = [f"removed before: {_some(turn.clears, most)}; " for most in (3, 1)]
    return told[len(told[0]) > CLEARED_LENGTH]


def _some(names: Sequence[str], most: int = 3) -> str:
    """So many of them by name, and how many more."""
    if not most:
        return f"{len(names)} host{'s' if len(names) > 1 else ''}"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
