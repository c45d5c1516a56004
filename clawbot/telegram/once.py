"""Each ask once: within a process by memory, across a crash by the ledger."""

import logging
from collections import OrderedDict

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.telegram.command import deploys
from fleet_control.caller import Human
from fleet_control.error import FleetError

_REMEMBERED = 4096

log = logging.getLogger(__name__)


class Once:
    """Remembers the latest few thousand things."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[object, ...], None] = OrderedDict()

    def first(self, *what: object) -> bool:
        """Whether this is new."""
        if what in self._seen:
            return False
        self._seen[what] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True


async def already(bot: Bot, ask: Ask) -> bool:
    """Whether the ledger has a deploy of this very ask: an update that came again after a crash.

    Where it can't be read the ask goes on: of two runs of one ask the younger stops by itself.
    """
    if not deploys(ask.words) or (isinstance(ask.caller, Human) and not ask.caller.operator):
        return False
    request_id = str(ask.request_id(bot.settings.bot))
    try:
        runs = await bot.api.runs(limit=1, request_id=request_id)
    except FleetError as error:
        log.warning("telegram.ledger_unseen why=%s", error)
        return False
    return any(run.request_id == request_id for run in runs)
