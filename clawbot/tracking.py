"""Follow a run and keep its replies up to date, however many follow it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from clawbot.progress import Progress, Stage, progress
from clawbot.replies import Deploying
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.ledger import Run

RUNNING_EVERY_SECONDS = 10.0
WAITING_EVERY_SECONDS = 30.0
# GitHub lists a run a few seconds after it took the dispatch.
UNKNOWN_RUN_TRIES = 3
SAY_TROUBLE_AFTER = 3
GIVE_UP_AFTER_SECONDS = 6 * 3600.0
_QUEUE_SHOWN = 100

log = logging.getLogger(__name__)

Show = Callable[[Deploying], Awaitable[None]]


@dataclass
class _Watch:
    """One run's poller, and what it saw last."""

    latest: Deploying | None = None
    followers: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None


class Tracker:
    """Asks about each followed run once for all its followers; intervals are seconds."""

    def __init__(
        self,
        api: ControlApi,
        clock: Clock,
        running_every: float = RUNNING_EVERY_SECONDS,
        waiting_every: float = WAITING_EVERY_SECONDS,
    ) -> None:
        self._api = api
        self._clock = clock
        self._running_every = running_every
        self._waiting_every = waiting_every
        self._watched: dict[int, _Watch] = {}

    async def follow(self, begun: Deploying, show: Show) -> Deploying:
        """Show each change of the run until it is over; the last that was shown."""
        run_id = begun.progress.run_id
        if run_id is None:
            raise ValueError("a deploy without a run can't be followed")
        watch = self._watch(run_id, begun.progress)
        watch.followers += 1
        try:
            return await self._show_changes(watch, begun, show)
        finally:
            watch.followers -= 1
            if not watch.followers:
                self._forget(run_id, watch)

    async def close(self) -> None:
        tasks = [watch.task for watch in self._watched.values() if watch.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watched.clear()

    def _watch(self, run_id: int, begun: Progress) -> _Watch:
        watch = self._watched.get(run_id)
        if watch is None:
            watch = self._watched[run_id] = _Watch()
            watch.task = asyncio.create_task(self._poll(run_id, begun, watch))
        return watch

    def _forget(self, run_id: int, watch: _Watch) -> None:
        self._watched.pop(run_id, None)
        if watch.task:
            watch.task.cancel()

    async def _show_changes(self, watch: _Watch, begun: Deploying, show: Show) -> Deploying:
        shown = begun
        while True:
            news = await _news(watch, shown)
            latest = Deploying(news.progress, begun.asker, news.trouble)
            await show(latest)
            shown = latest
            if is_over(latest.progress):
                return latest

    async def _poll(self, run_id: int, begun: Progress, watch: _Watch) -> None:
        seen, unknown, troubles = begun, 0, 0
        until = self._clock.now() + GIVE_UP_AFTER_SECONDS
        trouble = ""
        while not is_over(seen):
            try:
                seen = await self._look(run_id)
                troubles, trouble = 0, ""
            except ControlApiRefused as error:
                unknown += error.code == "unknown_run"
                troubles, trouble = troubles + 1, str(error)
            except ControlApiError as error:
                troubles, trouble = troubles + 1, str(error)
            except Exception:
                log.exception("fleet.run_unreadable run=%s", run_id)
                troubles, trouble = troubles + 1, "What I see of the run makes no sense to me."
            if unknown >= UNKNOWN_RUN_TRIES or self._clock.now() > until:
                seen = _lost(begun, trouble)
            await _publish(watch, seen, trouble if troubles >= SAY_TROUBLE_AFTER else "")
            await self._clock.sleep(self._pause(seen))

    def _pause(self, seen: Progress) -> float:
        if is_over(seen):
            return 0.0
        return self._waiting_every if seen.stage is Stage.QUEUED else self._running_every

    async def _look(self, run_id: int) -> Progress:
        seen = progress(await self._api.run(run_id))
        if seen.stage is not Stage.QUEUED:
            return seen
        waiting = await self._api.runs(limit=_QUEUE_SHOWN, unfinished=True)
        return progress_of(run_id, waiting) or seen


def progress_of(run_id: int, runs: tuple[Run, ...]) -> Progress | None:
    """A waiting run's progress, with how many are ahead of it."""
    run = next((run for run in runs if run.id == run_id), None)
    if run is None:
        return None
    ahead = sum(not other.finished and other.id < run_id for other in runs)
    return progress(run, ahead)


def is_over(seen: Progress) -> bool:
    return seen.stage in (Stage.DONE, Stage.FAILED, Stage.CANCELLED, Stage.UNKNOWN)


async def _news(watch: _Watch, shown: Deploying) -> Deploying:
    """What was seen last, once it differs from what is shown."""
    async with watch.changed:
        while watch.latest is None or _same(watch.latest, shown):
            await watch.changed.wait()
        return watch.latest


def _same(one: Deploying, other: Deploying) -> bool:
    return (one.progress, one.trouble) == (other.progress, other.trouble)


def _lost(begun: Progress, trouble: str) -> Progress:
    return Progress(
        Stage.UNKNOWN,
        begun.target,
        begun.image,
        begun.url,
        begun.run_id,
        reason=f"I lost sight of this run. {trouble}".rstrip(),
        advice="Look at the run itself, and at `/fleet status`, before asking again.",
    )


async def _publish(watch: _Watch, seen: Progress, trouble: str) -> None:
    async with watch.changed:
        watch.latest = Deploying(seen, trouble=trouble)
        watch.changed.notify_all()
