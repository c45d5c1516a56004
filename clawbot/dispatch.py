"""From a judged ask to its run, and to a reply that somebody finishes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from clawbot.ask import Ask
from clawbot.patience import WORK_AGAIN
from clawbot.progress import Stage, lost, progress
from clawbot.recent import Recent
from clawbot.replies import Deploying, Reply, refused
from clawbot.tracking import Tracker
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused, FleetError, OutcomeUnknown
from fleet_control.ledger import Entry, Run, caller_field, fit, parse_request_id

# What the Control API's own policy says no with; every other refusal is something broken.
_NO = (403, 409)
# Telegram gives out an update for a day, and so long the ledger's list holds what has ended.
REMEMBERED_SECONDS = 25 * 3600.0
# By then the list shows whatever was asked for before we began; a first reply says the same.
LOOK_FOR_SECONDS = 120.0

log = logging.getLogger(__name__)

Show = Callable[[Reply], Awaitable[None]]


class Dispatcher:
    """`bot` is the name its key carries: the instance it rides, or a name of its own."""

    def __init__(self, api: ControlApi, tracker: Tracker, bot: str, clock: Clock) -> None:
        self._api = api
        self._tracker = tracker
        self._bot = bot
        self._clock = clock
        self._claimed = Recent(clock, REMEMBERED_SECONDS)
        self._declined = Recent(clock, REMEMBERED_SECONDS)
        self._told = Recent(clock, REMEMBERED_SECONDS)

    def claim(self, ask: Ask) -> bool:
        """Whether this ask is new to this process: a platform may deliver one twice, and a button
        can be pressed twice."""
        request_id = str(ask.request_id(self._bot))
        if request_id in self._claimed:
            return False
        self._claimed.add(request_id)
        return True

    def decline(self, ask: Ask) -> bool:
        """Claim this ask for a no, so that no yes to it counts any more; whether it was new."""
        new = self.claim(ask)
        if new:
            self._declined.add(str(ask.request_id(self._bot)))
        return new

    def declined(self, ask: Ask) -> bool:
        return str(ask.request_id(self._bot)) in self._declined

    def release(self, ask: Ask) -> None:
        """Forget a claim that came to nothing: the next one counts."""
        self._claimed.discard(str(ask.request_id(self._bot)))

    async def deploy(self, ask: Ask, begun: Deploying, reply_id: str, show: Show) -> Reply:
        """Ask for the deploy that `begun` announces, and follow it to its end.

        One that is cut off is left to `resume`: a front that starts again is a successor, too.
        """
        entry = self._entry(ask, begun, reply_id)
        self._told.add(_address(entry))
        try:
            return await self._deploy(begun, entry, _never_failing(show, entry.request_id))
        except asyncio.CancelledError:
            self._told.discard(_address(entry))
            raise

    def _entry(self, ask: Ask, begun: Deploying, reply_id: str) -> Entry:
        return fit(
            Entry(
                request_id=str(ask.request_id(self._bot)),
                reply=reply_id,
                target=begun.progress.target,
                caller=caller_field(ask.caller),
                requested_by=ask.requested_by,
            ).naming(begun.progress.version)
        )

    async def _deploy(self, begun: Deploying, entry: Entry, show: Show) -> Reply:
        try:
            taken = await self._api.deploy(entry)
        except ControlApiError as error:
            return await _shown(show, _not_dispatched(begun, entry, error))
        log.info(
            "fleet.dispatched target=%s version=%s by=%s run=%s request_id=%s unproven_caller=%s",
            entry.target,
            entry.version or "newest",
            entry.requested_by,
            taken.run_id,
            entry.request_id,
            taken.unproven_caller,
        )
        queued = replace(
            begun.progress,
            stage=Stage.QUEUED,
            url=taken.url,
            run_id=taken.run_id,
            ahead=taken.ahead,
        )
        note = " ".join(filter(None, (begun.note, taken.note)))
        followed = replace(begun, progress=queued, note=note)
        if taken.run_id is None:
            why = "GitHub took the deploy but did not say which run it is."
            return await _shown(show, replace(followed, progress=lost(queued, why)))
        await show(followed)
        return await self._tracker.follow(followed, show)

    async def resume(
        self, platform: str, show_in: Callable[[str, str], Show | None]
    ) -> AsyncIterator[list[Awaitable[Reply]]]:
        """What a predecessor left: at each look at the ledger, a thing to await for each reply that
        is ours to finish and was not found before.

        `show_in(channel, reply id)` gives how to change that reply, or None to leave it.
        """
        found: set[str] = set()
        async for runs in self._looks():
            new = [run for run in _tellers(runs) if _address(run) not in found]
            found.update(map(_address, runs))
            left = [(run, self._channel_of(run, platform)) for run in new]
            yield [
                self._finish(run, show)
                for run, channel in left
                if channel and (show := show_in(channel, run.reply)) is not None
            ]

    async def _looks(self) -> AsyncIterator[tuple[Run, ...]]:
        """The ledger, for as long as what a predecessor asked for may still come to be listed."""
        begun = self._clock.monotonic()
        for pause in WORK_AGAIN.pauses():
            looked = self._clock.monotonic()
            try:
                runs = await self._api.runs(unfinished=True)
            except FleetError as error:
                log.warning("fleet.left_unseen why=%s", error)
            else:
                yield runs
                if looked - begun >= LOOK_FOR_SECONDS:
                    return
            await self._clock.sleep(pause)

    def _finish(self, run: Run, show: Show) -> Awaitable[Reply]:
        # As if nothing had been shown, so that whatever is there now is a change.
        begun = Deploying(replace(progress(run), stage=Stage.ASKING), _asker(run))
        return self._tracker.follow(begun, _never_failing(show, run.request_id))

    def _channel_of(self, run: Run, platform: str) -> str:
        """Where the run's reply is, if it is one that this bot began and nobody here finishes."""
        if not run.reply or not run.request_id or _address(run) in self._told:
            return ""
        asked = parse_request_id(run.request_id)
        return asked.channel if (asked.platform, asked.bot) == (platform, self._bot) else ""


def _never_failing(show: Show, request_id: str) -> Show:
    """A reply that can't be changed just now must not lose sight of the deploy."""

    async def shown(reply: Reply) -> None:
        try:
            await show(reply)
        except Exception:
            log.exception("fleet.reply_not_edited request_id=%s", request_id)

    return shown


def _tellers(runs: tuple[Run, ...]) -> list[Run]:
    """One run a reply, the oldest: whoever follows it finds the deploy of that ask."""
    told: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.id):
        told.setdefault(_address(run), run)
    return list(told.values())


def _address(entry: Entry | Run) -> str:
    """Which reply is meant: one ask may have two, where it was heard again after a crash."""
    return f"{entry.request_id} {entry.reply}"


def _asker(run: Run) -> str:
    return run.requested_by.partition(" ")[0]


def _not_dispatched(begun: Deploying, entry: Entry, error: ControlApiError) -> Reply:
    if isinstance(error, ControlApiRefused) and error.status in _NO:
        log.info("fleet.refused code=%s request_id=%s", error.code, entry.request_id)
        return refused(str(error), error.code)
    log.warning("fleet.not_dispatched request_id=%s why=%s", entry.request_id, error)
    if isinstance(error, OutcomeUnknown):
        return replace(begun, progress=lost(begun.progress, str(error)))
    failed = replace(
        begun.progress,
        stage=Stage.FAILED,
        reason=str(error),
        advice=f"Nothing began. {_when(error)}",
    )
    return replace(begun, progress=failed)


def _when(error: ControlApiError) -> str:
    after = error.retry_after if isinstance(error, ControlApiRefused) else None
    return f"Ask again in {after:.0f} seconds." if after else "Ask again when that is put right."


async def _shown(show: Show, reply: Reply) -> Reply:
    await show(reply)
    return reply
