"""What each host of a run is to become: what was asked for, what it ran before, or what the roll
that is taken up made of its hosts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet_control import ledger, rollback
from fleet_control.caller import ALL
from fleet_control.host_change import HostChange
from fleet_control.ledger import WAITING, Entry, Job, Operation, Run
from fleet_control.rollback import NoWayBack, WayBack
from fleet_control.status import FleetStatus
from workflows.fleet_deploy import inputs, revision, roll
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.revision import ImageAndRevision
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

# What may end with `finish`. A rollback never does: it brings back, and removes nothing.
FINISHED = (Operation.DEPLOY, Operation.RESUME)


class Ledger(Protocol):
    """The runs beside this one, the newest first, and the jobs of each."""

    others: tuple[Run, ...]

    @property
    def mine(self) -> Run: ...

    def jobs(self, run_id: int, /) -> tuple[Job, ...]: ...


@dataclass(frozen=True, slots=True)
class Goal:
    """The roll that was asked for.

    Attributes:
        notices: why hosts are left out of it, or become something else than they were.
        finishes: whether what left the registry goes once it is done.
    """

    turns: tuple[roll.HostTurn, ...]
    made_of: tuple[ImageAndRevision, ...]
    notices: tuple[Annotation, ...] = ()
    finishes: bool = False


@dataclass(frozen=True, slots=True)
class GoalFinder:
    """Finds what a run is for.

    Attributes:
        head: the branch's commit.
        status: the fleet's, now.
        past: the ledger; asked for the jobs of no more runs than is needed.
    """

    git: Git
    head: str
    status: FleetStatus
    past: Ledger

    def find(self, asked: Entry) -> Goal:
        """Stopped where there is no such goal, or none that may be gone for by now."""
        match asked.operation:
            case Operation.ROLLBACK:
                return self._back(asked)
            case Operation.RESUME:
                return self._rest(asked)
        made_of = revision.settle(self.git, self.head, asked, self.status.images)
        turns = roll.of(asked.target, self.status, made_of, carrier=inputs.carrier(asked))
        return Goal(turns, (made_of,), finishes=asked.target == ALL)

    def _back(self, asked: Entry) -> Goal:
        """As the ledger was when this run was created, which is what was shown and confirmed."""
        ids: Sequence[str] = (asked.target,)
        if asked.target == ALL:
            ids = self.status.in_turn(ALL, carrier=inputs.carrier(asked))
        moment = ledger.seconds(self.past.mine.created)
        since = [one for one in self._begun if _is_open(one, moment)]
        self._refuse_what_moved(ids, since, moment)
        ways = [self._way_back(id_, moment) for id_ in ids]
        there = [one for one in ways if isinstance(one, WayBack)]
        lost = [one for one in ways if isinstance(one, NoWayBack)]
        if not there:
            raise Stopped("No way back", lost[0].why)
        for one in there:
            _refuse_another(asked, one)
        made = {one.id: self._made(one.image, one.revision, one.id) for one in there}
        told = [Annotation("Left out", f"{one.id}: {one.why}") for one in lost]
        told += [Annotation("Another image", _nearest(one)) for one in there if one.gone]
        return self._goal(made, told, finishes=False)

    def _way_back(self, id_: str, moment: float) -> WayBack | NoWayBack:
        host = roll.host_of(id_, roll.rows(self.status))
        present = host.image if host else ""
        runs = self._with_jobs(self._begun[: rollback.RUNS_LOOKED_AT])
        return rollback.way_back(id_, runs, self.status.images, present, moment)

    def _rest(self, asked: Entry) -> Goal:
        """What the roll of that run did not reach, but for what moved since."""
        if named := asked.image_or_commit:
            raise Stopped("Bad inputs", f"A resume deploys what its run did, and names no {named}.")
        stopped = next((run for run in self.past.others if run.id == int(asked.target)), None)
        if stopped is None:
            none = f"The list of runs shows no deploy {asked.target} on this branch."
            raise Stopped("Nothing to take up", none)
        (whole,) = self._with_jobs([stopped])
        later = [run for run in self._begun if run.id > stopped.id]
        if len(later) >= rollback.RUNS_LOOKED_AT:
            old = f"Run {stopped.id} is not among the newest {rollback.RUNS_LOOKED_AT}"
            raise Stopped("Nothing to take up", f"{old}: deploy again.")
        left = rollback.rest(whole, tuple(self._with_jobs(later)))
        moment = ledger.seconds(self.past.mine.created)
        self._refuse_what_moved([one.id for one in rollback.unreached(whole)], later, moment)
        if isinstance(left, str):
            raise Stopped("Nothing to take up", left)
        hosts, told = self._registered(left.hosts)
        told += [Annotation("Left out", f"{one.told} since.".capitalize()) for one in left.moved]
        made = {one.id: self._made(one.new, one.new_revision, one.id) for one in hosts}
        return self._goal(made, told, finishes=rollback.finishes(stopped, self.past.others))

    def _registered(self, hosts: Iterable[HostChange]) -> tuple[list[HostChange], list[Annotation]]:
        """Those that an entry still asks for, and why the others are left out."""
        ids = self.status.registry.ids
        kept = [one for one in hosts if one.id in ids]
        gone = [f"{one.id} left the registry." for one in hosts if one.id not in ids]
        if not kept:
            raise Stopped("Nothing to take up", " ".join(gone))
        return kept, [Annotation("Left out", why) for why in gone]

    def _made(self, image: str, commit: str, id_: str) -> ImageAndRevision:
        found = next((one for one in self.status.images if one.id == image), None)
        if found is None:
            gone = f"{image}, which {id_} was to become, is not available any more. Deploy again."
            raise Stopped("No image", gone)
        return revision.settle_again(self.git, self.head, found, commit)

    def _goal(
        self, made: Mapping[str, ImageAndRevision], told: Iterable[Annotation], *, finishes: bool
    ) -> Goal:
        each = tuple(dict.fromkeys(made.values()))
        return Goal(roll.each(made, self.status), each, tuple(told), finishes)

    def _with_jobs(self, runs: Iterable[Run]) -> Iterator[Run]:
        return (run._replace(jobs=self.past.jobs(run.id)) for run in runs)

    @property
    def _begun(self) -> list[Run]:
        """The runs beside this one, but for those that wait for it to end."""
        return [one for one in self.past.others if one.status not in WAITING]

    def _refuse_what_moved(self, ids: Sequence[str], runs: Iterable[Run], moment: float) -> None:
        """Stopped where one of these runs moved such a host since that moment."""
        move = rollback.moved_since(ids, tuple(self._with_jobs(runs)), moment)
        if move:
            why = f"{move.told} after this was asked; ask again."
            raise Stopped("Moved meanwhile", why)


def _is_open(run: Run, moment: float) -> bool:
    """Whether it was not over then."""
    return not run.finished or ledger.seconds(run.updated) > moment


def _refuse_another(asked: Entry, way: WayBack) -> None:
    """Stopped where what was confirmed is not what this host goes back to."""
    named = asked.image_or_commit
    if named and asked.target == ALL:
        raise Stopped("Bad inputs", f"A rollback of `{ALL}` names no {named}: each has its own.")
    digits = named.startswith(way.revision) or way.revision.startswith(named)
    if named and not (named == way.image or digits):
        now = f"{way.image} @{way.revision[: revision.SHORT]}"
        why = f"{way.id} goes back to {now}, and not to {named}, as was asked; ask again."
        raise Stopped("Another way back", why)


def _nearest(way: WayBack) -> str:
    return (
        f"{way.gone}, which {way.id} ran, is not available any more: {way.image} is the newest "
        f"before its present one, and brings revision {way.revision[: revision.SHORT]}."
    )
