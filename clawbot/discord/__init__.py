"""`/fleet` in Discord: an extension of any discord.py bot, and a bot of its own."""

import os
from typing import Any

import discord
from discord.ext import commands

from clawbot.bot import assemble
from clawbot.discord.buttons import COG
from clawbot.discord.front import FleetCog
from clawbot.discord.guild import GUILD_MISSING
from clawbot.front import BadSettings
from clawbot.settings import load
from fleet_control.clock import SystemClock


async def setup(client: commands.Bot) -> None:
    """What `load_extension("clawbot.discord")` calls; the settings are the environment's."""
    settings = load(os.environ)
    if settings.discord_guild is None:
        raise BadSettings(GUILD_MISSING)
    bot = assemble(settings, SystemClock())
    await client.add_cog(Extension(client, bot), guild=discord.Object(settings.discord_guild))


class Extension(FleetCog, name=COG):
    """The cog where it owns what it stands on; its buttons find it by that name.

    Of what is said to a bot with another purpose only commands are ours.
    """

    alone = False

    async def cog_unload(self) -> None:
        await super().cog_unload()
        await self._bot.__aexit__()


__all__: list[Any] = ["setup"]
