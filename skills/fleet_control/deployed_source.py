"""Learns from the ledger what the last deploys left, a few of its runs at a time.

Jobs are asked for once of each run that ended, and anew of those that run. One process has one of
these: whoever shows the status and whoever watches the fleet know the same.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.deployed import Deployed, deployed
from fleet_control.error import ControlApiError
from fleet_control.github import PER_PAGE
from fleet_control.ledger import WAITING, Operation, Run

# The last deploy of most hosts is on so many pages of the history.
PAGES_AT_FIRST = 4
# Of so many runs the jobs are asked for in one look; of the others in the next.
RUNS_A_LOOK = 6
RUNS_KEPT = 100
KEPT_SECONDS = 60.0
# What ended is listed for a day; what was known before may miss something.
JOINS_SECONDS = 12 * 3600.0

log = logging.getLogger(__name__)


class DeployedSource:
    """What the last deploys left, as it was learnt last.

    Attributes:
        known: that; nothing before the first look.
    """

    def __init__(self, api: ControlApi, clock: Clock, pages: int = PAGES_AT_FIRST) -> None:
        self.known = Deployed()
        self._api = api
        self._clock = clock
        self._pages = pages
        # The runs that are over: with their jobs, and those whose jobs could not be had yet.
        self._ended: dict[int, Run] = {}
        self._jobless: dict[int, Run] = {}
        self._tried = float("-inf")
        self._under_way: asyncio.Task[None] | None = None

    def look_beside(self) -> None:
        """Have it learnt anew, unless that was tried a minute ago; nobody waits for it."""
        if self._under_way is None and self._clock.monotonic() - self._tried >= KEPT_SECONDS:
            self._begin()

    async def look(self, kept: float = 0.0) -> Deployed:
        """Learn it anew, as long as that takes, unless that was tried `kept` seconds ago; what is
        known then."""
        tried = self._clock.monotonic() - self._tried
        if self._under_way is not None or tried >= kept:
            await asyncio.shield(self._under_way or self._begin())
        return self.known

    async def close(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    def _begin(self) -> "asyncio.Task[None]":
        self._tried = self._clock.monotonic()
        self._under_way = asyncio.create_task(self._learn())
        self._under_way.add_done_callback(self._over)
        return self._under_way

    def _over(self, _: "asyncio.Task[None]") -> None:
        self._under_way = None

    async def _learn(self) -> None:
        """What can't be read leaves what was known, which says how old it is."""
        try:
            read = self._clock.now()
            listed = await self._api.runs(unfinished=True)
            if not self._joins(listed):
                await self._read_pages()
            running = await self._read_jobs(listed)
            self.known = self._told(running, listed, read)
        except ControlApiError as error:
            log.warning("fleet.ledger_unseen why=%s", error)
        except Exception:
            log.exception("fleet.ledger_unreadable")

    def _joins(self, listed: Sequence[Run]) -> bool:
        """Whether every run that ended since is listed."""
        if self._clock.now() - self.known.read > JOINS_SECONDS:
            return False
        ids = [one.id for one in listed]
        return len(ids) < PER_PAGE or min(ids) <= max(self._ended, default=0)

    async def _read_pages(self) -> None:
        self._ended.clear()
        self._jobless.clear()
        number = pages = 1
        while number <= min(pages, self._pages):
            page = await self._api.history(page=number)
            for one in filter(_counts, page.runs):
                (self._jobless if one.id in page.unseen else self._ended)[one.id] = one
            number, pages = number + 1, page.pages

    async def _read_jobs(self, listed: Sequence[Run]) -> dict[int, Run]:
        """Ask for the jobs of what ended since, and of what runs; the latter with theirs."""
        running: dict[int, Run] = {}
        moving = [one for one in listed if not one.finished and _counts(one, over=False)]
        for one in filter(_counts, listed):
            if one.id not in self._ended:
                self._jobless[one.id] = one
        for one in [*moving, *sorted(self._jobless.values(), reverse=True)][:RUNS_A_LOOK]:
            run = await self._api.run(one.id)
            self._jobless.pop(run.id, None)
            (self._ended if run.finished else running)[run.id] = run
        for old in sorted(self._ended)[:-RUNS_KEPT]:
            del self._ended[old]
        return running

    def _told(self, running: dict[int, Run], listed: Iterable[Run], read: float) -> Deployed:
        """Of a run that was started again, its jobs tell of its last attempt alone."""
        told = [*self._ended.values(), *running.values()]
        known = {one.id for one in told}
        blind = [one for one in listed if _counts(one, over=False) and one.id not in known]
        unseen = [*(one for one in told if one.attempt > 1), *self._jobless.values(), *blind]
        return deployed([one for one in told if one.attempt == 1], unseen, read)


def _counts(run: Run, *, over: bool = True) -> bool:
    """Whether it may have moved anything, and is over; or, else, is not."""
    began = run.status not in WAITING and run.operation != Operation.UNLOCK
    return began and run.finished is over
