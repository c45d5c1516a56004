"""Where a deploy is told now, said wherever this bot told it before."""

import asyncio

from clawbot import wording
from clawbot.fleet_channel.channel import FleetChannel
from clawbot.living_reply import LivingReply, State
from clawbot.replies import GoesOn
from clawbot.until_shown import until_shown
from fleet_control.announcement import Announcement
from fleet_control.clock import Clock
from fleet_control.ledger import Run


class Pointers:
    """From messages of this bot in the fleet's channel to the one there in which another bot, or a
    later life of this one, tells of the same deploy."""

    def __init__(self, channel: FleetChannel, bot: str, clock: Clock) -> None:
        self._channel = channel
        self._bot = bot
        self._clock = clock
        self._left: dict[int, str] = {}
        self._points_to: dict[str, str] = {}

    def left(self, run: Run, message: str) -> None:
        """Another bot has taken over what was told in this message; the control table may not have
        it."""
        self._left[run.id] = message

    async def say(self, run: Run, seen: Announcement, to: str) -> None:
        """Say that it is told in the message `to`, wherever that was not said before; empty for
        none that anybody knows."""
        ours = {message for bot, message in seen.earlier if bot == self._bot}
        ours |= {message for message in [self._left.get(run.id)] if message}
        moved = [one for one in ours - {to} if self._points_to.get(one) != to]
        self._points_to.update(dict.fromkeys(moved, to))
        await asyncio.gather(*(self._end(run, one, to) for one in moved))

    async def _end(self, run: Run, message: str, to: str) -> None:
        reply = LivingReply(self._channel.message(message), self._clock, State.SENT)
        goes_on = GoesOn(wording.what(run.operation, run.target), self._channel.name, to)
        await until_shown(reply.show, run.request_id, self._clock)(goes_on)
