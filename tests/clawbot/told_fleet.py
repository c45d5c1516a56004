"""Several bots, the fleet's channels and the chats of those who ask, over the real Control API: a
world in which bots are killed, come back and lose what they stand on, in turned time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from clawbot.ask import Ask
from clawbot.deploy import Deploys
from clawbot.fleet_channel.announcing import Announcer
from clawbot.living_reply import LivingReply, State
from clawbot.once import Once
from clawbot.replies import asking
from clawbot.tracking import Tracker
from fleet_control.caller import Human
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Entry
from tests.clawbot.told_platform import (
    CHANNELS,
    ON_CALL,
    Platform,
    PlatformMessage,
    Standing,
    ToldChannel,
)
from tests.clock import TurnedClock
from tests.idle import idle
from tests.real_control_api import RealControlApi, real_control_api

SAM = "discord:1"
ASKED_IN = "700"
DISCORD = CHANNELS["discord"]
# Who is called where nobody asked in a chat, and it failed.
CALLED = (DISCORD, (ON_CALL["discord"],))
BUTTON = Entry()
AGENTS = Entry("agent.claw-2.cli.41", target="claw-1", caller="claw-2")
STEP_SECONDS = 15.0


class Running:
    """As much of a bot as tells of deploys, and what it is at."""

    def __init__(self, name: str, api: ControlApi, clock: TurnedClock) -> None:
        once = Once(clock)
        self.api = api
        self.tracker = Tracker(api, clock, running_every=10.0, waiting_every=30.0)
        self.deploys = Deploys(api, self.tracker, name, once, clock)
        self.tasks: list[asyncio.Task[object]] = []

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.tracker.close()
        await self.api.close()


@dataclass
class ToldFleet:
    clock: TurnedClock
    api: RealControlApi
    discord: Platform = field(default_factory=lambda: Platform("discord"))
    telegram: Platform = field(default_factory=lambda: Platform("telegram"))
    running: dict[str, Running] = field(default_factory=dict)

    async def start(self, *names: str, platforms: Iterable[str] = ("discord",)) -> None:
        for name in names:
            bot = self.running[name] = Running(name, self.api.client(name), self.clock)
            bot.tasks.append(asyncio.create_task(self._resume(name, bot.deploys)))
            for platform in map(self.platform, platforms):
                platform.frozen.discard(name)
                channel = ToldChannel(platform, name)
                announcer = Announcer(
                    bot.api, bot.tracker, bot.deploys.tells, channel, name, self.clock
                )
                bot.tasks.append(asyncio.create_task(announcer.run()))
        await self.settled()

    async def kill(self, *names: str) -> None:
        for name in names:
            await self.running.pop(name).end()

    async def ask(self, name: str, asked: str = "1", channel: str = ASKED_IN) -> int:
        """Somebody asks this bot for a deploy; its run."""
        caller = Human(SAM, "sam", operator=True)
        ask = Ask(caller, "discord", name, channel, asked, account=SAM, name="sam")
        running = self.running[name]
        message = PlatformMessage(self.discord, name, f"discord:{channel}")
        reply = LivingReply(message, self.clock)
        begun = await reply.show(asking("claw-2", "", SAM))
        doing = asyncio.create_task(running.deploys.begin(ask, begun, reply))
        running.tasks.append(doing)
        await self.api.until("deploy", self.api.count("deploy") + 1)
        await self.settled()
        return int(self.api.github.runs[0]["id"])

    async def ask_who_dies(self, name: str, channel: str = ASKED_IN) -> tuple[int, str]:
        """The run, and the reply that its bot does not keep up to date any more."""
        before = {*self.discord.messages}
        run = await self.ask(name, channel=channel)
        (dead,) = self.discord.messages.keys() - before
        await self.kill(name)
        return run, dead

    async def announced_by(self, name: str, *entries: Entry) -> None:
        """This bot starts, and announces a run of each of these, which are numbered from 7."""
        await self.start(name)
        for run, entry in enumerate(entries, 7):
            self.api.begin(entry, run)
        await self.passes(45)

    def lose(self, *, table: bool) -> None:
        """From now on the table is away, or the Control API is."""
        if table:
            self.api.lose_table()
        else:
            self.api.away = True

    def find(self) -> None:
        """Everything is there again."""
        self.api.away = self.discord.away = False
        self.api.find_table()

    async def passes(self, seconds: float, step: float = STEP_SECONDS) -> None:
        """Time goes on, in steps that each come to rest; who is killed meanwhile is gone."""
        while seconds > 0:
            await self.clock.turn(min(step, seconds))
            seconds -= step
            await self.settled()

    async def settled(self) -> None:
        """Once nobody asks the Control API for anything, and whoever was killed is gone."""
        await self._idle()
        while frozen := {
            one for on in (self.discord, self.telegram) for one in on.frozen & self.running.keys()
        }:
            await self.kill(*frozen)
            await self._idle()

    async def _idle(self) -> None:
        await idle(lambda: self.api.answered < len(self.api.asked))

    def platform(self, name: str) -> Platform:
        return self.discord if name == "discord" else self.telegram

    @property
    def is_without_table(self) -> bool:
        return "AWS_ENDPOINT_URL_DYNAMODB" in self.api.environ

    @property
    def told(self) -> list[Standing]:
        """What Discord's channel was told of ends."""
        return self.discord.told(CHANNELS["discord"])

    async def _resume(self, name: str, deploys: Deploys) -> None:
        def reply_in(channel: str, _asked: str, reply_id: str) -> LivingReply:
            left = PlatformMessage(self.discord, name, f"discord:{channel}", reply_id)
            return LivingReply(left, self.clock, State.SENT)

        async with asyncio.TaskGroup() as tasks:
            async for left in deploys.resume("discord", reply_in):
                for finishing in left:
                    tasks.create_task(_done(finishing))


async def _done(finishing: object) -> None:
    await finishing  # type: ignore[misc]  # an awaitable, which a task is not made of


@asynccontextmanager
async def told_fleet() -> AsyncIterator[ToldFleet]:
    """Both channels are told of deploys from now on."""
    clock = TurnedClock()
    async with real_control_api(clock) as api:
        async with api.client("claw-9") as client:
            for channel in CHANNELS.values():
                await client.watch(channel, "claw-9")
        fleet = ToldFleet(clock, api)
        yield fleet
        await fleet.kill(*fleet.running)
