"""Who of a concurrency group runs, who waits, and who is dropped."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.run_record import RunRecord, RunStatus

MOST_PENDING = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """A workflow's `concurrency`; group names know no case."""

    group: str
    keep_all: bool = False
    cancel_running: bool = False


@dataclass
class _Lane:
    going: RunRecord
    waiting: list[RunRecord] = field(default_factory=list)


class Lanes:
    """`begin` is called for a run whose turn has come, `drop` for one that must be cancelled."""

    def __init__(
        self, begin: Callable[[RunRecord], None], drop: Callable[[RunRecord], None]
    ) -> None:
        self._begin = begin
        self._drop = drop
        self._lanes: dict[str, _Lane] = {}
        self._holding = False
        self._held: list[RunRecord] = []

    def enter(self, run: RunRecord, rule: Rule | None) -> None:
        group = rule.group.casefold() if rule else f"\0{run.id}"
        lane = self._lanes.get(group)
        if lane is None or rule is None:
            self._lanes[group] = _Lane(run)
            self._go(run)
            return
        run.status = RunStatus.PENDING
        lane.waiting.append(run)
        for dropped in _too_many(lane, rule):
            self._drop(dropped)

    def leave(self, run: RunRecord) -> None:
        """It has ended, or was cancelled while it waited; the next may go."""
        if run in self._held:
            self._held.remove(run)
        for group, lane in list(self._lanes.items()):
            if run in lane.waiting:
                lane.waiting.remove(run)
            elif lane.going is run:
                del self._lanes[group]
                if lane.waiting:
                    following, *lane.waiting = lane.waiting
                    self._lanes[group] = _Lane(following, lane.waiting)
                    self._go(following)

    def hold(self) -> None:
        """No runner is free, until `release`."""
        self._holding = True

    def release(self) -> None:
        self._holding = False
        held, self._held = self._held, []
        for run in held:
            self._begin(run)

    def _go(self, run: RunRecord) -> None:
        run.status = RunStatus.QUEUED
        if self._holding:
            self._held.append(run)
        else:
            self._begin(run)


def _too_many(lane: _Lane, rule: Rule) -> list[RunRecord]:
    """GitHub keeps the newest only, unless told to keep them all: then the first hundred."""
    running = [lane.going] if rule.cancel_running else []
    return [*running, *(lane.waiting[MOST_PENDING:] if rule.keep_all else lane.waiting[:-1])]
