"""The bot put together: settings become commands, and what they stand on."""

from dataclasses import dataclass
from typing import Self

from clawbot.answers import Commands
from clawbot.confirmation import Confirmation
from clawbot.deploy import Deploys
from clawbot.fleet_channel.announcing import Announcer
from clawbot.fleet_channel.channel import FleetChannel
from clawbot.fleet_channel.watching import Watcher
from clawbot.ledger_view import LedgerView
from clawbot.once import Once
from clawbot.operations import Operations
from clawbot.predecessor import Predecessor
from clawbot.preflight import BotPreflight
from clawbot.settings import Settings
from clawbot.speaker import Speakers
from clawbot.tracking import Tracker
from fleet_control import ec2
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.ec2 import Ec2Reader
from fleet_control.fleet import Fleet
from fleet_control.registry_source import RegistrySource


@dataclass(frozen=True, slots=True)
class Bot:
    """One of these serves every front of a process."""

    settings: Settings
    clock: Clock
    api: ControlApi
    fleet: Fleet
    speakers: Speakers
    tracker: Tracker
    deploys: Deploys
    once: Once
    confirmation: Confirmation
    commands: Commands
    preflight: BotPreflight

    def announcer(self, channel: FleetChannel) -> Announcer:
        """What tells that channel of deploys, while it runs."""
        return Announcer(
            self.api, self.tracker, self.deploys.tells, channel, self.settings.bot, self.clock
        )

    def watcher(self, channel: FleetChannel) -> Watcher:
        """Who tells this channel what is wrong with the fleet; `run` it where it is served."""
        return Watcher(self.api, self.fleet, channel, self.settings.bot, self.clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.speakers.close()
        await self.tracker.close()
        await self.fleet.close()
        await self.api.close()


def assemble(settings: Settings, clock: Clock) -> Bot:
    access_key = settings.aws_access_key_id.get_secret_value()
    secret_key = settings.aws_secret_access_key.get_secret_value()
    api = ControlApi(
        str(settings.control_api_url),
        settings.control_token.get_secret_value(),
        access_key,
        secret_key,
        settings.region,
        clock,
    )
    ec2_url = str(settings.ec2_url) if settings.ec2_url else None
    fleet = Fleet(
        RegistrySource(api.registry, clock, settings.registry_file),
        Ec2Reader(ec2.client(settings.region, access_key, secret_key, ec2_url), clock),
        api,
        clock,
        carrier=settings.instance,
        operators_set=settings.operators_set,
    )
    tracker = Tracker(api, clock, settings.running_every, settings.waiting_every)
    once = Once(clock)
    deploys = Deploys(api, tracker, settings.bot, once, clock)
    predecessor = Predecessor(api, clock)
    operations = Operations(fleet, once, clock)
    confirmation = Confirmation(fleet, operations, deploys, once, predecessor, clock)
    preflight = BotPreflight(fleet, settings, clock)
    ledger = LedgerView(api, tracker, clock)
    commands = Commands(
        fleet, deploys, confirmation, operations, once, predecessor, preflight, ledger
    )
    speakers = Speakers(fleet.registry, clock)
    return Bot(
        *(settings, clock, api, fleet, speakers, tracker, deploys, once, confirmation, commands),
        preflight,
    )
