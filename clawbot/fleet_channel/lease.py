"""The lease of telling the fleet's channel of one run, and what the control table has beside it."""

from clawbot.lease import RenewedLease
from fleet_control.announcement import LEASED_SECONDS, Announcement, Silence
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused
from fleet_control.ledger import Run

# Nobody else tells of these where the lease is ours still: by TOLD the asker's own reply told the
# end, or an earlier life of this bot.
_OURS = (Silence.NONE, Silence.TOLD, Silence.DUPLICATE)


class ChannelLease(RenewedLease):
    """Of one run, `taken` just now by this bot.

    Attributes:
        run_id: of the run; of its ask's deploy, once that turns out to be another one.
        message: which it is told in; empty before that was sent.
        end: the end that was told, and called for, by this process.
    """

    def __init__(
        self,
        api: ControlApi,
        run: Run,
        channel: str,
        bot: str,
        clock: Clock,
        taken: Announcement,
    ) -> None:
        super().__init__(self._is_ours, LEASED_SECONDS, clock, channel, run.request_id, held=True)
        self.run_id = run.id
        self.message = taken.message
        self.end = ""
        self._api = api
        self._channel = channel
        self._bot = bot
        self._seen = taken
        self._has_answered = False

    @property
    def was_told(self) -> bool:
        """Whether others told the end: the asker's own reply, or another process of this bot."""
        return self._seen.silence == Silence.TOLD and not self.end

    @property
    def dead_reply(self) -> str:
        """The asker's, which is to be answered with where it is told; empty for none."""
        return "" if self._has_answered else self._seen.dead_reply

    @property
    def told_before(self) -> str:
        """The message that another bot last told it in; empty for none."""
        others = [message for bot, message in self._seen.earlier if bot != self._bot]
        return others[-1] if others else ""

    async def stands_in(self, message: str, *, answers: bool) -> None:
        """Note which message it is told in, and whether that answers the dead reply."""
        self.message = message
        self._has_answered |= answers
        await self.renew()

    async def answered(self) -> None:
        """Note that the dead reply was."""
        self._has_answered = True
        await self.renew()

    async def is_of(self, run_id: int) -> None:
        """Note which run is the deploy."""
        if run_id != self.run_id:
            self.run_id = run_id
            await self.renew()

    async def ended(self, end: str) -> None:
        """Note that this end was told, and called for."""
        self.end = end
        await self.renew()

    async def _is_ours(self) -> bool:
        try:
            self._seen = await self._api.announce(
                self.run_id,
                self._channel,
                self._bot,
                self.message,
                self.end,
                answered=self._has_answered,
            )
        except ControlApiRefused as error:
            if error.code != "unknown_run":
                raise
            return True
        return self._seen.silence in _OURS and self._seen.by in ("", self._bot)
