"""Whether the bot may all it needs in its guild, as a preflight tells it."""

import discord
from discord import app_commands
from discord.ext import commands

from clawbot.discord.guild import look
from clawbot.discord.registration import is_registered
from clawbot.front import Unserved
from clawbot.preflight import lacking
from clawbot.settings import Settings
from fleet_control.preflight import Check, Point, ok

AWAY = "Discord says that the guild is away: look again in a minute."
NO_COMMAND = (
    "Discord does not have `/fleet` there as I made it: start the bot anew, and look for another "
    "program that has its token."
)


async def rights(client: commands.Bot, settings: Settings, group: app_commands.Group) -> Check:
    """In the guild and each channel, as they are now; `group` is our command."""
    try:
        guild = look(client, settings)
        if guild.unavailable:
            return lacking(AWAY)
        if not await is_registered(client, group, client.tree, guild.id):
            return lacking(NO_COMMAND)
    except Unserved as trouble:
        return lacking(str(trouble))
    return ok(Point.CHANNELS, f"In Discord the bot may all it needs, {_where(guild, settings)}.")


def _where(guild: discord.Guild, settings: Settings) -> str:
    count = len(settings.discord_channels)
    if not count:
        return f"everywhere in {guild.name}"
    return f"in {count} channel{'s' if count != 1 else ''}"
