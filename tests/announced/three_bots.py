"""Three bots on two platforms, one fleet and one Control API behind them all.

Bot one serves Discord and Telegram, bot two Discord, bot three Telegram. Each has a chat key, an
application in the guild and an account in the group of its own. The Control API is the function
itself, with a table of moto's.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from clawbot.bot import assemble
from clawbot.discord.run import run as run_discord
from clawbot.front import Front
from clawbot.serve import side_by_side
from clawbot.settings import load
from clawbot.telegram.run import run as run_telegram
from fleet_control.ledger import Entry
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.backend import Application
from sandbox.discord_api.server import DiscordApi
from sandbox.telegram_api.history import group, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi
from tests.announced.moving_runs import MovingRuns
from tests.clawbot.bots import registry
from tests.clock import HostClock, TurnedClock
from tests.cuttable_network import CuttableNetwork
from tests.discord.control import listening
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import FakeEc2
from tests.idle import idle
from tests.lambda_fn.events import CONTROL_TOKEN
from tests.program_tasks import ProgramTasks
from tests.real_control_api import access_key, real_control_api
from tests.telegram.scene import SOON

FLEET = ("claw-1", "claw-2", "claw-3", "claw-4", "claw-5")
GROUP, OPERATOR = -1001234567890, 1001
# On Telegram, who is called for failures.
ON_CALL = 4004
PATIENCE_SECONDS = 60.0
SOON_SECONDS = 0.01
POLL_SECONDS = 5
ANSWER_SECONDS = 2.0
LOOK_EVERY_SECONDS = 20.0
# How the clock goes on: by less than any wait that matters here.
STEP_SECONDS = 10.0
# Actions of the Control API that write down what another bot goes by.
WRITES = {"deploy", "announce", "living", "told"}


async def leaves_a_trace(request: web.Request) -> bool:
    """Whether a bot that dies before this call leaves another world than one that dies after it."""
    if request.path == "/":
        return json.loads(await request.text())["action"] in WRITES
    return request.method != "GET" and "/get" not in request.path


class OneBot:
    """One of the bots: what it has on each platform, and all that it calls.

    Attributes:
        line: what every server but EC2 hears it through.
        control_api: the Control API's address by that line.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = CuttableNetwork(leaves_a_trace)
        self.app: Application | None = None
        self.telegram: BotApi | None = None
        self.telegram_token = ""
        self.control_api = ""
        self.program: ProgramTasks | None = None


class ThreeBots:
    """`aws` is where the control table is to be."""

    def __init__(self, clock: TurnedClock, ec2: FakeEc2, aws: str) -> None:
        self.clock, self.ec2, self.aws = clock, ec2, aws
        self.one, self.two, self.three = (OneBot(name) for name in ("one", "two", "three"))
        self.bots = (self.one, self.two, self.three)
        self.discord = DiscordApi(clock, middlewares=[self._on_discord])
        self.ops = self.discord.channel("ops")
        self.operator = self.discord.person("operator")
        self.on_call = self.discord.person("on-call")
        self._add_accounts()
        self._stack = AsyncExitStack()

    def _add_accounts(self) -> None:
        for bot in (self.one, self.two):
            bot.app = self.discord.application(f"bot-{bot.name}")
        beside = None
        for number, bot in enumerate((self.one, self.three), start=700100):
            middlewares = [bot.line.middleware]
            bot.telegram_token = token = f"{number}:AAtestTokenOf-{bot.name}-InTestsOnly"
            username = f"{bot.name}_bot"
            bot.telegram = beside = BotApi(token, self.clock, username, middlewares, beside)
        assert beside is not None
        self.group = group(GROUP)
        beside.history.chats[GROUP] = self.group

    async def __aenter__(self) -> Self:
        stage(self.ec2, [Claw(id_) for id_ in FLEET])
        await self._stack.enter_async_context(self.discord)
        self._stack.enter_context(pointed_at(self.discord.url))
        for bot in self.bots:
            if bot.telegram:
                await bot.telegram.start()
                self._stack.push_async_callback(bot.telegram.stop)
        self.api = await self._stack.enter_async_context(real_control_api(self.clock, aws=self.aws))
        self.api.github.registry = registry(*FLEET).encode()
        self.runs = MovingRuns(self.api.github, self.clock)
        for bot in self.bots:
            there = listening(self.api, bot.line)
            bot.control_api = await self._stack.enter_async_context(there)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        try:
            for bot in self.bots:
                await self.kill(bot)
        finally:
            await self._stack.aclose()

    # -- bots ------------------------------------------------------------------------------

    async def start(self, *bots: OneBot) -> None:
        """Let these serve, or all."""
        for bot in bots or self.bots:
            await self._start(bot)

    async def _start(self, bot: OneBot) -> None:
        bot.line.begin(0)
        before = self._begun(bot)
        bot.program = ProgramTasks(self._serving(bot))
        task = bot.program.task

        def serves() -> bool:
            return all(one > other for one, other in zip(self._begun(bot), before, strict=True))

        await self.until(lambda: task.done() or serves())
        if task.done():
            task.result()

    def twin(self, bot: OneBot) -> OneBot:
        """A further process of this one's name, which serves Discord alone: by the same token, key
        and line, so that both are killed at once."""
        twin = OneBot(bot.name)
        twin.app, twin.line, twin.control_api = bot.app, bot.line, bot.control_api
        return twin

    async def kill(self, bot: OneBot) -> None:
        """From one moment to the next nothing of it is left, and nothing it says arrives."""
        program, bot.program = bot.program, None
        if program is None:
            return
        bot.line.is_cut = True
        program.end()
        await self.until(lambda: program.is_over, each=0.0)

    async def _serving(self, bot: OneBot) -> None:
        fronts = []
        if bot.app:
            # The library waits that long for guilds that never come.
            fronts.append(Front("Discord", partial(run_discord, guild_ready_timeout=0.05)))
        if bot.telegram:
            run = partial(
                run_telegram, limits=SOON, poll_seconds=POLL_SECONDS, answer_seconds=ANSWER_SECONDS
            )
            fronts.append(Front("Telegram", run))
        async with assemble(load(self.environ(bot)), HostClock(self.clock)) as made:
            await side_by_side(made, fronts)

    def environ(self, bot: OneBot) -> dict[str, str]:
        environ = {
            "CLAWBOT_NAME": bot.name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": bot.control_api,
            "CLAWBOT_CONTROL_TOKEN": CONTROL_TOKEN,
            "CLAWBOT_AWS_ACCESS_KEY_ID": access_key(bot.name),
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
            "CLAWBOT_OPERATORS": f"discord:{self.operator.id},telegram:{OPERATOR}",
            "CLAWBOT_RUNNING_EVERY": str(LOOK_EVERY_SECONDS),
            "CLAWBOT_WAITING_EVERY": str(LOOK_EVERY_SECONDS),
        }
        if bot.app:
            environ |= {
                "CLAWBOT_DISCORD_TOKEN": bot.app.token,
                "CLAWBOT_DISCORD_GUILD": self.discord.guild.id,
                "CLAWBOT_DISCORD_CHANNELS": f"{self.discord.fleet.id},{self.ops.id}",
                "CLAWBOT_DISCORD_FLEET_CHANNEL": self.discord.fleet.id,
                "CLAWBOT_DISCORD_FLEET_CALLS": self.on_call.id,
            }
        if bot.telegram:
            environ |= {
                "CLAWBOT_TELEGRAM_TOKEN": bot.telegram_token,
                "CLAWBOT_TELEGRAM_CHATS": str(GROUP),
                "CLAWBOT_TELEGRAM_API_URL": bot.telegram.url,
                "CLAWBOT_TELEGRAM_FLEET_CHAT": str(GROUP),
                "CLAWBOT_TELEGRAM_FLEET_CALLS": str(ON_CALL),
            }
        return environ

    def _begun(self, bot: OneBot) -> tuple[int, ...]:
        """By how much each platform of the bot's shows that it serves."""
        shown = []
        if bot.app:
            path = f"/applications/{bot.app.bot.id}/guilds/{self.discord.guild.id}/commands"
            listing = ("GET", f"/api/v10{path}")
            shown.append(self.discord.asked.count(listing) if "fleet" in bot.app.commands else 0)
        if bot.telegram:
            shown.append(bot.telegram.updates.polls)
        return tuple(shown)

    # -- whose call it is ------------------------------------------------------------------

    @web.middleware
    async def _on_discord(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        bot = self._caller_on_discord(request)
        return await (bot.line.carry(request, handler) if bot else handler(request))

    def _caller_on_discord(self, request: web.Request) -> OneBot | None:
        """By its token, or the one of an interaction with it."""
        shown = request.headers.get("Authorization", "").removeprefix("Bot ")
        asked = next(
            (one for key, one in self.discord.interactions.items() if key in request.path), None
        )
        for bot in (self.one, self.two):
            if bot.app and (
                bot.app.token == shown or (asked and asked.application == bot.app.bot.id)
            ):
                return bot
        return None

    # -- what people and agents do ---------------------------------------------------------

    async def asks_on_discord(self, target: str) -> None:
        """The operator asks bot one, in a channel that is not the fleet's."""
        assert self.one.app is not None
        await self.discord.command(self.one.app, self.operator, "deploy", self.ops, target=target)

    async def asks_on_telegram(self, target: str) -> None:
        """The operator asks bot one, in the group that is told of the fleet."""
        assert self.one.telegram is not None
        olga = user(OPERATOR, "Olga")
        await People(self.one.telegram).say(self.group, olga, f"/fleet@one_bot deploy {target}")

    async def agent_asks(self, target: str, asked: str) -> None:
        """The agent of claw-1 asks in its shell."""
        entry = Entry(request_id=f"agent.claw-1.cli.{asked}", target=target, caller="claw-1")
        async with self.api.client("claw-1", "agent") as api:
            await api.deploy(entry)

    def noted(self, target: str) -> set[str]:
        """The ids of messages that the control table has as those in which a deploy is told."""
        rows, ids = self.api.rows(), [run["id"] for run in self.runs.of(target)]
        found = [
            rows[key] for key in rows if key.startswith(tuple(f"announce#{id_}#" for id_ in ids))
        ]
        earlier = [json.loads(row["earlier"]["S"]) for row in found]
        return {row["message"]["S"] for row in found} | {one for many in earlier for _, one in many}

    # -- time ------------------------------------------------------------------------------

    async def pass_time(self, seconds: float, step: float = STEP_SECONDS) -> None:
        """Let time pass, and all that the bots have to do come to its end at each step."""
        for _ in range(round(seconds / step)):
            await self.clock.turn(step)
            await self.idle()

    async def idle(self) -> None:
        """Until no bot has anything left to do that needs no time."""
        await idle(lambda: any(bot.line.under_way for bot in self.bots))

    async def until(self, holds: Callable[[], object], each: float = 0.1) -> None:
        """Let time pass, so many seconds at a turn, until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await self.clock.turn(each)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SOON_SECONDS):
                        await self.discord.until(holds)
