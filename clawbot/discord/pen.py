"""One message of ours, kept up to date by whichever way is open.

While an interaction's token lives, through that; afterwards through the channel; and once Discord
takes no more edits of it, by a new message that follows it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

import discord

from clawbot.discord import limit
from clawbot.discord.away import until_back
from clawbot.discord.drawing import Drawn
from fleet_control.clock import Clock

# Discord documents no number; editing slower than this was never refused.
PAUSE_SECONDS = 4.0
# Token and message age by Discord's clock, not by ours.
MARGIN_SECONDS = 60.0
_DEAD_TOKEN = frozenset({10015, 10062, 50027})
_NOT_EDITABLE = frozenset({10008, 30046})

NOBODY = discord.AllowedMentions.none()

log = logging.getLogger(__name__)

# What to show, below the message of that id.
Draw = Callable[[int], Drawn]


class Pen:
    """`interaction` is the one whose original response the message is, where there is one."""

    def __init__(
        self,
        channel: discord.PartialMessageable,
        message_id: int,
        clock: Clock,
        interaction: discord.Interaction | None = None,
        shown: tuple[object, ...] = (),
    ) -> None:
        self.channel = channel
        self.message_id = message_id
        self.clock = clock
        self._interaction = interaction
        self._shown = shown
        self._next = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def write(self, draw: Draw, within: float) -> bool:
        """Show this, unless it is what is shown already; whether anything changed.

        Away where Discord did not take it within so many seconds.
        """
        async with self._one_at_a_time:
            drawn = draw(self.message_id)
            if drawn.told == self._shown:
                return False
            await self._pause()
            nonce = made_up()
            await until_back(self.clock, lambda: self._write(draw, nonce), within)
            # What takes the place of "thinking" may be followed at once; only edits keep apart.
            self._next = self.clock.monotonic() + PAUSE_SECONDS * bool(self._shown)
            self._shown = drawn.told
            return True

    async def _pause(self) -> None:
        wait = self._next - self.clock.monotonic()
        if wait > 0:
            await self.clock.sleep(wait)

    async def _write(self, draw: Draw, nonce: str) -> None:
        try:
            if self._token_lives():
                await self._by_token(draw(self.message_id))
            elif self._older_than(limit.EDITABLE_SECONDS):
                await self._follow(draw, nonce)
            else:
                await self._by_channel(draw(self.message_id))
        except discord.HTTPException as error:
            if error.code in _DEAD_TOKEN and self._interaction is not None:
                self._interaction = None
                await self._write(draw, nonce)
            elif error.code in _NOT_EDITABLE:
                await self._follow(draw, nonce)
            else:
                raise

    def _token_lives(self) -> bool:
        asked = self._interaction
        return asked is not None and (
            self.clock.now() - made(asked.id) < limit.TOKEN_SECONDS - MARGIN_SECONDS
        )

    async def _by_token(self, drawn: Drawn) -> None:
        if self._interaction is not None:
            await self._interaction.edit_original_response(
                embed=drawn.embed, view=drawn.view, allowed_mentions=NOBODY
            )

    async def _by_channel(self, drawn: Drawn) -> None:
        message = self.channel.get_partial_message(self.message_id)
        await message.edit(embed=drawn.embed, view=drawn.view, allowed_mentions=NOBODY)

    async def _follow(self, draw: Draw, nonce: str) -> None:
        """A new message takes over; it answers the old one, so that a successor can find it."""
        sent = await send(self.channel, draw, self.message_id, nonce)
        log.info("discord.reply_goes_on from=%s to=%s", self.message_id, sent.id)
        self.message_id = sent.id
        self._interaction = None

    def _older_than(self, seconds: float) -> bool:
        return self.clock.now() - made(self.message_id) > seconds - MARGIN_SECONDS


def made(snowflake: int) -> float:
    """When Discord made an id, in Unix seconds."""
    return discord.utils.snowflake_time(snowflake).timestamp()


def made_up() -> str:
    """A nonce: of messages that carry the same one Discord makes only the first."""
    return secrets.token_hex(8)


async def send(
    channel: discord.PartialMessageable, draw: Draw, answers: int, nonce: str
) -> discord.Message:
    """A new message that answers another, pinging nobody; buttons follow once its id is known."""
    sent = await channel.send(
        embed=draw(0).embed,
        reference=discord.MessageReference(
            message_id=answers, channel_id=channel.id, fail_if_not_exists=False
        ),
        allowed_mentions=NOBODY,
        mention_author=False,
        nonce=nonce,
    )
    view = draw(sent.id).view
    if view is not None:
        await sent.edit(view=view, allowed_mentions=NOBODY)
    return sent
