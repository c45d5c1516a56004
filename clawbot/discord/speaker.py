"""Who speaks in Discord, by what Discord itself vouches for: account ids and role ids."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

import discord

from clawbot.ask import Ask
from clawbot.settings import Settings
from clawbot.speaker import UNANSWERED, doubted
from clawbot.words import after_a_name, plain
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.registry import Registry

PLATFORM = "discord"
_MENTION = re.compile(r"[\s`'\"*_~,.;:!]*<@(?P<whom>[!&]?[0-9]+)>")
# What Discord makes of a command that is picked while a message is written.
_COMMAND = re.compile(r"</(?P<words>[^:<>]+):[0-9]+>")


def account(user: discord.User | discord.Member) -> str:
    return f"{PLATFORM}:{user.id}"


def person(
    user: discord.User | discord.Member, settings: Settings, registry: Registry | None
) -> Caller | None:
    """Who asks or presses; an operator by account, or by a role they have at this very moment.

    An account that the registry gives to an instance is that instance; None for any other program.
    """
    instance = registry.by_discord(str(user.id)) if registry else None
    if instance:
        return BotInstance(instance)
    if user.bot:
        return None
    by_role = isinstance(user, discord.Member) and any(
        user.get_role(role) for role in settings.discord_operator_roles
    )
    return Human(account(user), user.display_name, by_role or account(user) in settings.operators)


def author(
    message: discord.Message, settings: Settings, registry: Registry | None
) -> Caller | None:
    """Who wrote a message; None for whoever must not be answered, or two bots could loop.

    A webhook may take any name and picture, so its messages are nobody's.
    """
    if message.webhook_id is not None:
        return None
    return person(message.author, settings, registry)


def acted(
    interaction: discord.Interaction[Any], asked: str, settings: Settings, registry: Registry | None
) -> Ask:
    """What a command or a press asks for."""
    user = interaction.user
    caller = person(user, settings, registry)
    place = interaction.channel_id or 0, asked
    return _ask(caller, user, place, settings, registry)


def wrote(message: discord.Message, settings: Settings, registry: Registry | None) -> Ask:
    """What a message asks for."""
    caller = author(message, settings, registry)
    place = message.channel.id, str(message.id)
    return _ask(caller, message.author, place, settings, registry)


def _ask(
    caller: Caller | None,
    user: discord.User | discord.Member,
    place: tuple[int, str],
    settings: Settings,
    registry: Registry | None,
) -> Ask:
    channel, asked = place
    who = caller or UNANSWERED
    return Ask(
        caller=who,
        platform=PLATFORM,
        bot=settings.bot,
        channel=str(channel),
        asked=asked,
        account=account(user),
        name=user.display_name,
        doubted=doubted(who, registry),
    )


class Addressed(NamedTuple):
    """What a message says to the bot; `named` is whether by `/fleet`, which programs have to."""

    words: tuple[str, ...]
    named: bool = True


def addressed(message: discord.Message, me: int) -> Addressed | None:
    """What is said in a message that begins by mentioning the bot; None where it does not.

    Its own role counts as itself: the two look alike where a mention is picked. Of a message that
    mentions only that, Discord may show us no text.
    """
    role = message.guild.self_role if message.guild else None
    if role in message.role_mentions and not message.content:
        return Addressed((), named=False)
    mine = {str(me), f"!{me}"} | ({f"&{role.id}"} if role else set())
    return said_to(mine, message.content)


def said_to(mine: Collection[str], content: str) -> Addressed | None:
    """What is said after the mentions at the begin, one of which is in `mine`."""
    rest, mentioned = _COMMAND.sub(r"/\g<words>", plain(content)), set[str]()
    while found := _MENTION.match(rest):
        mentioned.add(found["whom"])
        rest = rest[found.end() :]
    return Addressed(*after_a_name(rest)) if mentioned & set(mine) else None
