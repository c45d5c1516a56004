"""Whether the bot can serve its guild, and if not, what to do about it in a sentence."""

import logging

import discord

from clawbot.front import Unserved
from clawbot.settings import PREFIX, Settings
from fleet_control.clock import Clock

# Between two looks at a guild that Discord has not brought yet.
AWAY_SECONDS = 5.0

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    read_message_history=True,
)
SCOPES = ("bot", "applications.commands")

log = logging.getLogger(__name__)


def invitation(client: discord.Client) -> str:
    """The link by which an administrator invites the bot with all it needs, and no more."""
    return discord.utils.oauth_url(client.application_id or 0, permissions=NEEDED, scopes=SCOPES)


async def found(client: discord.Client, settings: Settings, clock: Clock) -> discord.Guild:
    """The guild to serve, once it is there; Unserved where something is missing.

    Discord may bring it late, or have lost it for a while: then nothing can be said about it.
    """
    while (guild := look(client, settings)).unavailable:
        log.warning("discord.guild_away guild=%s again_in=%s", guild.id, AWAY_SECONDS)
        await clock.sleep(AWAY_SECONDS)
    return guild


def look(client: discord.Client, settings: Settings) -> discord.Guild:
    """The guild to serve, as far as it is there; Unserved where something is missing."""
    if settings.discord_guild is None:
        raise Unserved(f"{PREFIX}DISCORD_GUILD is missing: the id of the guild to serve.")
    guild = client.get_guild(settings.discord_guild)
    if guild is None:
        raise Unserved(
            f"I am not in the guild {settings.discord_guild}: check {PREFIX}DISCORD_GUILD, "
            f"or invite me by {invitation(client)}"
        )
    if not (client.intents.guilds and client.intents.guild_messages):
        raise Unserved("My client needs the intents `guilds` and `guild_messages`: switch them on.")
    if guild.unavailable:
        return guild
    for channel in settings.discord_channels:
        _look_into(guild, channel)
    lacking = _lacking(guild.me.guild_permissions)
    if lacking and not settings.discord_channels:
        raise Unserved(f"In {guild.name} I may not {lacking}: allow it to my role there.")
    return guild


def _lacking(has: discord.Permissions) -> str:
    names = [name for name, needed in NEEDED if needed and not getattr(has, name)]
    return ", ".join(name.replace("_", " ") for name in names)


def _look_into(guild: discord.Guild, id_: int) -> None:
    channel = guild.get_channel_or_thread(id_)
    if channel is None:
        raise Unserved(
            f"I see no channel {id_} in {guild.name}: check {PREFIX}DISCORD_CHANNELS, "
            "or let me view it."
        )
    lacking = _lacking(channel.permissions_for(guild.me))
    if lacking:
        raise Unserved(
            f"In #{channel.name} I may not {lacking}: allow it in the channel's settings."
        )
