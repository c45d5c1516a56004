"""Asking Discord again while it is away, for what nobody would say a second time."""

import logging
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord

from clawbot.patience import CALL_AGAIN
from fleet_control.clock import Clock
from fleet_control.error import FleetError

_TOO_MANY, _BROKEN = 429, 500
# Discord's own codes of a number that is full, such as that of the edits of an old message: to wait
# changes nothing, whatever the status.
_FULL = range(30_000, 31_000)

T = TypeVar("T")

log = logging.getLogger(__name__)


class DiscordAway(FleetError):
    """Discord did not take something from us in the time there was for it."""


async def until_back(
    clock: Clock, doing: Callable[[], Awaitable[T]], within: float = math.inf
) -> T:
    """What `doing` gives, tried anew for as long as Discord is away; it must bear repetition.

    DiscordAway after `within` seconds; with 0 it is tried once.
    """
    gives_up = clock.monotonic() + within
    pauses = CALL_AGAIN.pauses()
    while True:
        again = next(pauses)
        try:
            return await doing()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if not passes(error):
                raise
            why = str(error) or type(error).__name__
            if clock.monotonic() + again > gives_up:
                raise DiscordAway(
                    "Discord was away when I wanted to answer, so I began nothing. Ask again."
                ) from error
            log.warning("discord.away again_in=%s why=%s", again, why)
        await clock.sleep(again)


def passes(error: Exception) -> bool:
    """Whether the same may be taken later; any other refusal of Discord's is for good."""
    if not isinstance(error, discord.HTTPException):
        return True
    too_many = error.status == _TOO_MANY and error.code not in _FULL
    return too_many or error.status >= _BROKEN
