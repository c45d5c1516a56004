"""Each ask once, across a crash too: the ledger remembers."""

import logging

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.telegram.command import deploys
from fleet_control.caller import Human
from fleet_control.error import FleetError

log = logging.getLogger(__name__)


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
