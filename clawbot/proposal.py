"""What an operation beside a deploy would do, as a question says it, or why there is nothing to do.

All of it is derived from what is there now; nothing is looked up here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from clawbot.replies import HostMove, Notice, Tone, refused
from fleet_control import phrases
from fleet_control.caller import ALL
from fleet_control.duration import older
from fleet_control.holds import HeldLock
from fleet_control.host import Host
from fleet_control.host_change import HostChange, changes
from fleet_control.ledger import Revision, Run
from fleet_control.line import code
from fleet_control.policy import Allowed, RefusalCode
from fleet_control.rollback import NoWayBack, RestOfRoll, WayBack, finishes, may_move
from fleet_control.status import FleetStatus

# The letters of a plan: of two plans both have the same once in 2 ** 48.
PLAN_LENGTH = 12
NO_WAY_BACK, NOTHING_LEFT = "no_way_back", "nothing_left"
_RISK = (
    "What took it may still be applying: then what it writes to the state may be lost, and two may "
    "apply at once. Make sure first that nobody is at work there."
)
_NAME_ONE = "To deploy what you name: `/fleet deploy {} <image or commit>`."


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an operation would do.

    Attributes:
        target: as the ledger has it.
        why: what makes it worth asking.
        ways: the id, the image and the revision of each host, in the order of the roll.
        hosts: the same in words.
        removed: the ids that go with it.
        image: the one that a single host goes back to; empty for anything else.
        override: as the ledger has it.
    """

    target: str
    why: str
    ways: tuple[tuple[str, str, str], ...] = ()
    hosts: tuple[HostMove, ...] = ()
    removed: tuple[str, ...] = ()
    image: str = ""
    override: str = ""

    def judged(self, verdict: Allowed) -> "Proposal":
        """The same with what the policy makes worth asking."""
        why = f"{self.why} {verdict.confirm}".rstrip()
        return replace(self, why=why, override=verdict.override)

    @property
    def plan(self) -> str:
        """The same for two proposals that would do the same."""
        told = repr((self.target, self.ways, self.removed))
        return hashlib.sha256(told.encode()).hexdigest()[:PLAN_LENGTH] if self.ways else ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What hosts are told in words by; `now` in Unix seconds."""

    status: FleetStatus
    runs: Sequence[Run]
    now: float

    def move(self, id_: str, image: str, revision: str, *notes: str, brief: str = "") -> HostMove:
        """That this host becomes that; `notes` are sentences, `brief` is what half a line has room
        for of them."""
        host = self._host(id_)
        was = _brief(host.image, host.revision) if host else "no host"
        brief = f"{was} → {_brief(image, revision)}{brief}"
        note = " ".join(filter(None, notes))
        return HostMove(id_, brief, self._now(host), self.told(image, revision), note)

    def back(self, way: WayBack) -> HostMove:
        """That this host goes back."""
        another = ", another image" if way.gone else ""
        notes = _fallback(way), self._beyond(way)
        return self.move(way.id, way.image, way.revision, *notes, brief=another)

    def _beyond(self, way: WayBack) -> str:
        """That its host became something else since its last successful deploy; or empty."""
        host = self._host(way.id)
        last = (one for run in self.runs if run.id == way.run for one in changes(run))
        made = next((one for one in last if one.id == way.id), None)
        if host is None or made is None or _is(host, made):
            return ""
        was = _brief(made.new, made.new_revision)
        told = f"It is not what run {way.run} made of it any more, {was}"
        return f"{told}: this goes back beyond that."

    def stays(self, id_: str, why: str) -> HostMove:
        """That this host is left out."""
        return HostMove(id_, f"stays: {why}", self._now(self._host(id_)), note=why)

    def _host(self, id_: str) -> Host | None:
        row = self.status.row(id_)
        return row.host if row else None

    def _now(self, host: Host | None) -> str:
        return self.told(host.image, host.revision) if host else "no host"

    def told(self, image: str, revision: str) -> str:
        """An image and a revision, each with its age where that is known."""
        created = next((one.created for one in self.status.images if one.id == image), None)
        aged = image if created is None else f"{image}, {older(self.now - created)} old"
        return f"{aged}, revision {self._revision(revision)}"

    def beside(self, ids: Sequence[str]) -> str:
        """That a run is not over which may move one of these hosts first; empty where none is."""
        run = may_move(ids, self.runs)
        first = "If it moves such a host first, this stops before it changes anything."
        return f" Run {run.id} is not over yet. {first}" if run else ""

    def _revision(self, commit: str) -> str:
        if not commit:
            return "unknown"
        made_of = (run.made_of for run in self.runs if run.made_of)
        known = (one for one in (*self.status.known.revisions, *made_of) if _same(one, commit))
        return phrases.told(next(known, Revision(commit)), self.now)


def _brief(image: str, revision: str) -> str:
    return f"{image} @{revision[: phrases.SHORT] or 'unknown'}"


def _is(host: Host, made: HostChange) -> bool:
    """Whether a host is what a deploy made of it, as far as it says so."""
    known = host.revision and made.new_revision
    other = known and not host.revision.startswith(made.new_revision)
    return host.image == made.new and not other


def _same(one: Revision, commit: str) -> bool:
    return one.commit.startswith(commit) or commit.startswith(one.commit)


def rollback(
    target: str, found: Sequence[WayBack | NoWayBack], outlook: Outlook
) -> Proposal | Notice:
    """A rollback of these hosts, each as it was found, in the order of the roll."""
    ways = [one for one in found if isinstance(one, WayBack)]
    none = [one for one in found if isinstance(one, NoWayBack)]
    if not ways:
        name_one = _NAME_ONE.format(target if target != ALL else "<id>")
        return Notice((none[0].why, name_one), Tone.REFUSED, NO_WAY_BACK)
    moved = [outlook.back(one) for one in ways]
    return Proposal(
        target=target,
        why=f"{_back(target, ways[0])}{outlook.beside([one.id for one in ways])}",
        ways=tuple((one.id, one.image, one.revision) for one in ways),
        hosts=(*moved, *(outlook.stays(one.id, one.why) for one in none)),
        image=ways[0].image if target != ALL else "",
    )


def _back(target: str, way: WayBack) -> str:
    if target == ALL:
        told = "Each host goes back to what it ran before its own last successful deploy"
        return f"{told}, one after the other."
    return f"It goes back to what it ran before run {way.run}, its last successful deploy."


def _fallback(way: WayBack) -> str:
    if not way.gone:
        return ""
    return (
        f"{way.gone}, which it ran, is gone: this is the newest image that is older than its own."
    )


def resume(run: Run, rest: RestOfRoll, outlook: Outlook) -> Proposal | Notice:
    """That the rest of this run's roll is taken up."""
    images = {image.id for image in outlook.status.images}
    hosts = [one for one in rest.hosts if one.id in outlook.status.registry]
    gone = [one.id for one in rest.hosts if one not in hosts]
    if not hosts:
        why = f"What run {run.id} did not reach has left the registry: {', '.join(gone[:5])}."
        return refused(why, NOTHING_LEFT)
    if lost := next((one.new for one in hosts if one.new not in images), ""):
        why = f"The image {lost} of run {run.id} is not available any more; deploy again."
        return refused(why, RefusalCode.UNKNOWN_IMAGE)
    stay = [outlook.stays(one.change.id, f"{one.told} since.".capitalize()) for one in rest.moved]
    stay += [outlook.stays(id_, "It left the registry.") for id_ in gone]
    left = (row.id for row in outlook.status.rows if row.may_have_left)
    return Proposal(
        target=str(run.id),
        why=f"{_not_reached(run, len(hosts))}{outlook.beside([one.id for one in hosts])}",
        ways=tuple((one.id, one.new, one.new_revision) for one in hosts),
        hosts=(*(outlook.move(one.id, one.new, one.new_revision) for one in hosts), *stay),
        removed=tuple(left) if finishes(run, outlook.runs) else (),
    )


def _not_reached(run: Run, count: int) -> str:
    return f"Run {run.id} left {count} host{'s' if count != 1 else ''} of its roll unreached."


def unlock(lock: HeldLock, now: float) -> Proposal:
    """That this lock is broken, with what may come of that."""
    since = f" since {_moment(lock.created)}" if lock.created else ""
    took = f", for the job {code(lock.job or '')} of run {lock.run}" if lock.run else ""
    told = (f"{code(lock.who)} holds the lock on the state{since}{took}.", _ends(lock, now), _RISK)
    return Proposal(lock.id, " ".join(told))


def _ends(lock: HeldLock, now: float) -> str:
    if lock.breakable is None:
        return "No job of a deploy is known to have taken it, so no deploy breaks it by itself."
    if lock.breakable <= now:
        return "The next deploy breaks it by itself."
    # Up to the full minute, or the moment that is told would be too early.
    return f"A deploy breaks it by itself from {_moment(lock.breakable + 59)} on."


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
