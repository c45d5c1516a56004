"""What may be said of a deploy's moments to come: the last deploys, read for all who follow one."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from math import inf

from clawbot.progress import Progress
from clawbot.run_progress import progress
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.estimate import Expected, PastDeploys, Waiting, expected, in_queue, past_deploys
from fleet_control.history import HistoryPage
from fleet_control.ledger import Run

# So long what was read does for whoever begins to follow a run, in seconds.
KEPT_SECONDS = 10.0

log = logging.getLogger(__name__)


class Foresight:
    """Nobody waits for it: what is not there yet comes with the next change, and what can't be had
    is not said."""

    def __init__(self, api: ControlApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._page = HistoryPage(())
        self._past = PastDeploys()
        self._reading: asyncio.Task[None] | None = None
        self._read = -inf

    def look(self) -> asyncio.Task[None]:
        """Read the last deploys in the background, unless that was begun just now; the
        reading, which never fails."""
        now = self._clock.monotonic()
        if self._reading is None or (now - self._read >= KEPT_SECONDS and self._reading.done()):
            self._read = now
            self._reading = asyncio.create_task(self._look())
        return self._reading

    async def close(self) -> None:
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def seen(self, run: Run, listed: Iterable[Run] = ()) -> Progress:
        """How a run goes; of one that waits, behind what is `listed`."""
        listed = tuple(listed)
        ahead = sum(not other.finished and other.id < run.id for other in listed)
        return _expecting(progress(run, ahead), expected(run, listed, self._past))

    def queued(self, begun: Progress) -> Progress:
        """The same of a deploy that was asked for just now, by the queue as it was read."""
        if begun.run_id is None:
            return begun
        waits = Waiting(begun.run_id, begun.target, begun.operation)
        ahead = [one for one in self._page.runs if not one.finished and one.id < waits.id]
        if len(ahead) != begun.ahead:
            return begun
        return _expecting(begun, in_queue(waits, self._page.runs, self._past))

    async def _look(self) -> None:
        try:
            self._page = await self._api.history()
            self._past = past_deploys(self._page.runs)
        except Exception as error:  # noqa: BLE001  (a deploy is told of without it as well)
            log.info("fleet.past_unseen why=%s", error)


def _expecting(seen: Progress, expected: Expected) -> Progress:
    return replace(seen, begins=expected.begins, ends=expected.ends)
