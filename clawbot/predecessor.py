"""Each ask once, across a crash too: what this bot asked for before it was started anew."""

import logging

from clawbot.ask import Ask
from fleet_control.caller import Human
from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.error import FleetError

_AGAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class Predecessor:
    """The process that was this bot before; one that was killed confirmed not all it had heard."""

    def __init__(self, api: ControlApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._began = clock.now()
        self._listed_from = clock.monotonic() + LISTED_WITHIN_SECONDS

    async def asked(self, ask: Ask) -> bool:
        """Whether the ledger has a deploy of this very ask, if its platform delivers some again.

        What was said before we began may have been asked for so lately that it is not listed yet.
        Where the ledger can't be read the ask goes on: of two runs of one ask one stops by itself.
        """
        if not ask.said or (isinstance(ask.caller, Human) and not ask.caller.operator):
            return False
        while not (found := await self._listed(ask)) and self._is_early(ask.said):
            await self._clock.sleep(_AGAIN_SECONDS)
        if found:
            log.info("fleet.asked_before request_id=%s", ask.request_id)
        return found

    def may_have_heard(self, ask: Ask) -> bool:
        """Whether it was said before we began, where its platform delivers some again."""
        return 0 < ask.said < int(self._began) and not ask.pressed

    async def _listed(self, ask: Ask) -> bool:
        request_id = str(ask.request_id)
        try:
            runs = await self._api.runs(limit=1, request_id=request_id)
        except FleetError as error:
            log.warning("fleet.ledger_unseen request_id=%s why=%s", request_id, error)
            return False
        return any(run.request_id == request_id for run in runs)

    def _is_early(self, said: float) -> bool:
        """A platform's times may be whole seconds."""
        return self._clock.monotonic() < self._listed_from and said < int(self._began)
