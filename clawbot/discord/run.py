"""A discord.py bot of our own, for where there is none to extend."""

import asyncio
import logging
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from clawbot.bot import Bot
from clawbot.discord.front import FleetCog
from clawbot.discord.guild import Trouble
from clawbot.settings import PREFIX

log = logging.getLogger(__name__)


class Client(commands.Bot):
    """Serves `/fleet` and nothing else."""

    def __init__(self, bot: Bot, **options: Any) -> None:
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
        self.trouble: Trouble | None = None
        self._closing: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        guild = self._bot.settings.discord_guild
        if guild is None:
            raise Trouble(f"{PREFIX}DISCORD_GUILD is missing: the id of the guild to serve.")
        await self.add_cog(FleetCog(self, self._bot, self._give_up), guild=discord.Object(guild))

    async def on_message(self, message: discord.Message, /) -> None:
        """Nothing here is a prefix command; the cog listens for itself."""

    async def _give_up(self, trouble: Trouble) -> None:
        self.trouble = trouble
        # Not from within the cog's own task, which closing would wait for.
        self._closing = asyncio.get_running_loop().create_task(self.close())


async def run(bot: Bot, **options: Any) -> None:
    """Serve until cancelled; Trouble where that can't begin."""
    if bot.settings.discord_token is None:
        raise Trouble(f"{PREFIX}DISCORD_TOKEN is missing: the bot's token from Discord.")
    client = Client(bot, **options)
    async with client:
        try:
            await client.start(bot.settings.discord_token.get_secret_value())
        except discord.LoginFailure:
            raise Trouble(
                f"Discord does not know this token: put a new one in {PREFIX}DISCORD_TOKEN "
                "(Developer Portal, Bot, Reset Token)."
            ) from None
        except discord.PrivilegedIntentsRequired:
            raise Trouble(
                "Discord refuses an intent: switch it on in the Developer Portal (Bot, Privileged "
                "Gateway Intents)."
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Trouble(f"Discord can't be reached ({type(error).__name__}).") from error
    if client.trouble is not None:
        raise client.trouble
