"""The reply to whoever asked for a deploy, from its dispatch to its end or to where it goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from clawbot import wording
from clawbot.call import AskerCall
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.replies import Deploying, Reply
from clawbot.reply_lease import ReplyLease
from clawbot.tracking import Tracker
from clawbot.until_shown import until_shown
from fleet_control.ledger import Entry, Run

log = logging.getLogger(__name__)


class AskersReply:
    """One that this process keeps up to date; `of` is the run that it tells of, or its entry, and
    `told` remembers of which a reply of this process does."""

    def __init__(
        self, reply: LivingReply, call: AskerCall, of: Entry | Run, tracker: Tracker, told: Once
    ) -> None:
        self._call = call
        self._tracker = tracker
        self._told = told
        self._key = told_key(of)
        calls = call.calls
        self._lease = ReplyLease(calls.api, call.request_id, calls.clock, held=call.ours)
        self._follows = False
        leased = LeasedCall(call, self._lease)
        self._show = until_shown(
            partial(reply.follow, call=leased), call.request_id, calls.clock, self._may_show
        )

    async def show(self, reply: Reply) -> Reply:
        await self._show(reply)
        return reply

    async def follow(self, begun: Deploying) -> Reply:
        """Show what changes after `begun`, for as long as the reply lives; what it ends with. One
        that a younger process of this bot keeps is left as it is."""
        self._follows = True
        ended = await self._lease.while_held(self._tracker.follow(begun, self._show))
        self._follows = False
        if ended is not None:
            return ended
        self._told.forget(*self._key)
        if self._lease.is_youngers:
            return begun
        seen = begun.progress
        goes_on = await self._lease.goes_on(wording.what(seen.operation, seen.target))
        log.info(
            "fleet.reply_given_up request_id=%s channel=%s stands_in=%s",
            self._call.request_id,
            goes_on.channel,
            goes_on.message,
        )
        return await self.show(goes_on)

    async def _may_show(self) -> None:
        """Of a deploy that others may tell of, once it is certain that none does."""
        if self._follows:
            await self._lease.certain()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """While this is done, and after it, nobody else of this process tells of that deploy; one
        that is cut off is anybody's again."""
        self._told.first(*self._key)
        try:
            yield
        except asyncio.CancelledError:
            self._told.forget(*self._key)
            raise


@dataclass(frozen=True, slots=True)
class LeasedCall:
    """The call to the asker, which a younger process of this bot makes where it keeps the reply."""

    call: AskerCall
    lease: ReplyLease

    async def make(
        self, end: Deploying, calling: Callable[[Deploying], Awaitable[None]], *, news: bool
    ) -> None:
        if end.progress.run_id is None or not await self.lease.looked():
            await self.call.make(end, calling, news=news)


def told_key(of: Entry | Run) -> tuple[str, ...]:
    """Which reply is meant: one ask may have two, where it was heard again after a crash."""
    return "told", of.request_id, of.reply
