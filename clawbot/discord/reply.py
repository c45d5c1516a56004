"""One message of ours in Discord: a reply stands in it.

It is kept up to date by whichever way is open: while an interaction's token lives, through that;
afterwards through the channel; and once Discord takes no more edits of it, by a new message that
follows it.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable

import discord

from clawbot import wording
from clawbot.discord import limits
from clawbot.discord.buttons import DiscordDrawing, DrawnEmbed
from clawbot.discord.embeds import plain
from clawbot.discord.retry import DiscordAway, until_back
from clawbot.discord.speaker import PLATFORM
from clawbot.living_reply import BEGUN_WITHIN_SECONDS
from clawbot.replies import Deploying, Notice, Reply
from fleet_control.clock import Clock

# Discord documents no number; editing slower than this was never refused.
PAUSE_SECONDS = 4.0
# Token and message age by Discord's clock, not by ours.
MARGIN_SECONDS = 60.0
# A call that comes later than this calls nobody to anything new.
CALL_WITHIN_SECONDS = 3600.0
_DEAD_TOKEN = frozenset({10015, 10062, 50027})
_NOT_EDITABLE = frozenset({10008, 30046})

NOBODY = discord.AllowedMentions.none()

log = logging.getLogger(__name__)

# What to show, in the message of that id.
Draw = Callable[[int], DrawnEmbed]


class DiscordMessage:
    """A `ReplyMessage`."""

    def __init__(
        self,
        drawing: DiscordDrawing,
        channel: discord.PartialMessageable,
        clock: Clock,
        *,
        message_id: int = 0,
        answers: int = 0,
        interaction: discord.Interaction | None = None,
    ) -> None:
        """`interaction` is the one whose original response the message is, where there is one.

        Without that, and without a `message_id`, it is sent, as an answer to the message `answers`.
        """
        self._drawing = drawing
        self._channel = channel
        self._clock = clock
        self._message_id = message_id
        self._answers = answers
        self._asked_by = self._token = interaction
        self._shown: tuple[object, ...] = ()
        self._begun = False
        self._next = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def id(self) -> str:
        return str(self._message_id or "")

    async def show(self, reply: Reply, within: float | None) -> bool:
        """As `ReplyMessage` has it; DiscordAway where Discord did not take it in time."""
        if within is None:
            within = 0.0 if self._begun else BEGUN_WITHIN_SECONDS

        def draw(message: int) -> DrawnEmbed:
            return self._drawing.draw(reply, self._channel.id, message)

        async with self._one_at_a_time:
            if draw(self._message_id).told == self._shown:
                return False
            await self._pause()
            nonce = _made_up()
            await until_back(self._clock, lambda: self._write(draw, nonce), within)
            # What takes the place of "thinking" may be followed at once; only edits keep apart.
            self._next = self._clock.monotonic() + PAUSE_SECONDS * bool(self._shown)
            self._shown = draw(self._message_id).told
            self._begun = True
            return True

    async def heard(self) -> None:
        """Discord was told so before anything else: it waits three seconds for that."""

    async def whisper(self, notice: Notice) -> None:
        """Only whoever pressed a button sees it."""
        asked_by = self._asked_by
        if asked_by is None:
            raise RuntimeError("no interaction asked for this reply")
        embed = self._drawing.draw(notice, self._channel.id, 0).embed

        async def whispered() -> discord.WebhookMessage:
            return await asked_by.followup.send(
                embed=embed, ephemeral=True, allowed_mentions=NOBODY, wait=True
            )

        await until_back(self._clock, whispered, BEGUN_WITHIN_SECONDS)

    async def call(self, reply: Deploying) -> None:
        platform, _, user = reply.asker.partition(":")
        if platform != PLATFORM or not user.isdecimal():
            return
        seen = reply.progress
        told = f"<@{user}> deploy {plain(seen.target)}: {wording.stage(seen)}"
        # The same in each life of this bot: one may have said it, and not heard that it was taken.
        nonce = derived(seen.run_id, self._message_id, seen.stage)
        try:
            await until_back(
                self._clock, lambda: self._ping(int(user), told, nonce), CALL_WITHIN_SECONDS
            )
        except (discord.HTTPException, DiscordAway) as error:
            log.warning("discord.asker_not_told run=%s why=%s", seen.run_id, error)

    async def _ping(self, user: int, told: str, nonce: str) -> None:
        await self._channel.send(
            told,
            reference=self._reference(self._message_id),
            allowed_mentions=discord.AllowedMentions(
                everyone=False,
                roles=False,
                users=[discord.Object(user)],
                replied_user=False,
            ),
            nonce=nonce,
        )

    async def _pause(self) -> None:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)

    async def _write(self, draw: Draw, nonce: str) -> None:
        try:
            if self._token is not None and self._token_lives(self._token):
                await self._through_token(self._token, draw)
            elif not self._message_id or self._older_than(limits.EDITABLE_SECONDS):
                await self._send(draw, nonce)
            else:
                drawn = draw(self._message_id)
                message = self._channel.get_partial_message(self._message_id)
                await message.edit(embed=drawn.embed, view=drawn.view, allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.code in _DEAD_TOKEN and self._token is not None:
                self._token = None
                await self._write(draw, nonce)
            elif error.code in _NOT_EDITABLE:
                await self._send(draw, nonce)
            else:
                raise

    async def _through_token(self, token: discord.Interaction, draw: Draw) -> None:
        """Buttons follow once the message's id is known."""
        drawn = draw(self._message_id)
        view = drawn.view if self._message_id else None
        edited = await token.edit_original_response(
            embed=drawn.embed, view=view, allowed_mentions=NOBODY
        )
        if not self._message_id:
            self._message_id = edited.id
            if drawn.view is not None:
                await self._through_token(token, draw)

    def _token_lives(self, token: discord.Interaction) -> bool:
        return self._clock.now() - made(token.id) < limits.TOKEN_SECONDS - MARGIN_SECONDS

    async def _send(self, draw: Draw, nonce: str) -> None:
        """A new message, which pings nobody; its buttons follow once its id is known.

        One that follows another answers that one, so that a successor can find it.
        """
        sent = await self._channel.send(
            embed=draw(0).embed,
            reference=self._reference(self._message_id or self._answers),
            allowed_mentions=NOBODY,
            mention_author=False,
            nonce=nonce,
        )
        view = draw(sent.id).view
        if view is not None:
            await sent.edit(view=view, allowed_mentions=NOBODY)
        if self._message_id:
            log.info("discord.reply_goes_on from=%s to=%s", self._message_id, sent.id)
        self._message_id = sent.id
        self._token = None

    def _reference(self, message_id: int) -> discord.MessageReference:
        return discord.MessageReference(
            message_id=message_id, channel_id=self._channel.id, fail_if_not_exists=False
        )

    def _older_than(self, seconds: float) -> bool:
        return self._clock.now() - made(self._message_id) > seconds - MARGIN_SECONDS


def made(snowflake: int) -> float:
    """When Discord made an id, in Unix seconds."""
    return discord.utils.snowflake_time(snowflake).timestamp()


def _made_up() -> str:
    """A nonce: of messages that carry the same one Discord makes only the first."""
    return secrets.token_hex(8)


def derived(*what: object) -> str:
    """The nonce of whoever says this again; Discord takes 25 characters."""
    return hashlib.sha256(" ".join(map(str, what)).encode()).hexdigest()[:24]
