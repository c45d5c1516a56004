"""Asking Discord again while it is away, for what nobody would say a second time."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord

from fleet_control.clock import Clock

AGAIN_SECONDS = 30.0
_TOO_MANY, _BROKEN = 429, 500

T = TypeVar("T")

log = logging.getLogger(__name__)


async def until_back(clock: Clock, doing: Callable[[], Awaitable[T]]) -> T:
    """What `doing` gives, tried anew for as long as Discord is away; it must bear repetition."""
    while True:
        try:
            return await doing()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if not _passes(error):
                raise
            log.warning("discord.away again_in=%s why=%s", AGAIN_SECONDS, error)
        await clock.sleep(AGAIN_SECONDS)


def _passes(error: Exception) -> bool:
    if isinstance(error, discord.HTTPException):
        return error.status == _TOO_MANY or error.status >= _BROKEN
    return True
