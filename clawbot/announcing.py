"""Tell the fleet's channel how each deploy goes that no living reply of an asker tells."""

from collections.abc import Callable

from clawbot.fleet_channel import FleetChannel
from clawbot.tracking import Tracker
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Run

LOOK_EVERY_SECONDS = 30.0


class Announcer:
    """One channel's; `tells` says of which runs a reply of this very process tells."""

    def __init__(
        self,
        api: ControlApi,
        tracker: Tracker,
        tells: Callable[[Run], bool],
        channel: FleetChannel,
        bot: str,
        clock: Clock,
    ) -> None:
        self._api = api
        self._tracker = tracker
        self._tells = tells
        self._channel = channel
        self._bot = bot
        self._clock = clock

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_SECONDS)
