"""A preflight that is asked for where no platform is in between."""

from clawbot.bot import Bot
from clawbot.replies import PreflightReport
from clawbot.requests import Preflight
from fleet_control.preflight import Check, Outcome
from tests.clawbot.bots import VISITOR, KeptChat, ask


async def found(bot: Bot) -> dict[str, Check]:
    """What anybody is told, by the name of what was looked at."""
    chat = KeptChat(bot.clock)
    reply = await bot.commands.answer(ask(VISITOR), Preflight(), chat.reply())
    assert isinstance(reply, PreflightReport)
    assert list(chat.messages.values()) == [reply]
    return {one.name: one for one in reply.checks}


def faults(of: dict[str, Check]) -> set[str]:
    return {name for name, one in of.items() if one.outcome is Outcome.WRONG}
