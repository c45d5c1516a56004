"""Replies that an earlier process of this bot began, taken up where it left them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import discord

from clawbot.discord import limit
from clawbot.discord.away import until_back
from clawbot.discord.chat import Living
from clawbot.discord.drawing import Drawing, seen
from clawbot.discord.pen import MARGIN_SECONDS, Pen, made
from clawbot.discord.speaker import account
from clawbot.replies import Deploying, Reply, is_final
from fleet_control.clock import Clock

LOOKED_THROUGH = 100

log = logging.getLogger(__name__)

Show = Callable[[Reply], Awaitable[None]]


class Left:
    """One reply in a channel, looked at when there is something to show for the first time."""

    def __init__(
        self, drawing: Drawing, channel: discord.PartialMessageable, reply: int, clock: Clock
    ) -> None:
        self._drawing = drawing
        self._channel = channel
        self._reply = reply
        self._clock = clock
        self._living: Living | None = None
        self._gone = False
        self._asker = ""

    async def show(self, reply: Reply) -> None:
        if self._living is None and not self._gone:
            self._living = await self._find(reply)
            self._gone = self._living is None
        if self._living is not None:
            await self._living.edit("", self._named(reply))

    def _named(self, reply: Reply) -> Reply:
        """The ledger has no account of a bot instance; the message that asked has."""
        if isinstance(reply, Deploying) and not reply.asker:
            return replace(reply, asker=self._asker)
        return reply

    async def _find(self, reply: Reply) -> Living | None:
        """The message to go on with, unless it is gone, or what there is to show is told there."""
        try:
            message = await until_back(self._clock, self._newest)
        except (discord.NotFound, discord.Forbidden) as error:
            # Deleted by somebody, or in a channel we lost: that reply wants no more care.
            log.warning("discord.reply_gone reply=%s why=%s", self._reply, error)
            return None
        drawn = self._drawing.draw(reply, self._channel.id, message.id)
        if is_final(reply) and drawn.embed.colour == colour(message):
            return None  # whatever words it was told in, by an older version perhaps
        pen = Pen(self._channel, message.id, self._clock, shown=told(message))
        return Living(self._drawing, pen)

    async def _newest(self) -> discord.Message:
        """The reply itself, or the message that took over from it after an hour."""
        message = await self._channel.fetch_message(self._reply)
        self._asker = asker(message)
        if self._clock.now() - made(message.id) < limit.EDITABLE_SECONDS - 2 * MARGIN_SECONDS:
            return message
        after = discord.Object(message.id)
        async for later in self._channel.history(after=after, limit=LOOKED_THROUGH):
            reference = later.reference.message_id if later.reference else None
            if reference == message.id and later.author == message.author and later.embeds:
                message = later
        return message


def asker(message: discord.Message) -> str:
    """The account that wrote what a message answers; empty where that is gone, or no message."""
    asked = message.reference.resolved if message.reference else None
    return account(asked.author) if isinstance(asked, discord.Message) else ""


def colour(message: discord.Message) -> discord.Colour | None:
    """How a message's deploy goes: an end has another colour than whatever comes before it."""
    return message.embeds[0].colour if message.embeds else None


def told(message: discord.Message) -> tuple[object, ...]:
    """What a message says, to be held against a drawing."""
    said = seen(message.embeds[0]) if message.embeds else ()
    labels = [
        button.label
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for button in row.children
        if isinstance(button, discord.Button)
    ]
    return (*said, tuple(labels))
