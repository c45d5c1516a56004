"""Whether the channel that the settings name for the fleet is one that we can tell it in."""

import discord

from clawbot.discord.needed import lacking
from clawbot.front import BadSettings, Unserved
from clawbot.settings import PREFIX, Settings

NAMED = f"{PREFIX}DISCORD_FLEET_CHANNEL"
LISTED = f"{PREFIX}DISCORD_CHANNELS"

FleetPlace = discord.TextChannel | discord.Thread
_Found = discord.abc.GuildChannel | discord.abc.PrivateChannel | discord.Thread


async def fleet_place(client: discord.Client, settings: Settings) -> FleetPlace | None:
    """The fleet's channel, of the configured guild and where we answer; None where none is named.

    BadSettings where it can be none, Unserved where Discord does not show it.
    """
    id_, guild = settings.discord_fleet_channel, settings.discord_guild
    if id_ is None:
        return None
    right = f"set {NAMED} to a text channel of the guild {guild}, or to a thread in one"
    found = await _found(client, id_, right)
    if isinstance(found, discord.abc.PrivateChannel) or found.guild.id != guild:
        raise BadSettings(f"The channel {id_} is none of the guild that I serve: {right}.")
    if not isinstance(found, FleetPlace):
        raise BadSettings(f"#{found.name} is a {found.type} channel: {right}.")
    places = {id_, getattr(found, "parent_id", None)}
    if settings.discord_channels and not places & {*settings.discord_channels}:
        raise BadSettings(
            f"In #{found.name}, the fleet's channel, I would not hear who presses my buttons: add "
            f"it to {LISTED}, or set {NAMED} to one of those or to a thread in one."
        )
    return found


async def _found(client: discord.Client, id_: int, right: str) -> _Found:
    """As it is known; of a closed thread Discord tells only who asks."""
    if known := client.get_channel(id_):
        return known
    try:
        return await client.fetch_channel(id_)
    except (discord.NotFound, discord.InvalidData):
        raise BadSettings(f"There is no channel {id_} that I could speak in: {right}.") from None
    except discord.Forbidden:
        raise Unserved(
            f"Discord does not show me the fleet's channel {id_}: let me view it, or {right}."
        ) from None


async def look_into_fleet(
    client: discord.Client, settings: Settings, guild: discord.Guild
) -> FleetPlace | None:
    """The same where we may all that telling the fleet there takes; Unserved where not."""
    place = await fleet_place(client, settings)
    if place is None:
        return None
    name, is_thread = f"#{place.name}, the fleet's channel,", isinstance(place, discord.Thread)
    if isinstance(place, discord.Thread) and place.locked:
        raise Unserved(f"{name} is a locked thread: unlock it.")
    above = place.parent if isinstance(place, discord.Thread) else place
    has = place.permissions_for(guild.me) if above else discord.Permissions.none()
    if lacks := lacking(has, "the channel", thread=is_thread):
        raise Unserved(f"In {name} I may not {lacks}: allow it in the channel's settings.")
    return place
