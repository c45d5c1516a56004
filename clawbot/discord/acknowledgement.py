"""The first answer to an interaction, for which Discord gives three seconds."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import discord

ALREADY_ANSWERED = 40060
TRIES = 3
TWO_BOTS = (
    "Another program answered that before me with my Discord token; "
    "if it is not the host I replace, give it a token of its own."
)

T = TypeVar("T")

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]


async def thinking(interaction: Interaction) -> int | None:
    """Say that a reply comes; the id of the message it will be in. None as in `first`."""

    async def defer() -> int | None:
        begun = await interaction.response.defer(thinking=True)
        return begun.message_id if begun else None

    async def begun_already() -> int:
        return (await interaction.original_response()).id

    return await first(defer, begun_already)


async def heard(answer: Callable[[], Awaitable[object]]) -> bool:
    """Give this first answer; whether it is ours."""

    async def given() -> bool:
        await answer()
        return True

    async def given_already() -> bool:
        return True

    return bool(await first(given, given_already))


async def first(answer: Callable[[], Awaitable[T]], given: Callable[[], Awaitable[T]]) -> T | None:
    """What `answer` gives, or None where Discord takes none from us any more.

    Where the connection breaks it is tried again at once: Discord itself refuses what comes too
    late. It may have taken an answer of which we heard nothing; then it is `given`.
    """
    broken = False
    for tries_left in reversed(range(TRIES)):
        try:
            return await answer()
        except discord.HTTPException as error:
            if error.code != ALREADY_ANSWERED:
                log.warning("discord.not_deferred code=%s why=%s", error.code, error)
            elif broken:
                answer = given
                continue
            else:
                log.warning("discord.two_bots said=%s", TWO_BOTS)
            return None
        except (aiohttp.ClientError, OSError) as error:
            broken = True
            why = str(error) or type(error).__name__
            log.warning("discord.first_answer_broke tries_left=%s why=%s", tries_left, why)
    return None
