"""What the last deploys left of each host, and which hosts one moves now, by the ledger.

Pure. A host is held against a deploy only where nothing else may have moved it since.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from fleet_control.host import Host
from fleet_control.host_change import HostChange, changes
from fleet_control.ledger import Operation, Run, seconds

# For so long after it was moved a host may still come to itself.
SETTLING_SECONDS = 600.0
# Of a run that nobody has seen for so long no job waits for a host any more.
LOST_SECONDS = 1800.0
# GitHub lists a run some seconds after it took the dispatch.
LISTED_SECONDS = 60.0


class HostLeft(NamedTuple):
    """What a deploy that ended well made of one host.

    Attributes:
        revision: the first seven digits of the commit; empty where the run does not tell.
        ended: when its job was over, Unix seconds.
    """

    image: str
    revision: str
    run: int
    ended: float


class UnseenRun(NamedTuple):
    """A run that may have moved hosts, and does not tell which.

    Attributes:
        target: the instance, or empty for any.
        since, until: when it may have, Unix seconds; `until` is None while it is not over.
    """

    target: str
    since: float
    until: float | None

    def may_have_moved(self, host: Host) -> bool:
        """Also where a missing host was brought along: that one is as young as the run."""
        return self.target in ("", host.name) or host.launched >= self.since


class MovedHost(NamedTuple):
    """`until` is when a job that moved this host was over, None while it is not."""

    id: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is known of the last deploys.

    Attributes:
        read: when, Unix seconds; what a machine launched later was made by is not known.
        last: what the last deploy left of each host; None where it did not end well, or is not
            over.
        moved: the hosts that deploys moved, or move now.
        unseen: runs of which it is not known what they moved.
    """

    read: float = -inf
    last: Mapping[str, HostLeft | None] = field(default_factory=dict)
    moved: tuple[MovedHost, ...] = ()
    unseen: tuple[UnseenRun, ...] = ()

    def left(self, host: Host) -> HostLeft | None:
        """What the last deploy of this host left, where that can be said."""
        last = self.last.get(host.name)
        if last is None or host.launched > self.read - LISTED_SECONDS:
            return None
        later = (one for one in self.unseen if one.until is None or one.until > last.ended)
        return None if any(one.may_have_moved(host) for one in later) else last

    def may_have_made(self, id_: str) -> bool:
        """Whether this instance has had a host by a deploy, unless it is known that none was its
        own."""
        own = (*(one.id for one in self.moved), *(one.target for one in self.unseen))
        return self.read == -inf or id_ in own or "" in own

    def moving(self, ids: Iterable[str], now: float) -> frozenset[str]:
        """Which of these a deploy moves now, or did until a few minutes ago."""
        found = {one.id for one in self.moved if self._lately(one.until, now)}
        open_ = {one.target for one in self.unseen if self._lately(one.until, now)}
        return frozenset(id_ for id_ in ids if id_ in found | open_ or "" in open_)

    def _lately(self, until: float | None, now: float) -> bool:
        return now - self.read < LOST_SECONDS if until is None else now - until < SETTLING_SECONDS


def deployed(runs: Iterable[Run], unseen: Iterable[Run], read: float) -> Deployed:
    """What these runs tell that have their jobs, beside those that have none to show.

    A run that only waits has moved nothing, and is to be in neither.
    """
    moves = [(run, change) for run in runs for change in changes(run)]
    moved = tuple(
        MovedHost(change.id, _until(run, change))
        for run, change in moves
        if change.moved or (change.began and not run.finished and not change.ended)
    )
    return Deployed(read, _last(moves), moved, tuple(map(_unseen, unseen)))


def _last(moves: Iterable[tuple[Run, HostChange]]) -> dict[str, HostLeft | None]:
    """Of each host what was done with it last, unless that went wrong or is not over."""
    lefts = [(change, _left(run, change)) for run, change in moves if change.moved]
    lefts.sort(key=lambda one: one[1].ended)
    return {change.id: left if change.done and left.ended < inf else None for change, left in lefts}


def _left(run: Run, change: HostChange) -> HostLeft:
    ended = _until(run, change)
    until = inf if ended is None else ended
    return HostLeft(change.new, change.new_revision, run.id, until)


def _until(run: Run, change: HostChange) -> float | None:
    over = change.ended or (run.updated if run.finished else "")
    return seconds(over) if over else None


def _unseen(run: Run) -> UnseenRun:
    any_host = run.operation == Operation.RESUME or run.target == "all"
    target = "" if any_host else run.target
    return UnseenRun(target, seconds(run.created), seconds(run.updated) if run.finished else None)
