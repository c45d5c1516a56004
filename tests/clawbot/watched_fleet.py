"""Bots that watch a fleet of three for one channel, over the real Control API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from clawbot.bot import assemble
from clawbot.living_reply import ReplyMessage
from clawbot.replies import Deploying, Notice, Reply, WatchReport
from clawbot.settings import load
from tests.clawbot.bots import registry
from tests.clock import TurnedClock
from tests.discord.ec2 import NOW, Claw, stage
from tests.fleet_control.aws import FakeEc2
from tests.lambda_fn.events import CONTROL_TOKEN
from tests.real_control_api import RealControlApi, access_key, real_control_api

IDS = ("claw-1", "claw-2", "claw-3")
CHANNEL = "discord:70"


class Refuses(Exception):
    """The platform takes no message."""


def nothing() -> None:
    """What happens usually when a report is sent."""


@dataclass
class KeptChannel:
    """A fleet's channel that keeps what it is told, each with its second of the day.

    Attributes:
        before, after: called when a report is about to stand there, and once it does.
    """

    clock: TurnedClock
    told: list[tuple[int, WatchReport]] = field(default_factory=list)
    before: Callable[[], object] = nothing
    after: Callable[[], object] = nothing
    name: str = CHANNEL
    platform: str = "discord"
    calls: tuple[str, ...] = ("discord:&9",)

    def message(self, id_: str = "", answers: str = "") -> ReplyMessage:
        assert not id_ + answers
        return ReportMessage(self)

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        raise AssertionError("a watch points nowhere")

    @property
    def words(self) -> list[str]:
        """What was told, by minutes since the beginning."""
        return [f"{second // 60} {worded(report)}" for second, report in self.told]


def worded(report: WatchReport) -> str:
    lists = (report.wrong, report.flapping, report.well)
    return "; ".join(
        f"{kind} {', '.join(f'{one.of} {one.problem}' for one in found)}"
        for kind, found in zip(("wrong", "flaps", "well"), lists, strict=True)
        if found
    )


@dataclass
class ReportMessage:
    channel: KeptChannel
    id: str = ""

    async def show(self, reply: Reply, within: float | None) -> bool:
        assert isinstance(reply, WatchReport)
        self.channel.before()
        await asyncio.sleep(0)
        self.channel.told.append((int(self.channel.clock.monotonic()), reply))
        self.channel.after()
        await asyncio.sleep(0)
        return True

    async def heard(self) -> None:
        raise AssertionError

    async def whisper(self, notice: Notice) -> None:
        raise AssertionError

    async def call(self, reply: Deploying) -> None:
        raise AssertionError


@dataclass
class WatchedFleet:
    """Attributes:
    bots: the watches that run, by their bots' names.
    """

    api: RealControlApi
    ec2: FakeEc2
    clock: TurnedClock
    channel: KeptChannel
    bots: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, name: str, *channels: KeptChannel) -> None:
        """This bot watches, for one channel or several, and has looked once."""
        environ = {
            "CLAWBOT_NAME": name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": self.api.url,
            "CLAWBOT_CONTROL_TOKEN": CONTROL_TOKEN,
            "CLAWBOT_AWS_ACCESS_KEY_ID": access_key(name),
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
            "CLAWBOT_OPERATORS": "terminal:operator",
        }
        bot = await self.stack.enter_async_context(assemble(load(environ), self.clock))
        for number, channel in enumerate(channels or (self.channel,)):
            task = asyncio.create_task(bot.watcher(channel).run())
            self.bots[f"{name}, {number}" if number else name] = task
        await self.settled()

    async def kill(self, name: str) -> None:
        task = self.bots.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def settled(self) -> None:
        """Every bot that lives waits for its next look."""
        for name, task in [*self.bots.items()]:
            waiting = asyncio.ensure_future(self.clock.asleep(len(self.bots)))
            await asyncio.wait((waiting, task), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                self.bots.pop(name)
            if not waiting.done():
                waiting.cancel()
        await self.clock.asleep(len(self.bots))

    async def pass_(self, minutes: int) -> None:
        for _ in range(minutes):
            await self.clock.turn(60)
            await self.settled()

    def shows(self, *claws: Claw) -> None:
        """EC2 shows these so, and the others of the fleet as they should be."""
        otherwise = {one.name: one for one in claws}
        stage(self.ec2, [otherwise.get(id_, Claw(id_)) for id_ in IDS])

    def lacks(self, *ids: str) -> None:
        """These have ended, which EC2 shows for a while."""
        self.shows(*(Claw(id_, state="terminated") for id_ in ids))


ILL = Claw("claw-2", check="impaired")


@asynccontextmanager
async def watched_fleet(ec2: FakeEc2, ids: Sequence[str] = IDS) -> AsyncIterator[WatchedFleet]:
    clock = TurnedClock(NOW)
    async with real_control_api(clock) as api, AsyncExitStack() as stack:
        api.github.registry = registry(*ids).encode()
        fleet = WatchedFleet(api, ec2, clock, KeptChannel(clock), stack=stack)
        fleet.shows()
        try:
            yield fleet
        finally:
            for name in [*fleet.bots]:
                await fleet.kill(name)
