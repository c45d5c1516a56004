"""Follow a run and keep its replies up to date, however many follow it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from clawbot.foresight import Foresight
from clawbot.progress import Progress, Stage, lost
from clawbot.replies import Deploying
from clawbot.run_progress import progress
from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.duplicate import deploy_among, deploy_of, same_ask
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.ledger import Run, asked_by, seconds
from fleet_control.sight import Sight
from fleet_control.wait import slowed

GIVE_UP_UNSEEN_SECONDS = 6 * 3600.0

log = logging.getLogger(__name__)

Show = Callable[[Deploying], Awaitable[None]]


@dataclass
class _RunPoll:
    """One run's poller, and what it saw last."""

    latest: Deploying | None = None
    followers: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None


class Tracker:
    """Asks about each followed run once for all its followers; intervals are seconds.

    Attributes:
        foresight: what is said of the moments to come of a deploy, whoever follows it.
    """

    def __init__(
        self, api: ControlApi, clock: Clock, running_every: float, waiting_every: float
    ) -> None:
        self.foresight = Foresight(api, clock)
        self._api = api
        self._clock = clock
        self._running_every = running_every
        self._waiting_every = waiting_every
        self._watched: dict[int, _RunPoll] = {}
        self._queue: asyncio.Task[tuple[Run, ...]] | None = None
        self._queue_read = 0.0

    async def follow(self, begun: Deploying, show: Show) -> Deploying:
        """Show each change until the deploy is over; the last that was shown.

        Where another run turns out to be the deploy of the same ask, it is that one's changes.
        """
        shown = begun
        while not shown.progress.over:
            shown = await self._follow_run(shown, show)
        return shown

    async def _follow_run(self, begun: Deploying, show: Show) -> Deploying:
        """Until it is over, or another run is shown in its place."""
        run_id = begun.progress.run_id
        if run_id is None:
            raise ValueError("a deploy without a run can't be followed")
        watch = self._watch(run_id, begun.progress)
        watch.followers += 1
        try:
            return await _show_changes(watch, begun, show)
        finally:
            watch.followers -= 1
            if not watch.followers:
                self._forget(run_id, watch)

    async def close(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            watch.task for watch in self._watched.values() if watch.task
        ]
        tasks += [self._queue] if self._queue else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self.foresight.close(), return_exceptions=True)
        self._watched.clear()

    def _watch(self, run_id: int, begun: Progress) -> _RunPoll:
        watch = self._watched.get(run_id)
        if watch is None:
            watch = self._watched[run_id] = _RunPoll()
            self.foresight.look()
            watch.task = asyncio.create_task(self._poll(run_id, begun, watch))
        return watch

    def _forget(self, run_id: int, watch: _RunPoll) -> None:
        self._watched.pop(run_id, None)
        if watch.task:
            watch.task.cancel()

    async def _poll(self, run_id: int, begun: Progress, watch: _RunPoll) -> None:
        known = _RunSeen(begun, Sight(self._clock))

        async def tell() -> None:
            await _publish(watch, Deploying(known.progress, trouble=known.trouble))

        while True:
            await self._look(run_id, known)
            known.give_up_in_time(self._clock.monotonic())
            await tell()
            if known.progress.over or known.progress.run_id != run_id:
                return
            await known.sight.sleep(self._pause(known), tell)

    def _pause(self, known: "_RunSeen") -> float:
        waits = known.progress.stage in (Stage.ASKING, Stage.QUEUED) and not known.sight.why
        usual = self._running_every * slowed(known.unchanged_looks)
        return max(known.asked_pause, self._waiting_every if waits else usual)

    async def _look(self, run_id: int, known: "_RunSeen") -> None:
        try:
            known.saw(await self._seen(run_id, known.progress))
        except ControlApiRefused as error:
            if error.code == "unknown_run":
                known.unknown(str(error), self._clock.monotonic())
            else:
                known.missed(str(error))
            known.asked_pause = error.retry_after or 0.0
        except ControlApiError as error:
            known.missed(str(error))
        except Exception:
            log.exception("fleet.run_unreadable run=%s", run_id)
            known.missed("What I see of the run makes no sense to me.")

    async def _seen(self, run_id: int, last: Progress) -> Progress:
        """How the deploy goes that this run was asked for, whichever run that is; one that waits is
        seen in the list that all who wait share."""
        waiting = last.stage is Stage.QUEUED and _waiting(run_id, await self.unfinished())
        run = waiting or await self._api.run(run_id)
        if progress(run).stage is not Stage.QUEUED:
            return self.foresight.seen(await deploy_of(self._api, run))
        listed = await self.unfinished()
        deploy = deploy_among(same_ask(run, listed))
        if deploy.id != run_id:
            return self.foresight.seen(await self._api.run(deploy.id))
        listed_as = next((one for one in listed if one.id == run_id), None)
        return self.foresight.seen(listed_as, listed) if listed_as else self.foresight.seen(run)

    async def unfinished(self) -> tuple[Run, ...]:
        """What waits or runs, and what ended within a day, as it was at most one look ago."""
        now = self._clock.monotonic()
        if self._queue is None or now - self._queue_read >= self._running_every:
            asking = self._api.runs(unfinished=True)
            self._queue, self._queue_read = asyncio.ensure_future(asking), now
        # One who leaves must not take the list from the others.
        return await asyncio.shield(self._queue)


def found(run: Run, asker: str = "") -> Deploying:
    """What a run that was found in the ledger is followed from: as if nothing had been shown, so
    that whatever is there now is a change."""
    begun = replace(progress(run), stage=Stage.ASKING)
    return Deploying(begun, asker, asked_by=asked_by(run), asked_at=seconds(run.created))


@dataclass
class _RunSeen:
    """What was seen of a run last, and since when it has not been seen.

    Attributes:
        unchanged_looks: looks in a row that showed nothing new.
        unknown_since: when GitHub said first that it knows no such run, if it still does.
        asked_pause: seconds that the Control API asked us to leave it alone.
    """

    progress: Progress
    sight: Sight
    unchanged_looks: int = 0
    unknown_since: float | None = None
    asked_pause: float = 0.0

    @property
    def trouble(self) -> str:
        """What keeps us from seeing the run, once that has lasted."""
        told = self.sight.trouble
        return f"I have had {told}" if told and not self.progress.over else ""

    def saw(self, seen: Progress) -> None:
        self.unchanged_looks = self.unchanged_looks + 1 if seen == self.progress else 0
        self.progress = seen
        self.sight.seen()
        self.unknown_since, self.asked_pause = None, 0.0

    def missed(self, why: str) -> None:
        self.sight.lost(why)
        self.unknown_since, self.asked_pause = None, 0.0

    def unknown(self, why: str, now: float) -> None:
        since = now if self.unknown_since is None else self.unknown_since
        self.missed(why)
        self.unknown_since = since

    def give_up_in_time(self, now: float) -> None:
        if self.unknown_since is not None and now - self.unknown_since > LISTED_WITHIN_SECONDS:
            self.progress = lost(
                self.progress, "I lost sight of this run: GitHub does not know it."
            )
        elif self.sight.lasted > GIVE_UP_UNSEEN_SECONDS:
            why = f"I lost sight of this run. {self.sight.why}"
            self.progress = lost(self.progress, why.rstrip())


def _waiting(run_id: int, runs: tuple[Run, ...]) -> Run | None:
    """The run, where it is listed as one that waits."""
    return next(
        (run for run in runs if run.id == run_id and progress(run).stage is Stage.QUEUED), None
    )


async def _show_changes(watch: _RunPoll, begun: Deploying, show: Show) -> Deploying:
    shown = begun
    while not shown.progress.over and shown.progress.run_id == begun.progress.run_id:
        news = await _news(watch, shown)
        # As whoever comes after us has it, and whoever's clock is right, should ours not be.
        asked_at = news.progress.asked or begun.asked_at
        shown = replace(begun, progress=news.progress, trouble=news.trouble, asked_at=asked_at)
        await show(shown)
    return shown


async def _news(watch: _RunPoll, shown: Deploying) -> Deploying:
    """What was seen last, once it differs from what is shown."""
    async with watch.changed:
        while watch.latest is None or _same(watch.latest, shown):
            await watch.changed.wait()
        return watch.latest


def _same(one: Deploying, other: Deploying) -> bool:
    return (one.progress, one.trouble) == (other.progress, other.trouble)


async def _publish(watch: _RunPoll, latest: Deploying) -> None:
    async with watch.changed:
        watch.latest = latest
        watch.changed.notify_all()
