"""Tell the fleet's channel how each deploy goes that no living reply of an asker tells.

Which bot tells it the control table says, by a lease for each run and channel. What is told there
stands in one message, as a reply does, and is followed as one.
"""

import asyncio
import logging
from collections.abc import Callable
from math import inf

from clawbot.fleet_channel.channel import FleetChannel
from clawbot.fleet_channel.lease import ChannelLease
from clawbot.fleet_channel.pointers import Pointers
from clawbot.fleet_channel.telling import ChannelTelling, NotSent
from clawbot.lease import LEFT_TO_OTHERS_SECONDS
from clawbot.tracking import Tracker
from fleet_control.announcement import LEASED_SECONDS, Announcement, Silence
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.ledger import Run

LOOK_EVERY_SECONDS = 30.0
# A deploy that we could not tell the channel of is left to another bot until its lease can be had.
LEFT_AFTER_FAILURE_SECONDS = LEASED_SECONDS + LOOK_EVERY_SECONDS
# Nothing comes after these that would change them.
_SETTLED = (Silence.TOLD, Silence.EARLIER)

log = logging.getLogger(__name__)


class Announcer:
    """One channel's; `tells` says of which runs a reply of this very process tells."""

    def __init__(
        self,
        api: ControlApi,
        tracker: Tracker,
        tells: Callable[[Run], bool],
        channel: FleetChannel,
        bot: str,
        clock: Clock,
    ) -> None:
        self._api = api
        self._tracker = tracker
        self._tells = tells
        self._channel = channel
        self._bot = bot
        self._clock = clock
        self._is_blind = False
        self._logged_why = ""
        self._sees_since = clock.monotonic()
        self._settled: set[int] = set()
        self._others: set[int] = set()
        self._not_before: dict[int, float] = {}
        self._tellings: list[ChannelTelling] = []
        self._pointers = Pointers(channel, bot, clock)

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._look(tasks)
                await self._clock.sleep(LOOK_EVERY_SECONDS)

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        try:
            runs = await self._tracker.unfinished()
            if self._is_blind:
                await self._api.holds()  # which takes nothing, and needs the table
                self._is_blind, self._sees_since = False, self._clock.monotonic()
            for run in sorted(runs, key=lambda run: run.id):
                if self._is_to_ask(run):
                    await self._ask(run, tasks)
        except ControlApiError as error:
            if self._logged_why != (why := str(error)):
                log.warning("fleet.announcing_blind channel=%s why=%s", self._channel.name, why)
            self._is_blind, self._logged_why = True, why
        except Exception:
            log.exception("fleet.announcing_broken channel=%s", self._channel.name)

    def _is_to_ask(self, run: Run) -> bool:
        if run.id in self._settled or self._tells(run):
            return False
        if any(run.id in telling.runs for telling in self._tellings):
            return False
        now = self._clock.monotonic()
        # Whoever tells of it elsewhere may have been as blind as we were.
        is_anothers = bool(run.reply) or run.id in self._others
        if is_anothers and now < self._sees_since + LEFT_TO_OTHERS_SECONDS:
            return False
        return now >= self._not_before.get(run.id, -inf)

    async def _ask(self, run: Run, tasks: asyncio.TaskGroup) -> None:
        try:
            seen = await self._api.announce(run.id, self._channel.name, self._bot)
        except ControlApiError as error:
            if not (isinstance(error, ControlApiRefused) and error.code == "unknown_run"):
                await self._leave(run, error)
            return
        self._logged_why = ""
        if seen.silence == Silence.NONE or _is_left_open(seen, self._bot):
            self._begin(run, seen, tasks)
            return
        # While a duplicate waits it may become the deploy: the older run may be cancelled.
        is_past = seen.silence == Silence.DUPLICATE and run.finished
        is_settled = seen.silence in _SETTLED or is_past
        (self._settled if is_settled else self._others).add(run.id)
        if seen.message or run.id in self._settled:
            tasks.create_task(self._pointers.say(run, seen, seen.message))

    async def _leave(self, run: Run, error: ControlApiError) -> None:
        """One run that can't be asked about must not keep the others untold."""
        await self._api.holds()  # where that can't be had either, we are blind
        log.warning(
            "fleet.announcement_unknown run=%s request_id=%s channel=%s why=%s",
            *self._named(run),
            error,
        )
        self._put_off(run)

    def _put_off(self, run: Run) -> None:
        self._not_before[run.id] = self._clock.monotonic() + LEFT_AFTER_FAILURE_SECONDS

    def _begin(self, run: Run, taken: Announcement, tasks: asyncio.TaskGroup) -> None:
        def stands_in(message: str) -> None:
            log.info(
                "fleet.announced run=%s request_id=%s channel=%s stands_in=%s",
                *self._named(run),
                message,
            )
            tasks.create_task(self._pointers.say(run, taken, message))

        lease = ChannelLease(self._api, run, self._channel.name, self._bot, self._clock, taken)
        telling = ChannelTelling(run, lease, self._channel, self._clock, stands_in)
        self._tellings.append(telling)
        tasks.create_task(self._tell(run, telling))

    async def _tell(self, run: Run, telling: ChannelTelling) -> None:
        try:
            if not await telling.follow(self._tracker):
                log.info(
                    "fleet.announcement_lost run=%s request_id=%s channel=%s", *self._named(run)
                )
                self._others.add(run.id)
                self._pointers.left(run, telling.message)
            elif telling.leaves_unanswered:
                self._put_off(run)
            else:
                self._settled |= telling.runs
        except Exception as error:
            log.warning(
                "fleet.not_announced run=%s request_id=%s channel=%s",
                *self._named(run),
                exc_info=None if isinstance(error, NotSent) else error,
            )
            self._put_off(run)
        finally:
            self._tellings.remove(telling)

    def _named(self, run: Run) -> tuple[int, str, str]:
        return run.id, run.request_id, self._channel.name


def _is_left_open(seen: Announcement, bot: str) -> bool:
    """Whether our own message there does not show the end yet, which the asker's reply told, or
    that dead reply is not answered yet with our message."""
    told = seen.silence == Silence.TOLD and (not seen.end or bool(seen.dead_reply))
    return told and seen.by == bot and bool(seen.message)
