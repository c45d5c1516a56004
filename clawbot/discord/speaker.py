"""Who speaks in Discord, by what Discord itself vouches for: account ids and role ids."""

import discord

from clawbot.ask import Ask
from clawbot.settings import Settings
from clawbot.speaker import UNANSWERED, doubted
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.registry import Registry

PLATFORM = "discord"


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


def ask(
    caller: Caller | None,
    user: discord.User | discord.Member,
    channel: int,
    asked: str,
    registry: Registry | None,
) -> Ask:
    """What `user` said there; no caller is one whom nobody answers."""
    who = caller or UNANSWERED
    return Ask(
        caller=who,
        platform=PLATFORM,
        channel=str(channel),
        asked=asked,
        account=account(user),
        name=user.display_name,
        doubted=doubted(who, registry),
    )


def addressed(content: str, bot: int) -> tuple[str, ...] | None:
    """The words after `/fleet` in a message that begins by mentioning the bot, else None."""
    match content.split():
        case [mention, "/fleet", *words] if mention in (f"<@{bot}>", f"<@!{bot}>"):
            return tuple(words)
    return None
