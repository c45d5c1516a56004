"""A fleet of twelve, read each minute of one day: what is amiss when, and which deploys run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from fleet_control.deployed import Deployed, deployed
from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.ledger import Job, Run, Step
from fleet_control.status import FleetStatus, shape
from tests.fleet_control.fleets import DAY, known, moment, run

MIDNIGHT = 1_790_035_200.0
IDS = tuple(f"claw-{number}" for number in range(1, 13))
IMAGE = Image("ami-0000000000000aaa0", "new", MIDNIGHT - 5 * DAY)
REVISION = "b" * 40

Change = Callable[[Host], Host | None]


def minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def at(clock: str) -> float:
    return MIDNIGHT + 60.0 * minute(clock)


def ill(host: Host) -> Host:
    return replace(host, health=Health.IMPAIRED)


def gone(host: Host) -> Host:
    return replace(host, state=HostState.TERMINATED, health=Health.UNKNOWN)


def starts(host: Host) -> Host:
    return replace(host, state=HostState.PENDING, health=Health.UNKNOWN)


@dataclass
class Day:
    """Attributes:
    changes: what is otherwise with a host from one minute until before another.
    strays: further machines, likewise.
    deploys: runs that are there from a minute on, whatever they are by then.
    unread: minutes in which nobody reads, and `empty` those in which EC2 shows nothing.
    """

    changes: list[tuple[str, int, int, Change]] = field(default_factory=list)
    strays: list[tuple[Host, int, int]] = field(default_factory=list)
    deploys: list[Callable[[int], Run | None]] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    images: tuple[Image, ...] = (IMAGE,)
    token_ends: float | None = None

    def change(self, id_: str, since: str, until: str, change: Change) -> None:
        self.changes.append((id_, minute(since), minute(until), change))

    def stray(self, host: Host, since: str, until: str) -> None:
        self.strays.append((host, minute(since), minute(until)))

    def pauses(self, since: str, until: str) -> None:
        self.unread |= {*range(minute(since), minute(until))}

    def shows_nothing(self, since: str, until: str) -> None:
        self.empty |= {*range(minute(since), minute(until))}

    def deploy(self, number: int, since: str, each: int, *ids: str, ends: str = "success") -> None:
        """A run moves these hosts one after the other, each in so many minutes; meanwhile they are
        gone, and come back as they should be where it ends well."""
        first = minute(since)
        turns = {id_: first + place * each for place, id_ in enumerate(ids)}
        for id_, turn in turns.items():
            self.changes.append((id_, turn, turn + each, starts))

        def there(now: int) -> Run | None:
            if now < first:
                return None
            last = first + each * len(ids)
            jobs = tuple(_job(id_, turn, turn + each, now, ends) for id_, turn in turns.items())
            status = "completed" if now >= last else "in_progress"
            return run(
                number,
                status=status,
                conclusion=ends if now >= last else None,
                target=ids[0] if len(ids) == 1 else "all",
                created=moment(MIDNIGHT + 60 * first),
                updated=moment(MIDNIGHT + 60 * min(now, last)),
                jobs=jobs,
            )

        self.deploys.append(there)

    def readings(self) -> Iterator[tuple[int, FleetStatus, Deployed]]:
        for now in range(24 * 60):
            if now not in self.unread:
                yield now, *self._reading(now)

    def _reading(self, now: int) -> tuple[FleetStatus, Deployed]:
        taken = MIDNIGHT + 60.0 * now
        hosts = [self._host(number, id_, now) for number, id_ in enumerate(IDS, 1)]
        hosts += [host for host, since, until in self.strays if since <= now < until]
        shown = () if now in self.empty else tuple(host for host in hosts if host)
        runs = [one for there in self.deploys if (one := there(now))]
        ledger = deployed(runs, [], taken)
        registry = replace(known(*IDS), token_ends=self.token_ends)
        return shape(registry, Reading(shown, self.images, taken), ledger), ledger

    def _host(self, number: int, id_: str, now: int) -> Host | None:
        host: Host | None = Host(
            f"i-{number:08x}",
            id_,
            HostState.RUNNING,
            Health.OK,
            "t3.large",
            IMAGE.id,
            MIDNIGHT - DAY,
            revision=REVISION,
        )
        for of, since, until, change in self.changes:
            if host and of == id_ and since <= now < until:
                host = change(host)
                if host and host.state is HostState.PENDING:
                    host = replace(host, launched=MIDNIGHT + 60.0 * now)
        return host


def _job(id_: str, turn: int, over: int, now: int, ends: str) -> Job:
    name = f"{id_}: {IMAGE.id} -> {IMAGE.id} @{REVISION[:7]}"
    if now < turn:
        return Job(name, "queued")
    status, conclusion = ("completed", ends) if now >= over else ("in_progress", None)
    began, ended = (moment(MIDNIGHT + 60 * one) for one in (turn, over))
    steps = (Step("Replace and wait until healthy", status, conclusion),)
    return Job(name, status, conclusion, began, ended if conclusion else None, steps)
