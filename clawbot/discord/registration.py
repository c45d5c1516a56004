"""Our one command, made of `COMMANDS`, and its place in Discord's list: upserted, and only when
its definition changed.

`CommandTree.sync` would overwrite the whole list, and so delete what other programs registered.
"""

import logging
from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from clawbot.commands import COMMANDS, Command, Option, OptionKind
from clawbot.discord.guild import invitation
from clawbot.discord.retry import until_back
from clawbot.front import Unserved
from clawbot.parsing import Unreadable, chosen
from clawbot.requests import Request
from clawbot.words import read
from fleet_control.clock import Clock

log = logging.getLogger(__name__)

# What Discord fills in or leaves out by itself says nothing about a change.
_COMPARED = ("name", "description", "options", "default_member_permissions")
_OPTION = ("name", "description", "type", "required", "autocomplete", "options")

Asking = discord.Interaction[commands.Bot]
Answer = Callable[[Asking, Request | Unreadable], Awaitable[None]]
Offers = Callable[[Asking, OptionKind, str], Awaitable[None]]


def slash_command(answer: Answer, offers: Offers) -> app_commands.Group:
    """`/fleet`: `answer` takes what is asked by it, `offers` sends the choices of an option."""
    group = app_commands.Group(
        name="fleet",
        description="The fleet: how it is, and replacing its hosts",
        guild_only=True,
        # A courtesy of the menu only, and open to whoever may write: status is for everybody.
        default_permissions=discord.Permissions(send_messages=True),
    )
    for command in COMMANDS:
        group.add_command(_sub_command(command, answer, offers))
    return group


def _sub_command(
    command: Command, answer: Answer, offers: Offers
) -> app_commands.Command[Any, ..., None]:
    async def asked(interaction: Asking, **options: Any) -> None:
        await answer(interaction, chosen(command, _meant(options)))

    callback: Any = asked
    # The library reads from the signature which options there are.
    callback.__signature__ = _signature(command)
    app_commands.describe(**{one.name: _caption(one.help) for one in command.options})(callback)
    offered = [one for one in command.options if one.kind.is_offered]
    app_commands.autocomplete(**{one.name: _choices(one.kind, offers) for one in offered})(callback)
    return app_commands.Command(
        name=command.name, description=_caption(command.help), callback=callback
    )


def _meant(options: dict[str, str | int | None]) -> dict[str, str]:
    """What is typed into an option is read as any other words are."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: " ".join(read(str(value))) for name, value in given.items()}


def _signature(command: Command) -> Signature:
    def parameter(option: Option) -> Parameter:
        kind = int if option.kind.is_number else str
        default = Parameter.empty if option.required else None
        return Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)

    interaction = Parameter("interaction", Parameter.POSITIONAL_OR_KEYWORD, annotation=Asking)
    return Signature([interaction, *map(parameter, command.options)])


def _choices(kind: OptionKind, offers: Offers) -> Any:
    async def completed(interaction: Asking, typed: str) -> list[app_commands.Choice[str]]:
        await offers(interaction, kind, typed)
        return []  # they are sent already

    return completed


def _caption(text: str) -> str:
    """A line of the help where nothing is any markup."""
    plain = text.replace("`", "")
    return f"{plain[:1].upper()}{plain[1:]}"


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
        raise Unserved(_no_commands(client)) from None
    except discord.HTTPException as error:
        raise Unserved(
            f"Discord does not take my command: {' '.join(str(error).split())}"
        ) from None


async def is_registered(
    client: discord.Client, group: app_commands.Group, tree: Any, guild: int
) -> bool:
    """Whether the guild's command is what `group` says; Unserved where Discord has none of ours."""
    try:
        return await _is_known(client, group.to_dict(tree), guild)
    except discord.Forbidden:
        raise Unserved(_no_commands(client)) from None


def _no_commands(client: discord.Client) -> str:
    return f"Discord lets me make no commands there: invite me again by {invitation(client)}"


async def _is_known(client: discord.Client, wanted: dict[str, Any], guild: int) -> bool:
    known = await client.http.get_guild_commands(client.application_id or 0, guild)
    return any(
        command["name"] == wanted["name"]
        and command.get("type", 1) == 1
        and _definition(dict(command)) == _definition(wanted)
        for command in known
    )


async def upsert(client: discord.Client, group: app_commands.Group, tree: Any, guild: int) -> bool:
    """Make the guild's command what `group` says; whether anything had to be sent."""
    if client.application_id is None:
        raise RuntimeError("not logged in yet")
    wanted = group.to_dict(tree)
    if await _is_known(client, wanted, guild):
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
