"""The fleet's channel as one of the guild's applications tells it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import discord
from discord.ext import commands

from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.fleet_channel import DiscordFleetChannel
from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying
from clawbot.seal import Seal
from sandbox.discord_api.backend import Application
from sandbox.discord_api.channel import Channel
from sandbox.discord_api.guild import Message
from tests.discord.scene import DiscordScene

RUN = "https://github.example/runs/1"
T = TypeVar("T")


@asynccontextmanager
async def told_by(
    scene: DiscordScene,
    app: Application | None = None,
    where: Channel | None = None,
    calls: tuple[str, ...] = (),
) -> AsyncIterator[DiscordFleetChannel]:
    """Nobody hears anything there: that is logged in, and has no session."""
    client = commands.Bot(commands.when_mentioned, intents=discord.Intents(guilds=True))
    guild = int(scene.discord.guild.id)
    drawing = DiscordDrawing(Seal("secret"), scene.clock, "demo", guild)
    channel = int((where or scene.discord.fleet).id)
    async with client:
        await client.login((app or scene.app).token)
        yield DiscordFleetChannel(client, drawing, scene.clock, guild, channel, calls)


async def passes(scene: DiscordScene, doing: Coroutine[Any, Any, T]) -> T:
    """What it gives, once so much time has passed as it takes."""
    task = asyncio.create_task(doing)
    await scene.until(task.done)
    return await task


def announced(stage: Stage, **more: Any) -> Deploying:
    seen = Progress(stage, "claw-2", run_id=1, url=RUN)
    if stage not in (Stage.QUEUED, Stage.RUNNING):
        seen = replace(seen, began=1000.0, took=125.0)
    return Deploying(seen, **more)


def said_in(scene: DiscordScene, where: Channel) -> Sequence[Message]:
    return scene.discord.guild.in_channel(where.id)


def allowed(message: Message) -> dict[str, Any]:
    """Whom Discord was let call."""
    known: dict[str, Any] = message.bodies[0]["allowed_mentions"]
    return {kind: sorted(map(int, known.get(kind, []))) for kind in ("parse", "users", "roles")}
