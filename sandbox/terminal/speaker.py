"""Who speaks in the demo: an instance by its id, the operator, or a stranger."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from clawbot.bot import Bot
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.error import FleetError
from sandbox.terminal.chat import OPERATOR, PLATFORM


def speakers(bot: Bot) -> Callable[[str], Awaitable[Caller]]:
    """By the registry as the bot knows it: an instance that is new there can speak."""

    async def speaks_as(name: str) -> Caller:
        account = f"{PLATFORM}:{name}"
        if name != OPERATOR and await _is_instance(name, bot):
            return BotInstance(name)
        return Human(account, name, operator=account in bot.settings.operators)

    return speaks_as


async def _is_instance(name: str, bot: Bot) -> bool:
    """By what is known already, if that will do: to be refused should cost no question."""
    source = bot.fleet.registry
    if source.last and name in source.last.registry:
        return True
    with suppress(FleetError):
        return name in (await source.get()).registry
    return False
