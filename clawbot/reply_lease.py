"""An asker's own reply: it lives for as long as its bot says so, and is given up for good else."""

from contextlib import suppress

from clawbot.lease import RenewedLease
from clawbot.patience import CALL_AGAIN
from clawbot.replies import GoesOn
from fleet_control.announcement import GIVEN_UP_SECONDS, ReplyLife
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused

# Whoever gave it up says where it goes on as soon as that was sent; its platform may be away.
SAID_WITHIN_SECONDS = 300.0


class ReplyLease(RenewedLease):
    """Of the reply to one ask; `held` is whether its run was dispatched just now."""

    def __init__(self, api: ControlApi, request_id: str, clock: Clock, *, held: bool) -> None:
        super().__init__(self._lives, GIVEN_UP_SECONDS, clock, "reply", request_id, held=held)
        self._api = api
        self._request_id = request_id
        self._life: ReplyLife | None = ReplyLife(lives=True)

    async def goes_on(self, what: str) -> GoesOn:
        """What a reply ends with that was given up: `what` it told of, and where that is told now,
        once somebody says that."""
        until = self._clock.monotonic() + SAID_WITHIN_SECONDS
        for pause in CALL_AGAIN.pauses():
            if self._goes_on or self._clock.monotonic() >= until:
                break
            await self._clock.sleep(pause)
            with suppress(ControlApiError):
                await self._lives()
        channel, _, message = self._goes_on.rpartition("#")
        return GoesOn(what, channel, message)

    @property
    def is_youngers(self) -> bool:
        """Whether a younger process of this bot keeps it."""
        return self._life is None

    async def looked(self) -> bool:
        """Whether it is, asked once."""
        with suppress(ControlApiError):
            await self._lives()
        return self.is_youngers

    @property
    def _goes_on(self) -> str:
        return self._life.goes_on if self._life else ""

    async def _lives(self) -> bool:
        try:
            self._life = await self._api.living(self._request_id)
        except ControlApiRefused as error:
            if not _is_for_good(error):
                raise
        return self._life is not None and self._life.lives


def _is_for_good(error: ControlApiRefused) -> bool:
    """Whether nobody can give a reply up there: it is older than that, or has no table."""
    return error.code in ("bad_request", "misconfigured", "forged_caller", "unknown_caller")
