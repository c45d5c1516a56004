"""The call at a deploy's end: its asker is called once, whichever life of this bot does it.

An edit notifies nobody, so a call is a message of its own. The control table says that it was made:
a bot that was killed between the last edit and the call left its asker uncalled, and what stands in
the chat does not show that.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from clawbot.once import Once
from clawbot.patience import CALL_AGAIN
from clawbot.replies import Deploying
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiError, ControlApiRefused

# Where the table can't tell: whose deploy ended longer than this before we began has been called,
# or has looked. As long as a run waits for a new host, which may be the one that carries us.
CALLED_FOR_SECONDS = 900.0

log = logging.getLogger(__name__)


class EndCall(Protocol):
    """The call at the end of one deploy."""

    async def make(
        self, end: Deploying, calling: Callable[[Deploying], Awaitable[None]], *, news: bool
    ) -> None:
        """Call, unless that was done; `news` is whether the chat did not show this end before."""
        ...


class Calls:
    """Every call of one process."""

    def __init__(self, api: ControlApi, once: Once, clock: Clock) -> None:
        self.api = api
        self.once = once
        self.clock = clock
        self.since = clock.now() - CALLED_FOR_SECONDS


@dataclass(frozen=True, slots=True)
class AskerCall:
    """The call to the asker of one deploy.

    Attributes:
        request_id: of the ask.
        ours: whether this process has followed the deploy from its beginning, so that where the
            table can't tell nobody else is known to have called.
    """

    calls: Calls
    request_id: str
    ours: bool

    async def make(
        self, end: Deploying, calling: Callable[[Deploying], Awaitable[None]], *, news: bool
    ) -> None:
        """Call, unless that was done; `news` is whether the chat did not show this end before."""
        key = ("called", self.request_id, end.progress.stage)
        if not self.calls.once.first(*key):
            return
        has_run = end.progress.run_id is not None  # else no other life comes to it
        try:
            if has_run and not await self._is_due(end, news=news):
                return
            await calling(end)
        except BaseException:
            self.calls.once.forget(*key)
            raise
        if has_run:
            await self._note(end)

    async def _is_due(self, end: Deploying, *, news: bool) -> bool:
        try:
            told = await self.calls.api.told(self.request_id)
        except ControlApiError as error:
            log.warning("fleet.call_unknown request_id=%s why=%s", self.request_id, error)
            told = None
        if told is None:
            return self.ours or (news and end.progress.ended > self.calls.since)
        return told != end.progress.stage

    async def _note(self, end: Deploying) -> None:
        """Tried for as long as we are there: until then whoever announces the deploy calls, too."""
        why = ""
        for pause in CALL_AGAIN.pauses():
            try:
                return await self.calls.api.note_told(self.request_id, end.progress.stage)
            except ControlApiError as error:
                if why != (why := str(error)):
                    log.warning("fleet.call_not_noted request_id=%s why=%s", self.request_id, why)
                if isinstance(error, ControlApiRefused) and error.status < 500:
                    return None  # one of before there were any notes
            await self.calls.clock.sleep(pause)
        return None
