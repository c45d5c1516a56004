"""A preflight that is asked for where no platform is in between, and what may hang in one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """Whoever asks there waits until the end."""
    asked: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for writer in asked:
            writer.transport.abort()
        await asyncio.sleep(0)
