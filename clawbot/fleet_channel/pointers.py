"""Where a deploy is told now, said wherever it was told before."""

import asyncio
import logging

from clawbot import wording
from clawbot.fleet_channel.channel import FleetChannel
from clawbot.living_reply import LivingReply, State
from clawbot.replies import GoesOn
from clawbot.until_shown import until_shown
from fleet_control.announcement import Announcement
from fleet_control.clock import Clock
from fleet_control.ledger import Run, parse_request_id

log = logging.getLogger(__name__)


class Pointers:
    """From the asker's dead reply, and from messages of this bot in the fleet's channel, to the
    message there that another bot, or a later life of this one, tells of it in."""

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

    def answered(self, run: Run, seen: Announcement) -> str:
        """What is told here answers the dead reply, where that stands in this very channel, or else
        what another bot last told it in."""
        if seen.dead_reply and self._is_asked_here(run):
            return seen.dead_reply
        others = [message for bot, message in seen.earlier if bot != self._bot]
        return others[-1] if others else ""

    def _is_asked_here(self, run: Run) -> bool:
        return f"{self._channel.platform}:{_asked_in(run)}" == self._channel.name

    async def say(self, run: Run, seen: Announcement, to: str) -> None:
        """Say that it is told in the message `to`, wherever that was not said before; empty for
        none that anybody knows."""
        ours = {message for bot, message in seen.earlier if bot == self._bot}
        ours |= {message for message in [self._left.get(run.id)] if message}
        moved = [one for one in ours - {to} if self._points_to.get(one) != to]
        self._points_to.update(dict.fromkeys(moved, to))
        await asyncio.gather(
            self._answer(run, seen, to), *(self._end(run, one, to) for one in moved)
        )

    async def _end(self, run: Run, message: str, to: str) -> None:
        reply = LivingReply(self._channel.message(message), self._clock, State.SENT)
        goes_on = GoesOn(wording.what(run.operation, run.target), self._channel.name, to)
        await until_shown(reply.show, run.request_id, self._clock)(goes_on)

    async def _answer(self, run: Run, seen: Announcement, to: str) -> None:
        """The control table knows who was the first to tell of it, and in which message: whoever
        comes later has nothing to answer."""
        dead = seen.dead_reply
        is_first = not (seen.message or seen.earlier or dead in self._points_to)
        if not (dead and to and is_first) or self._is_asked_here(run):
            return
        self._points_to[dead] = to
        try:
            await self._channel.point(_asked_in(run), dead, to)
        except Exception:
            log.exception("fleet.dead_reply_not_answered request_id=%s", run.request_id)


def _asked_in(run: Run) -> str:
    return parse_request_id(run.request_id).channel if run.request_id else ""
