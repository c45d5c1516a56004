"""Who tells the fleet's channels how a deploy goes that no living reply tells.

A channel is named ``<platform>:<channel>``, in Telegram with its topic, where it has one, as
``telegram:-1001234567890/5``. Standard library only: the Lambda carries this file.
"""

import re
from enum import StrEnum
from typing import NamedTuple

# A bot that follows a deploy says so often that its reply lives; one that has not for so long is
# taken for dead, and whoever announces the deploy then goes on instead.
LIVING_EVERY_SECONDS = 60.0
GIVEN_UP_SECONDS = 300.0
# For so long an announcement, or the watch of a channel, is one bot's since it renewed that.
LEASED_SECONDS = 180.0

CHANNEL = re.compile(r"(discord:[1-9][0-9]{0,19}|telegram:-?[1-9][0-9]{0,15}(/[1-9][0-9]{0,15})?)")


def platform(channel: str) -> str:
    """Of which platform a channel is."""
    return channel.partition(":")[0]


class Silence(StrEnum):
    """Why a bot does not announce a deploy in a channel."""

    NONE = ""
    """It does: the lease is its own."""
    LIVING = "living"
    """The reply of whoever was asked lives."""
    TOLD = "told"
    """It was told already how it ended, by that reply or here."""
    LEASED = "leased"
    """Another bot announces it."""
    EARLIER = "earlier"
    """It began before this channel was announced in at all."""
    DUPLICATE = "duplicate"
    """Another run is the deploy of the same ask."""


class Announcement(NamedTuple):
    """One deploy's telling in one channel, as the control table has it.

    Attributes:
        silence: why the bot that asks does not announce it; empty where it does.
        by: the bot whose lease it is; empty for none.
        message: the id of the message that it stands in; empty before that was sent.
        end: the end that the channel was told of and its people called for; empty before.
        earlier: messages that stand there from bots that had the lease before, as (bot, message).
        dead_reply: the id of the asker's own reply, where that is dead and the bot that asks is to
            answer it with where it goes on; empty where there is none, and once that was done.
    """

    silence: str
    by: str = ""
    message: str = ""
    end: str = ""
    earlier: tuple[tuple[str, str], ...] = ()
    dead_reply: str = ""


class ReplyLife(NamedTuple):
    """Whether a bot's own reply to an ask may still be kept up to date by it.

    Attributes:
        goes_on: where it is told instead, as ``<channel>#<message>``; empty where it lives, and
            while nobody has said it yet.
    """

    lives: bool
    goes_on: str = ""


class WatchLease(NamedTuple):
    """What the control table has of the watch of one channel.

    Attributes:
        mine: whether the bot that asks watches, from now on.
        state: what was written last, a text of the watch's own; empty at first.
        version: of the state: it is written in the place of this one, or not at all.
    """

    mine: bool
    state: str = ""
    version: int = 0
