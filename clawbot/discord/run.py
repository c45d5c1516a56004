"""A discord.py bot of our own, for where there is none to extend."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from clawbot.bot import Bot
from clawbot.discord.front import FleetCog
from clawbot.front import Unserved
from clawbot.readiness import Hears, ignored
from clawbot.settings import PREFIX
from fleet_control.proxy import proxy
from fleet_control.skew import by_certificate

log = logging.getLogger(__name__)


class Client(commands.Bot):
    """Serves `/fleet` and nothing else."""

    def __init__(self, bot: Bot, hears: Hears, **options: Any) -> None:
        # No privileged intent: a message that mentions us comes with its text anyway.
        intents = discord.Intents(guilds=True, guild_messages=True)
        super().__init__(
            commands.when_mentioned,
            intents=intents,
            help_command=None,
            allowed_mentions=discord.AllowedMentions.none(),
            **options,
        )
        self._bot = bot
        self._hears = hears
        self.trouble: Unserved | None = None
        self._closing: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        guild = self._bot.settings.discord_guild
        if guild is None:
            raise Unserved(f"{PREFIX}DISCORD_GUILD is missing: the id of the guild to serve.")
        cog = FleetCog(self, self._bot, self._give_up, self._hears)
        await self.add_cog(cog, guild=discord.Object(guild))

    async def on_message(self, message: discord.Message, /) -> None:
        """Nothing here is a prefix command; the cog listens for itself."""

    async def _give_up(self, trouble: Unserved) -> None:
        self.trouble = trouble
        # Not from within the cog's own task, which closing would wait for.
        self._closing = asyncio.get_running_loop().create_task(self.close())


NO_TOKEN = f"{PREFIX}DISCORD_TOKEN is missing: the bot's token from Discord."
WRONG_TOKEN = (
    f"Discord does not know this token: put a new one in {PREFIX}DISCORD_TOKEN "
    "(Developer Portal, Bot, Reset Token)."
)
REFUSED_INTENT = (
    "Discord refuses an intent: switch it on in the Developer Portal "
    "(Bot, Privileged Gateway Intents)."
)
STOP_AGAIN_SECONDS = 1.0


async def run(bot: Bot, hears: Hears = ignored, **options: Any) -> None:
    """Serve until cancelled; Unserved where that can't be, with its cause if it may pass."""
    if bot.settings.discord_token is None:
        raise Unserved(NO_TOKEN)
    token = bot.settings.discord_token.get_secret_value()
    if token.split() != [token]:
        raise Unserved(WRONG_TOKEN)  # no header could carry it
    # There is no voice here, so the library need not warn that it lacks what voice needs.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    client = Client(bot, hears, proxy=proxy(discord.http.Route.BASE), **options)
    async with client:
        try:
            await _until_cancelled(client.start(token))
        except discord.DiscordException as error:
            if stays := _stays(error):
                raise stays from None
            raise Unserved(f"Discord refuses to talk to me ({type(error).__name__}).") from error
        except (aiohttp.ClientError, OSError) as error:
            why = f"Discord can't be reached ({type(error).__name__}). {by_certificate(error)}"
            raise Unserved(why.strip()) from error
    if client.trouble is not None:
        raise client.trouble


async def _until_cancelled(serving: Coroutine[None, None, None]) -> None:
    """Await it; once cancelled, cancel it until it has ended.

    The library logs in under `asyncio.wait_for`, which before Python 3.12 may swallow a
    cancellation; a stop that is lost would be waited for without an end.
    """
    task = asyncio.ensure_future(serving)
    try:
        await asyncio.shield(task)
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_AGAIN_SECONDS)


def _stays(error: Exception) -> Unserved | None:
    """What somebody has to do something about; None where it may pass by itself."""
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):  # not authenticated
            return Unserved(WRONG_TOKEN)
        case discord.PrivilegedIntentsRequired():
            return Unserved(REFUSED_INTENT)
    return None
