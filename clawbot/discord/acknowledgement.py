"""The first answer to an interaction, for which Discord gives three seconds."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord

ALREADY_ANSWERED = 40060
TRIES = 3
TWO_BOTS = (
    "Another program answered that before me with my Discord token; "
    "if it is not the host I replace, give it a token of its own."
)

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]


async def thinking(interaction: Interaction) -> int | None:
    """Say that a reply comes, where that is ours to say; the id of the message it will be in.

    The id is 0 where Discord did not tell it.
    """
    told = 0

    async def defer() -> None:
        nonlocal told
        begun = await interaction.response.defer(thinking=True)
        told = (begun and begun.message_id) or 0

    return told if await heard(interaction, defer) else None


async def heard(interaction: Interaction, answer: Callable[[], Awaitable[object]]) -> bool:
    """Give this first answer; whether Discord has it, and from us.

    Where the connection breaks it is tried again at once: Discord itself refuses what comes too
    late. It may have taken an answer of which we heard nothing; that one is ours then.
    """
    broken = False
    for tries_left in reversed(range(TRIES)):
        try:
            await answer()
            return True
        except discord.HTTPException as error:
            if error.code != ALREADY_ANSWERED:
                log.warning("discord.not_deferred code=%s why=%s", error.code, error)
            elif not broken:
                log.warning("discord.two_bots said=%s", TWO_BOTS)
            return broken and error.code == ALREADY_ANSWERED
        except (aiohttp.ClientError, OSError) as error:
            broken = True
            why = str(error) or type(error).__name__
            log.warning("discord.first_answer_broke tries_left=%s why=%s", tries_left, why)
        except Exception as error:
            # The library reads what Discord may leave out, and an empty answer too, as if all were
            # there; by then Discord has ours.
            if not interaction.response.is_done():
                raise
            log.info("discord.first_answer_unread why=%s", error)
            return True
    return False
