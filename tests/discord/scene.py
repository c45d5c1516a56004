"""A guild, a fleet behind it, and bots that log in and out."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Self

from clawbot.bot import assemble
from clawbot.discord.run import run
from clawbot.readiness import Readiness
from clawbot.settings import load
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.backend import Application
from sandbox.discord_api.guild import Message
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.server import DiscordApi
from tests.chat_scene import ChatScene
from tests.clock import TurnedClock
from tests.cuttable_network import CuttableNetwork
from tests.fleet_control.aws import FakeEc2


class DiscordScene(ChatScene):
    """`operator` may deploy by a role, `owner` by account, `visitor` not at all."""

    def __init__(self, clock: TurnedClock, ec2: FakeEc2) -> None:
        line = CuttableNetwork()
        self.discord = DiscordApi(clock, middlewares=[line.middleware])
        super().__init__(clock, ec2, line, self.discord.until)
        self.app = self.discord.application()
        self.role = self.discord.role("operators")
        self.operator = self.discord.person("operator", self.role)
        self.owner = self.discord.person("owner")
        self.visitor = self.discord.person("visitor")

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.discord)
        self._stack.enter_context(pointed_at(self.discord.url))
        return await super().__aenter__()

    # -- bots ------------------------------------------------------------------------------

    async def start(
        self, name: str = "demo", app: Application | None = None, **environ: str
    ) -> asyncio.Task[None]:
        """A bot of that name, logged in and serving."""
        app = app or self.app
        before = self._begun(app)
        task = self.run(name, app, **environ)
        await self.until(lambda: task.done() or self._begun(app) > before, each=0.1)
        return task

    def run(self, name: str, app: Application, **environ: str) -> asyncio.Task[None]:
        return self.begin(name, self._bot(name, app, environ))

    def serve(self, serving: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Something else that logs in."""
        return asyncio.create_task(serving)

    def environ(self, name: str, app: Application) -> dict[str, str]:
        return self.environ_of(name) | {
            "CLAWBOT_OPERATORS": f"discord:{self.owner.id}",
            "CLAWBOT_DISCORD_TOKEN": app.token,
            "CLAWBOT_DISCORD_GUILD": self.discord.guild.id,
            "CLAWBOT_DISCORD_CHANNELS": self.discord.fleet.id,
            "CLAWBOT_DISCORD_OPERATOR_ROLES": self.role,
        }

    async def _bot(self, name: str, app: Application, environ: dict[str, str]) -> None:
        async with assemble(load(self.environ(name, app) | environ), self.host_clock) as bot:
            # The library waits that long for guilds that never come.
            told = Readiness(["Discord"], self.told.append).of("Discord")
            await run(bot, told, guild_ready_timeout=0.05)

    def _begun(self, app: Application) -> int:
        listing = (
            "GET",
            f"/api/v10/applications/{app.bot.id}/guilds/{self.discord.guild.id}/commands",
        )
        ready = "fleet" in app.commands
        return self.discord.asked.count(listing) if ready else 0

    async def replied(self, asked: Interaction) -> Message:
        """The reply, once it is more than "thinking"."""
        await self.discord.until(lambda: asked.message and not asked.message.loading)
        assert asked.message is not None
        return asked.message

    def channel(self) -> Sequence[Message]:
        return self.discord.guild.in_channel(self.discord.fleet.id)
