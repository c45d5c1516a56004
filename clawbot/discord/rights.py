"""Whether the bot may all it needs, in its guild and the fleet's channel, as a preflight has it."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from clawbot.discord.fleet_place import FleetPlace, look_into_fleet
from clawbot.discord.guild import look
from clawbot.discord.mentioned import Mentioned
from clawbot.discord.registration import is_registered
from clawbot.discord.speaker import PLATFORM
from clawbot.front import Unserved
from clawbot.preflight import lacking
from clawbot.settings import PREFIX, Settings
from fleet_control.preflight import Check, Point, hidden, ok

AWAY = "Discord says that the guild is away: look again in a minute."
NO_COMMAND = (
    "Discord does not have `/fleet` there as I made it: start the bot anew, and look for another "
    "program that has its token."
)
CALLS = f"{PREFIX}DISCORD_FLEET_CALLS"


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


async def fleet_rights(client: commands.Bot, settings: Settings) -> Check:
    """In the fleet's channel, and whether those can be called there who are to be."""
    try:
        guild = look(client, settings)
    except Unserved:
        return hidden(Point.FLEET_CHANNEL)
    if guild.unavailable:
        return hidden(Point.FLEET_CHANNEL)
    called = Mentioned.of(*(f"{PLATFORM}:{one}" for one in settings.discord_fleet_calls))
    try:
        place = await look_into_fleet(client, settings, guild)
        if place is None:
            return hidden(Point.FLEET_CHANNEL)
        who = [_role(guild, place, one) for one in called.roles]
        who = [*await asyncio.gather(*(_user(guild, one) for one in called.users)), *who]
    except Unserved as trouble:
        return lacking(str(trouble), Point.FLEET_CHANNEL)
    told = f"tells #{place.name}, and calls {', '.join(who) or 'nobody'} for failures"
    return ok(Point.FLEET_CHANNEL, f"In Discord the bot {told}.")


async def _user(guild: discord.Guild, id_: int) -> str:
    """The name of one who is to be called; Unserved where no call reaches them."""
    try:
        return (await guild.fetch_member(id_)).display_name
    except discord.NotFound:
        raise Unserved(
            f"Nobody in {guild.name} has the id {id_}: let {CALLS} name who is there."
        ) from None


def _role(guild: discord.Guild, place: FleetPlace, id_: int) -> str:
    role = guild.get_role(id_)
    if role is None:
        raise Unserved(f"No role of {guild.name} has the id {id_}: let {CALLS} name one of its.")
    if not (role.mentionable or place.permissions_for(guild.me).mention_everyone):
        raise Unserved(
            f"I may not call the role @{role.name} in #{place.name}: let anyone mention that role, "
            "in its settings."
        )
    return f"@{role.name}"
