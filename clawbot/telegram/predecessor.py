"""Each ask once, across a crash too: what whoever had these updates before us asked for."""

import logging
from datetime import datetime

from clawbot.ask import Ask
from clawbot.bot import Bot
from fleet_control.caller import Human
from fleet_control.control_api import LISTED_WITHIN_SECONDS
from fleet_control.error import FleetError

_AGAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class Predecessor:
    """Whoever had this bot's updates before it began: one that was killed confirmed not all."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._began = bot.clock.now()
        self._listed_from = bot.clock.monotonic() + LISTED_WITHIN_SECONDS

    async def asked(self, ask: Ask, said: datetime) -> bool:
        """Whether the ledger has a deploy of this very ask, which was `said` or offered then.

        What was said before we began may have been asked for so lately that it is not listed yet.
        Where the ledger can't be read the ask goes on: of two runs of one ask one stops by itself.
        """
        if isinstance(ask.caller, Human) and not ask.caller.operator:
            return False
        while not (found := await self._listed(ask)) and self._is_early(said):
            await self._bot.clock.sleep(_AGAIN_SECONDS)
        return found

    async def _listed(self, ask: Ask) -> bool:
        request_id = str(ask.request_id(self._bot.settings.bot))
        try:
            runs = await self._bot.api.runs(limit=1, request_id=request_id)
        except FleetError as error:
            log.warning("telegram.ledger_unseen why=%s", error)
            return False
        return any(run.request_id == request_id for run in runs)

    def _is_early(self, said: datetime) -> bool:
        """Telegram's times are whole seconds."""
        soon = self._bot.clock.monotonic() < self._listed_from
        return soon and said.timestamp() < int(self._began)
