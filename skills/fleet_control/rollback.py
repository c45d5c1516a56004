"""What a host goes back to, and which hosts a stopped roll did not reach, as the ledger tells.

A rollback is a deploy like any other: what it moved is a last successful deploy, too, so that
rolling back twice goes there and back again. What a deploy that failed left does not count, however
ill its host is.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.host import Image
from fleet_control.host_change import HostChange, changes
from fleet_control.ledger import Operation, Run, seconds
from fleet_control.seed import BOOT

# As far back as the ledger is asked, in runs.
RUNS_LOOKED_AT = 100


class WayBack(NamedTuple):
    """What an instance's host ran before its last successful deploy, or what comes nearest.

    Attributes:
        revision: the first seven digits of the commit, as the ledger tells it; the whole commit
            where that is the one which the image was built from.
        run: its last successful deploy.
        gone: the image that it ran, where that is not available any more and `image` is another.
    """

    id: str
    image: str
    revision: str
    run: int
    gone: str = ""


class NoWayBack(NamedTuple):
    """`why` is a sentence."""

    id: str
    why: str


class Move(NamedTuple):
    """What a run did with one host; `ended` is in Unix seconds, None where it is not over."""

    run: Run
    change: HostChange
    ended: float | None

    @property
    def told(self) -> str:
        """What is surely true of it."""
        did = "moved" if self.change.done else "may have moved"
        return f"run {self.run.id} {did} {self.change.id}"


def moves(id_: str, runs: Iterable[Run]) -> Iterable[Move]:
    """What these runs did with this instance's host, in their order; those that left it alone are
    not among them."""
    for run in runs:
        for change in changes(run):
            if change.id == id_ and change.moved:
                over = change.ended or (run.updated if run.finished else "")
                yield Move(run, change, seconds(over) if over else None)


def way_back(
    id_: str, runs: Iterable[Run], images: Sequence[Image], present: str, at: float
) -> WayBack | NoWayBack:
    """What this instance goes back to by a rollback that was asked for then (Unix seconds).

    `runs` have their jobs, the newest first; only as many are taken as are needed. `images` are
    ours that are available, the newest first; `present` is the one that its host is on, or empty.
    """
    last = next((one for one in moves(id_, runs) if one.change.done and _over(one, at)), None)
    if last is None:
        why = f"no deploy of {id_} that ended well is among the newest {RUNS_LOOKED_AT} runs"
        return NoWayBack(id_, f"There is nothing to go back to: {why}.")
    old = last.change.old
    if not old:
        why = f"its last successful deploy, run {last.run.id}, created the host of {id_}"
        return NoWayBack(id_, f"There is nothing to go back to: {why}.")
    there = {image.id: image for image in images}
    if old not in there:
        return _nearest(last, images, there.get(present or last.change.new))
    revision = last.change.old_revision or there[old].commit
    if not revision:
        why = f"neither the ledger nor {old} tells which revision {id_} ran"
        return NoWayBack(id_, f"There is nothing to go back to: {why} before run {last.run.id}.")
    return WayBack(id_, old, revision, last.run.id)


def _over(move: Move, at: float) -> bool:
    return move.ended is not None and move.ended <= at


def _nearest(last: Move, images: Sequence[Image], present: Image | None) -> WayBack | NoWayBack:
    """The newest image before the present one, where that which the host ran is gone."""
    id_, gone = last.change.id, last.change.old
    begin = f"There is nothing to go back to: {gone}, which {id_} ran, is not available any more"
    if present is None:
        return NoWayBack(
            id_, f"{begin}, and how old its present image is can't be seen, so none is older."
        )
    older = (one for one in images if one.created < present.created and one.commit)
    found = next((one for one in older if one.boot == BOOT), None)
    if found is None:
        return NoWayBack(id_, f"{begin}, nor is any other that is older than {present.id}.")
    return WayBack(id_, found.id, found.commit, last.run.id, gone)


def moved_since(ids: Iterable[str], runs: Sequence[Run], at: float) -> Move | None:
    """What moved one of these hosts after that moment (Unix seconds), or does so now."""
    found = (one for id_ in ids for one in moves(id_, runs) if not _over(one, at))
    return next(found, None)


def may_move(ids: Collection[str], runs: Iterable[Run]) -> Run | None:
    """A run that is not over and may yet move one of these hosts, by its jobs; before there are
    any, by what it was asked for."""
    for run in runs:
        moved = tuple(changes(run))
        named = run.operation == Operation.RESUME or run.target in ("", ALL, *ids)
        may = any(one.id in ids and not one.ended for one in moved) if moved else named
        if may and not run.finished and run.operation != Operation.UNLOCK:
            return run
    return None


class RestOfRoll(NamedTuple):
    """What is left of a roll that stopped.

    Attributes:
        hosts: those that it did not reach, in their order; each is to become what it says.
        moved: those of them that a later run moved, which are left as they are.
    """

    hosts: tuple[HostChange, ...]
    moved: tuple[Move, ...] = ()


def unreached(run: Run) -> tuple[HostChange, ...]:
    """The hosts of its roll that it left as they were."""
    return tuple(change for change in changes(run) if not change.moved)


def rest(run: Run, later: Sequence[Run]) -> RestOfRoll | str:
    """What a resume of this run takes up, or why there is nothing, as a sentence.

    Each of `later` is a run after it, with its jobs.
    """
    if not run.finished:
        return f"Run {run.id} is not over yet."
    if not any(changes(run)):
        return f"Run {run.id} planned no roll, so there is none to take up; deploy again."
    if not (left := unreached(run)):
        return f"Run {run.id} reached every host of its roll."
    moved = {one.id: next(iter(moves(one.id, later)), None) for one in left}
    if not (hosts := tuple(one for one in left if moved[one.id] is None)):
        return f"Later runs moved every host that run {run.id} did not reach."
    if unknown := next((one.id for one in hosts if not one.new_revision), ""):
        return f"Run {run.id} does not tell which revision {unknown} was to become; deploy again."
    return RestOfRoll(hosts, tuple(one for one in moved.values() if one))


def first(run: Run, runs: Iterable[Run]) -> Run | None:
    """The run whose roll this one took up, however often; itself where it took up none; None where
    these don't show it."""
    by_id = {str(one.id): one for one in runs}
    while run.operation == Operation.RESUME:
        taken_up = by_id.get(run.target)
        if taken_up is None or taken_up.id >= run.id:
            return None
        run = taken_up
    return run


def finishes(run: Run, runs: Iterable[Run]) -> bool:
    """Whether a resume of this run ends as a deploy of all does, which it then takes up."""
    began = first(run, runs)
    return began is not None and (began.operation, began.target) == (Operation.DEPLOY, ALL)
