"""The status of the fleet: the registry held against one reading of EC2."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet_control import fault
from fleet_control.caller import ALL, is_instance_id
from fleet_control.deployed import Deployed
from fleet_control.fault import SEVERITY, Fault, Problem
from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.ledger import Revision
from fleet_control.policy import Condition
from fleet_control.registry import Instance, Registry
from fleet_control.registry_source import KEPT_SECONDS, KnownRegistry

# What takes longer will not come by itself: so long a run waits for a new host, and user data for
# what the host is made of. The smallest type builds its system in that.
IN_PROGRESS_SECONDS = 1800.0
# Where its image holds its system, nothing is built.
HELD_IN_PROGRESS_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """An instance and its host; either may be absent.

    Attributes:
        instance: its registry entry; None for a host without one.
        host: the machine that serves it now; None where there is none.
        others: further machines of that name that stay, though no two may.
        leaving: machines of that name on their way out.
        image: the host's image, where it is still an available one of ours.
        is_newest: whether the host runs the newest image.
        replacing: a new host is coming, or the old one is going and its successor is awaited.
        condition: as the policy asks; None for a host that no entry asks for.
    """

    id: str
    instance: Instance | None
    host: Host | None
    others: tuple[Host, ...]
    leaving: tuple[Host, ...]
    image: Image | None
    is_newest: bool
    replacing: bool
    faults: tuple[Fault, ...]
    condition: Condition | None

    @property
    def staying(self) -> tuple[Host, ...]:
        """The machines of that name that are not on their way out."""
        return (self.host, *self.others) if self.host else ()

    @property
    def may_have_left(self) -> bool:
        """Whether this is a host that no entry asks for, and a deploy may have made it."""
        return self.condition is None and self.host is not None and is_instance_id(self.host.name)

    @property
    def worst(self) -> Problem | None:
        return self.faults[0].problem if self.faults else None


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The whole fleet, worst first, then by id as people count (2 before 10).

    Attributes:
        faults: what is wrong with no single instance.
        machines: how many EC2 showed at all, those that ended too.
    """

    rows: tuple[InstanceStatus, ...]
    images: tuple[Image, ...]
    taken: float
    known: KnownRegistry
    faults: tuple[Fault, ...] = ()
    machines: int = 0

    @property
    def registry(self) -> Registry:
        return self.known.registry

    @property
    def newest(self) -> Image | None:
        return self.images[0] if self.images else None

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """The branch's newest, the newest first; none where that could not be had, or where a host
        was made of one that was merged since."""
        known = {one.commit for one in self.known.revisions}
        # What was read may have been kept as long again where it was read.
        since = self.known.read_at - KEPT_SECONDS
        hosts = [row.host for row in self.rows if row.host and row.host.launched > since]
        newer = any(host.revision and host.revision not in known for host in hosts)
        return () if newer else self.known.revisions

    @property
    def newest_revision(self) -> Revision | None:
        """The branch's; None where that is not known."""
        return next(iter(self.revisions), None)

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Each registered instance's condition."""
        return {row.id: row.condition for row in self.rows if row.condition is not None}

    @property
    def counts(self) -> Mapping[Problem, int]:
        """How many instances have each problem; only those that some have."""
        found = [one.problem for row in self.rows for one in row.faults]
        return {problem: found.count(problem) for problem in Problem if problem in found}

    def in_turn(self, target: str, *, carrier: str = "") -> tuple[str, ...]:
        """The ids that a deploy of `target` moves, in this order.

        `all` takes the host that carries the asking bot last: a bad image must be met while the
        chat still has its bot. Any other target is followed by the hosts that are missing; of those
        a run leaves out what its caller may not deploy.
        """
        ids = self.registry.ids
        if target == ALL:
            return tuple(sorted(ids, key=lambda id_: id_ == carrier))
        missing = [id_ for id_ in ids if self.conditions.get(id_) is Condition.MISSING]
        return (target, *(id_ for id_ in missing if id_ != target))

    def ahead(self, row: InstanceStatus) -> int | None:
        """How many revisions the branch is ahead of a host; None where that can't be said."""
        newest = [one.commit for one in self.revisions]
        return newest.index(row.host.revision) if row.host and row.host.revision in newest else None

    def row(self, id_: str) -> InstanceStatus | None:
        return next((row for row in self.rows if row.id == id_), None)


LEAVING = (HostState.SHUTTING_DOWN, HostState.TERMINATED)
_NO_LEDGER = Deployed()


def shape(known: KnownRegistry, reading: Reading, ledger: Deployed = _NO_LEDGER) -> FleetStatus:
    """The status that the registry and one reading of EC2 make, with what the ledger tells."""
    by_name: dict[str, list[Host]] = defaultdict(list)
    for host in reading.hosts:
        by_name[host.name or host.id].append(host)
    names = [*known.registry, *(name for name in by_name if name not in known.registry)]
    rows = (_row(name, known, by_name[name], reading, ledger) for name in names)
    there = (row for row in rows if row.instance or row.host or row.replacing)
    wrong = fault.of_the_fleet(known.token_ends, reading.images, reading.taken)
    return FleetStatus(
        tuple(sorted(there, key=_order)),
        reading.images,
        reading.taken,
        known,
        tuple(wrong),
        len(reading.hosts),
    )


def _order(row: InstanceStatus) -> tuple[int, list[tuple[int, str]]]:
    severity = min((SEVERITY[one.problem] for one in row.faults), default=len(SEVERITY))
    return severity, natural(row.id)


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which claw-2 comes before claw-10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|\D+", name)
    ]


def _row(
    name: str, known: KnownRegistry, hosts: list[Host], reading: Reading, ledger: Deployed
) -> InstanceStatus:
    instance = known.registry.get(name)
    is_asked_for = instance is not None or not known.is_read  # without any, nothing is amiss
    staying = [one for one in hosts if one.state not in LEAVING]
    staying.sort(key=lambda one: one.launched, reverse=True)
    leaving = tuple(host for host in hosts if host.state is HostState.SHUTTING_DOWN)
    host = staying[0] if staying else None
    image = next((one for one in reading.images if host and one.id == host.image), None)
    is_newest = bool(host and reading.images and host.image == reading.images[0].id)
    replacing = is_asked_for and _is_replacing(host, image, leaving, reading.taken)
    faults = list(_faults(instance, staying, replacing, reading, ledger))
    if host is None and instance is not None and not replacing:
        faults.append(_without_host(name, hosts, reading, ledger))
    if host is not None and not is_asked_for:
        faults.append(fault.unregistered(host))
    return InstanceStatus(
        id=name,
        instance=instance,
        host=host,
        others=tuple(staying[1:]),
        leaving=leaving,
        image=image,
        is_newest=is_newest,
        replacing=replacing,
        faults=tuple(sorted(faults, key=lambda one: SEVERITY[one.problem])),
        condition=_condition(host, replacing) if is_asked_for else None,
    )


def start_seconds(revision: str, image: Image | None) -> float:
    """How long a new host of this revision may take on that image until it is healthy."""
    holds = image is not None and image.commit == revision != ""
    return HELD_IN_PROGRESS_SECONDS if holds else IN_PROGRESS_SECONDS


def _is_replacing(
    host: Host | None, image: Image | None, leaving: tuple[Host, ...], now: float
) -> bool:
    if host is not None:
        within = start_seconds(host.revision, image)
        return _is_starting(host) and now - host.launched < within
    return any(fault.shutting_down(one, now) < IN_PROGRESS_SECONDS for one in leaving)


def _is_starting(host: Host) -> bool:
    """So EC2 may describe one that was just launched: it has too little data at first."""
    return host.state is HostState.PENDING or (
        host.state is HostState.RUNNING and host.health in (Health.INITIALIZING, Health.UNKNOWN)
    )


def _condition(host: Host | None, replacing: bool) -> Condition:
    if replacing:
        return Condition.STARTING
    if host is None:
        return Condition.MISSING
    healthy = host.state is HostState.RUNNING and host.health is Health.OK
    return Condition.HEALTHY if healthy else Condition.UNHEALTHY


def _without_host(id_: str, hosts: list[Host], reading: Reading, ledger: Deployed) -> Fault:
    """Of one that had a host the ledger shows a deploy, and EC2 the host for an hour yet, unless it
    shows nothing at all."""
    if reading.hosts and not hosts and not ledger.may_have_made(id_):
        return fault.not_deployed(id_)
    stuck = next((one for one in hosts if one.state is HostState.SHUTTING_DOWN), None)
    return fault.missing(id_, stuck, reading.taken)


def _faults(
    instance: Instance | None,
    staying: list[Host],
    replacing: bool,
    reading: Reading,
    ledger: Deployed,
) -> Iterable[Fault]:
    if not staying:
        return
    host = staying[0]
    if len(staying) > 1:
        yield fault.two_hosts(staying)
    if _condition(host, replacing) is Condition.UNHEALTHY:
        yield fault.ill(host, reading.taken)
    if not replacing:
        yield from fault.crash_looping(host)
    if instance is not None:
        yield from fault.not_as_deployed(host, ledger.left(host))
    if instance is not None and host.type != instance.instance_type:
        yield fault.wrong_type(host, instance.instance_type)
    yield from fault.older_image(host, reading.images)
