"""Replies that an earlier process of this bot began, taken up where it left them."""

import logging
from dataclasses import replace
from datetime import datetime

import discord

from clawbot.discord import limits
from clawbot.discord.legible import labels, seen
from clawbot.discord.places import Place
from clawbot.discord.reply import DiscordMessage, Draw
from clawbot.discord.retry import until_back
from clawbot.discord.speaker import account
from clawbot.living_reply import AnyReply, long_over
from clawbot.replies import Deploying, Reply

LOOKED_THROUGH = 100

log = logging.getLogger(__name__)


class PredecessorsMessage(DiscordMessage):
    """A message that stands already, looked at when there is something to show for the first time.

    Where it can't be changed any more, an earlier process may have gone on in a new message. That
    one is looked for wherever another would be sent.
    """

    _looked = False
    _gone = False
    _ended = False
    _asker = ""

    async def show(self, reply: Reply, within: float | None) -> bool:
        if not self._looked:
            await self._look(reply)
            self._looked = True
        if self._gone or self._ended:
            return False
        return await super().show(self._for_asker(reply), within) and not self._ended

    async def call(self, reply: Deploying) -> None:
        if not self._gone:
            await super().call(self._for_asker(reply))

    def _for_asker(self, reply: AnyReply) -> AnyReply:
        """The ledger has no account of a bot instance; the message that asked has."""
        if isinstance(reply, Deploying) and not reply.asker:
            return replace(reply, asker=self._asker)
        return reply

    async def _look(self, reply: Reply) -> None:
        """Find the message to go on with; one that is gone once its end was read wants no other."""
        begun = self._channel.fetch_message
        try:
            message = await until_back(self._clock, lambda: begun(self._message_id))
        except (discord.NotFound, discord.Forbidden) as error:
            self._gone = long_over(reply, self._clock.now())
            self._editable = False
            log.warning("discord.reply_gone reply=%s why=%s", self.id, error)
        else:
            self._asker = asker(message)
            self._take(self._channel, message, lambda of: self._drawn(reply, of))

    def _take(self, place: Place, message: discord.Message, draw: Draw) -> None:
        """Go on with this message; one that tells its deploy's end stays as it is."""
        self._stand(place, message.id)
        self._shown = told(message)
        ends = draw(message.id).embed.timestamp
        self._ended = ends is not None and ends == ended(message)

    async def _send(self, place: Place, draw: Draw, nonce: str) -> None:
        message = await self._followed(place, draw(0).embed.url)
        if message is not None:
            self._take(place, message, draw)
        if message is None or (self._older_than(limits.EDITABLE_SECONDS) and not self._ended):
            await super()._send(place, draw, nonce)
        elif not self._ended:
            await self._edit(draw)

    async def _followed(self, place: Place, run: str | None) -> discord.Message | None:
        """The newest message of ours there, if any, that took over from this one: it answers it, or
        tells of the same run."""
        found: discord.Message | None = None
        after = discord.Object(self._message_id)
        try:
            async for later in place.history(after=after, limit=LOOKED_THROUGH):
                answered = later.reference.message_id if later.reference else None
                newest = found.id if found else self._message_id
                same = answered == newest or (run and later.embeds and later.embeds[0].url == run)
                if same and later.embeds and self._places.is_ours(later):
                    found = later
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("discord.not_looked_through channel=%s why=%s", place.id, error)
        return found


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
