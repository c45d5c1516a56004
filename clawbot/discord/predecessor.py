"""Replies that an earlier process of this bot began, taken up where it left them."""

import logging
from dataclasses import replace
from datetime import datetime

import discord

from clawbot.discord import limits
from clawbot.discord.buttons import labels, seen
from clawbot.discord.reply import MARGIN_SECONDS, DiscordMessage, made
from clawbot.discord.retry import until_back
from clawbot.discord.speaker import account
from clawbot.replies import Deploying, Reply, is_final

LOOKED_THROUGH = 100

log = logging.getLogger(__name__)


class PredecessorsMessage(DiscordMessage):
    """A message that stands already, looked at when there is something to show for the first
    time."""

    _looked = False
    _gone = False
    _asker = ""

    async def show(self, reply: Reply, within: float | None) -> bool:
        if not self._looked:
            await self._look(reply)
            self._looked = True
        return not self._gone and await super().show(reply, within)

    async def call(self, reply: Deploying) -> None:
        """The ledger has no account of a bot instance; the message that asked has."""
        await super().call(replace(reply, asker=reply.asker or self._asker))

    async def _look(self, reply: Reply) -> None:
        """Find the message to go on with; it is gone, too, where its deploy's end is told there."""
        try:
            message = await until_back(self._clock, self._newest)
        except (discord.NotFound, discord.Forbidden) as error:
            # Deleted by somebody, or in a channel we lost: that reply wants no more care.
            log.warning("discord.reply_gone reply=%s why=%s", self.id, error)
            self._gone = True
            return
        self._message_id = message.id
        self._shown = told(message)
        ends = self._drawing.draw(reply, self._channel.id, message.id).embed.timestamp
        self._gone = is_final(reply) and ends == ended(message)

    async def _newest(self) -> discord.Message:
        """The reply itself, or the message that took over from it after an hour."""
        message = await self._channel.fetch_message(self._message_id)
        self._asker = asker(message)
        if self._clock.now() - made(message.id) < limits.EDITABLE_SECONDS - 2 * MARGIN_SECONDS:
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


def ended(message: discord.Message) -> datetime | None:
    """When a message says that its deploy ended, in whatever words an older version chose."""
    return message.embeds[0].timestamp if message.embeds else None


def told(message: discord.Message) -> tuple[object, ...]:
    """What a message says, to be held against a drawing."""
    said = seen(message.embeds[0]) if message.embeds else ()
    return (*said, tuple(label for _, label in labels(message)))
