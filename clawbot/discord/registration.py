"""Our one command in Discord's list: upserted, and only when its definition changed.

`CommandTree.sync` would overwrite the whole list, and so delete what other programs registered.
"""

import logging
from typing import Any

import discord
from discord import app_commands

from clawbot.discord.guild import invitation
from clawbot.discord.retry import until_back
from clawbot.front import Unserved
from fleet_control.clock import Clock

log = logging.getLogger(__name__)

# What Discord fills in or leaves out by itself says nothing about a change.
_COMPARED = ("name", "description", "options", "default_member_permissions")
_OPTION = ("name", "description", "type", "required", "autocomplete", "options")


async def register(
    client: discord.Client, group: app_commands.Group, tree: Any, guild: int, clock: Clock
) -> None:
    """Make the guild's command what `group` says, however long Discord is away meanwhile.

    Unserved where Discord takes none from us.
    """
    try:
        await until_back(clock, lambda: upsert(client, group, tree, guild))
    # Neither passes by itself, and a trouble with a cause would be taken for one that does.
    except discord.Forbidden:
        raise Unserved(
            f"Discord lets me make no commands there: invite me again by {invitation(client)}"
        ) from None
    except discord.HTTPException as error:
        raise Unserved(
            f"Discord does not take my command: {' '.join(str(error).split())}"
        ) from None


async def upsert(client: discord.Client, group: app_commands.Group, tree: Any, guild: int) -> bool:
    """Make the guild's command what `group` says; whether anything had to be sent."""
    if client.application_id is None:
        raise RuntimeError("not logged in yet")
    wanted = group.to_dict(tree)
    known = await client.http.get_guild_commands(client.application_id, guild)
    for command in known:
        ours = command["name"] == group.name and command.get("type", 1) == 1
        if ours and _definition(dict(command)) == _definition(wanted):
            return False
    await client.http.upsert_guild_command(client.application_id, guild, wanted)
    log.info("discord.command_registered name=%s guild=%s", group.name, guild)
    return True


def _definition(command: dict[str, Any]) -> dict[str, Any]:
    permissions = command.get("default_member_permissions")
    return {
        **{key: command.get(key) for key in _COMPARED},
        "options": [_option(option) for option in command.get("options", [])],
        "default_member_permissions": None if permissions is None else str(permissions),
    }


def _option(option: dict[str, Any]) -> dict[str, Any]:
    """Discord leaves out what is false or empty."""
    kept = {key: option[key] for key in _OPTION if option.get(key)}
    if "options" in kept:
        kept["options"] = [_option(one) for one in kept["options"]]
    return kept
