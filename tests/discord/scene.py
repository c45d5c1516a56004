"""A guild, a fleet behind it, and bots that log in and out."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from clawbot.bot import assemble
from clawbot.discord.run import run
from clawbot.sandbox.discord_api.address import pointed_at
from clawbot.sandbox.discord_api.guild import Message
from clawbot.sandbox.discord_api.interaction import Interaction
from clawbot.sandbox.discord_api.server import Application, DiscordApi
from clawbot.settings import load
from tests.clawbot.bots import registry
from tests.clock import TurnedClock
from tests.discord.control import Control, control
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import Aws

PATIENCE_SECONDS = 20.0


class Scene:
    """`operator` may deploy by a role, `owner` by account, `visitor` not at all."""

    def __init__(self, clock: TurnedClock, ec2: Aws) -> None:
        self.clock = clock
        self.ec2 = ec2
        self.discord = DiscordApi(clock)
        self.app = self.discord.application()
        self.role = self.discord.role("operators")
        self.operator = self.discord.person("operator", self.role)
        self.owner = self.discord.person("owner")
        self.visitor = self.discord.person("visitor")
        self.api: Control
        self._stack = AsyncExitStack()
        self._running: dict[str, asyncio.Task[None]] = {}
        self.fleet(Claw("claw-1"), Claw("claw-2"))

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.discord)
        self._stack.enter_context(pointed_at(self.discord.url))
        self.api = await self._stack.enter_async_context(control())
        self.api.registry = registry("claw-1", "claw-2")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        for name in tuple(self._running):
            await self.stop(name)
        await self._stack.aclose()

    def fleet(self, *claws: Claw) -> None:
        stage(self.ec2, claws)

    # -- bots ------------------------------------------------------------------------------

    async def start(
        self, name: str = "demo", app: Application | None = None, **environ: str
    ) -> asyncio.Task[None]:
        """A bot of that name, logged in and serving."""
        app = app or self.app
        before = self._begun(app)
        task = self.run(name, app, **environ)
        await self.until(lambda: task.done() or self._begun(app) > before)
        return task

    def run(self, name: str, app: Application, **environ: str) -> asyncio.Task[None]:
        self._running[name] = asyncio.create_task(self._bot(name, app, environ))
        return self._running[name]

    async def stop(self, name: str = "demo") -> None:
        task = self._running.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task

    def serve(self, serving: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Something else that logs in."""
        return asyncio.create_task(serving)

    def environ(self, name: str, app: Application) -> dict[str, str]:
        return {
            "CLAWBOT_NAME": name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": self.api.url,
            "CLAWBOT_CONTROL_TOKEN": "token",
            "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
            "CLAWBOT_OPERATORS": f"discord:{self.owner.id}",
            "CLAWBOT_DISCORD_TOKEN": app.token,
            "CLAWBOT_DISCORD_GUILD": self.discord.guild.id,
            "CLAWBOT_DISCORD_CHANNELS": self.discord.fleet.id,
            "CLAWBOT_DISCORD_OPERATOR_ROLES": self.role,
        }

    async def _bot(self, name: str, app: Application, environ: dict[str, str]) -> None:
        async with assemble(load(self.environ(name, app) | environ), self.clock) as bot:
            # The library waits that long for guilds that never come.
            await run(bot, guild_ready_timeout=0.05)

    def _begun(self, app: Application) -> int:
        listing = (
            "GET",
            f"/api/v10/applications/{app.bot.id}/guilds/{self.discord.guild.id}/commands",
        )
        ready = "fleet" in app.commands
        return self.discord.asked.count(listing) if ready else 0

    # -- time ------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], object]) -> None:
        """Let time pass, a second at a turn, until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await self.clock.turn(1.0)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self.discord.until(holds)

    async def replied(self, asked: Interaction) -> Message:
        """The reply, once it is more than "thinking"."""
        await self.discord.until(lambda: asked.message and not asked.message.loading)
        assert asked.message is not None
        return asked.message

    def channel(self) -> Sequence[Message]:
        return self.discord.guild.in_channel(self.discord.fleet.id)
