"""Several bots, the fleet's channels and the chats of those who ask, over the real Control API: a
world in which bots are killed, come back and lose what they stand on, in turned time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from clawbot.ask import Ask
from clawbot.deploy import Deploys
from clawbot.fleet_channel.announcing import Announcer
from clawbot.living_reply import LivingReply, NoPlace, ReplyMessage, State
from clawbot.once import Once
from clawbot.replies import Deploying, Notice, Reply, asking
from clawbot.tracking import Tracker
from fleet_control.caller import Human
from fleet_control.control_api import ControlApi
from tests.clock import TurnedClock
from tests.real_control_api import RealControlApi, real_control_api

SAM = "discord:1"
ON_CALL = {"discord": "discord:&5", "telegram": "telegram:5"}
CHANNELS = {"discord": "discord:900", "telegram": "telegram:-900"}
ASKED_IN = "700"
STEP_SECONDS = 15.0
# An answer and the next call that it leads to are some turns of the loop apart.
QUIET_LOOKS = 4


@dataclass
class Standing:
    """One message of a platform: whose, where, what it answers, and all that it showed."""

    author: str
    channel: str
    answers: str
    shown: list[Reply] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Whether it tells how a deploy ended."""
        last = self.shown[-1]
        return isinstance(last, Deploying) and last.progress.over

    def is_of(self, run: int) -> bool:
        """Whether it has told of this run."""
        return any(isinstance(one, Deploying) and one.progress.run_id == run for one in self.shown)


@dataclass
class Platform:
    """
    Attributes:
        called: who was called at which end, as (channel, accounts).
        pointed: which dead reply was answered with which message.
        gone: channels in which nothing can be answered any more; `silent` are those that take
            nothing for now. `tried` is of which channels each try of that was.
        away: whether it answers nobody; `shut_out` are bots that it does not answer, `put_out`
            those that it refuses for good, and `muted` those that may say nothing new.
        fatal: the moment of a bot at which it is killed: before its message was taken, or after.
        frozen: bots that were.
    """

    name: str
    messages: dict[str, Standing] = field(default_factory=dict)
    called: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    pointed: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    away: bool = False
    shut_out: set[str] = field(default_factory=set)
    put_out: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    moments: dict[str, int] = field(default_factory=dict)
    fatal: tuple[str, int] = ("", 0)
    frozen: set[str] = field(default_factory=set)

    async def passes(self, bot: str, *, new: bool = False) -> None:
        if self.away or bot in self.shut_out:
            raise ConnectionError("the platform does not answer")
        if bot in self.put_out or (new and bot in self.muted):
            raise NoPlace("missing access")
        self.moments[bot] = self.moments.get(bot, 0) + 1
        if self.fatal == (bot, self.moments[bot]):
            self.frozen.add(bot)
        if bot in self.frozen:
            await asyncio.Event().wait()

    def told(self, channel: str) -> list[Standing]:
        """The messages that tell there how a deploy ended."""
        return [one for one in self.messages.values() if one.channel == channel and one.is_final]


@dataclass
class PlatformMessage:
    """A `ReplyMessage` of one bot."""

    platform: Platform
    bot: str
    channel: str
    id: str = ""
    answers: str = ""

    async def show(self, reply: Reply, _within: float | None) -> bool:
        await self.platform.passes(self.bot, new=not self.id)
        made = self.id or str(100 + len(self.platform.messages))
        stands = self.platform.messages.setdefault(
            made, Standing(self.bot, self.channel, self.answers)
        )
        assert stands.author == self.bot, "nobody edits another's message"
        is_news = stands.shown[-1:] != [reply]
        stands.shown.append(reply)
        await self.platform.passes(self.bot)
        self.id = made
        return is_news

    async def heard(self) -> None: ...

    async def whisper(self, notice: Notice) -> None: ...

    async def call(self, reply: Deploying) -> None:
        accounts = tuple(filter(None, (reply.asker, *reply.calls)))
        assert accounts
        await self.platform.passes(self.bot, new=True)
        self.platform.called.append((self.channel, accounts))
        await self.platform.passes(self.bot)


@dataclass
class ToldChannel:
    """A `FleetChannel` of one bot."""

    on: Platform
    bot: str
    name: str = ""
    platform: str = ""
    calls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.platform = self.on.name
        self.name, self.calls = CHANNELS[self.platform], (ON_CALL[self.platform],)

    def message(self, id_: str = "", answers: str = "") -> ReplyMessage:
        return PlatformMessage(self.on, self.bot, self.name, id_, answers)

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        assert self.on.messages[dead_reply].channel == f"{self.platform}:{asked_in}"
        self.on.tried.append(asked_in)
        if self.on.away or asked_in in self.on.gone | self.on.silent:
            return asked_in in self.on.gone
        await self.on.passes(self.bot, new=True)
        self.on.pointed.append((dead_reply, to))
        await self.on.passes(self.bot)
        return True


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

    async def passes(self, seconds: float, step: float = STEP_SECONDS) -> None:
        """Time goes on, in steps that each come to rest; who is killed meanwhile is gone."""
        while seconds > 0:
            await self.clock.turn(min(step, seconds))
            seconds -= step
            await self.settled()

    async def settled(self) -> None:
        """Once nobody asks the Control API for anything, and whoever was killed is gone."""
        quiet, asked = 0, -1
        while quiet < QUIET_LOOKS:
            is_quiet = self.api.answered == asked == len(self.api.asked)
            quiet, asked = quiet + 1 if is_quiet else 0, len(self.api.asked)
            await asyncio.sleep(0.002)
            for platform in (self.discord, self.telegram):
                await self.kill(*(platform.frozen & self.running.keys()))

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
