"""Watches the fleet outside deploys, and tells its channel what is no longer as it should be."""

from clawbot.fleet_channel import FleetChannel
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.fleet import Fleet

READ_EVERY_SECONDS = 60.0


class Watcher:
    """One front's watch: one bot at a time has it for that front's channel, by a lease."""

    def __init__(
        self, api: ControlApi, fleet: Fleet, channel: FleetChannel, bot: str, clock: Clock
    ) -> None:
        """`bot` is our name, as the Control API knows it."""
        self._api = api
        self._fleet = fleet
        self._channel = channel
        self._bot = bot
        self._clock = clock

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._clock.sleep(READ_EVERY_SECONDS)
