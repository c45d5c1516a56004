"""What is ours for a while, and for as long as we say so again: the word of the control table."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from clawbot.patience import CALL_AGAIN
from fleet_control.announcement import LIVING_EVERY_SECONDS
from fleet_control.clock import Clock
from fleet_control.error import ControlApiRefused, FleetError

# Whoever was blind, or has just begun, leaves to the others what is theirs for so long: they may
# have been blind as well, and renew it within half a minute.
LEFT_TO_OTHERS_SECONDS = 120.0

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class RenewedLease:
    """A lease that is renewed every minute while something is done under it.

    `renewal` asks for it and tells whether it is ours, which it then is for `lasts` seconds;
    `held` is whether that is known already. `of` and `request_id` are for the log.
    """

    def __init__(
        self,
        renewal: Callable[[], Awaitable[bool]],
        lasts: float,
        clock: Clock,
        of: str,
        request_id: str,
        *,
        held: bool,
    ) -> None:
        self._renewal = renewal
        self._lasts = lasts
        self._clock = clock
        self._logged = of, request_id
        self._until = clock.monotonic() + lasts if held else -inf
        self._renewed = asyncio.Condition()
        self._why = ""

    async def while_held(self, work: Awaitable[Result]) -> Result | None:
        """What comes of this work; None where the lease is lost first, which cuts the work off."""
        working = asyncio.ensure_future(work)
        losing = asyncio.create_task(self._until_lost())
        try:
            await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            losing.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)

    async def certain(self) -> None:
        """Wait until nobody else can have it; that is never again where it is lost."""
        async with self._renewed:
            await self._renewed.wait_for(lambda: self._clock.monotonic() < self._until)

    async def renew(self) -> bool:
        """Whether it is ours still, asked until there is an answer."""
        for pause in CALL_AGAIN.pauses():
            asked = self._clock.monotonic()
            try:
                ours = await self._renewal()
            except Exception as error:  # noqa: BLE001  (it is not lost by what breaks in us)
                await self._missed(asked, error)
                await self._clock.sleep(pause)
            else:
                self._why = ""
                await self._is_ours_until(asked + self._lasts if ours else -inf)
                return ours
        raise AssertionError("pauses have no end")

    async def _until_lost(self) -> None:
        if self._clock.monotonic() < self._until:
            await self._clock.sleep(LIVING_EVERY_SECONDS)
        while await self.renew():
            await self._clock.sleep(LIVING_EVERY_SECONDS)

    async def _missed(self, asked: float, error: Exception) -> None:
        """What the Control API can't do it can't do for anybody, and whoever sees that it can again
        leaves us the time to ask first."""
        if self._why != (why := str(error)):
            log.warning(
                "fleet.lease_not_renewed of=%s request_id=%s why=%s",
                *self._logged,
                why,
                exc_info=None if isinstance(error, FleetError) else error,
            )
        self._why = why
        is_ours_alone = isinstance(error, ControlApiRefused) and error.code == "asked_too_often"
        if isinstance(error, ControlApiRefused) and not is_ours_alone and asked < self._until:
            await self._is_ours_until(max(self._until, asked + LEFT_TO_OTHERS_SECONDS))

    async def _is_ours_until(self, moment: float) -> None:
        async with self._renewed:
            self._until = moment
            self._renewed.notify_all()
