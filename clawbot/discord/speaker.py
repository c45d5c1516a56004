"""Who speaks in Discord, by what Discord itself vouches for: account ids and role ids."""

import discord

from clawbot.settings import Settings
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.registry import Registry

PLATFORM = "discord"


def account(user: discord.User | discord.Member) -> str:
    return f"{PLATFORM}:{user.id}"


def person(user: discord.User | discord.Member, settings: Settings) -> Human:
    """A person; an operator by account, or by a role they have at this very moment."""
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
    if not message.author.bot:
        return person(message.author, settings)
    instance = registry.by_discord(str(message.author.id)) if registry else None
    return BotInstance(instance) if instance else None


def addressed(content: str, bot: int) -> tuple[str, ...] | None:
    """The words after `/fleet` in a message that begins by mentioning the bot, else None."""
    match content.split():
        case [mention, "/fleet", *words] if mention in (f"<@{bot}>", f"<@!{bot}>"):
            return tuple(words)
    return None
