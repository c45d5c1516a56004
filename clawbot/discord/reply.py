"""One message of ours in Discord: a reply stands in it.

It is kept up to date by whichever way is open: while an interaction's token lives, through that;
afterwards through the channel; and once Discord takes no more edits of it, by a new message that
follows it, in another place where that one is closed to us.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeGuard

import discord

from clawbot import wording
from clawbot.discord import limits
from clawbot.discord.drawing import DiscordDrawing, DrawnEmbed
from clawbot.discord.markup import LONGEST_ROW, plain
from clawbot.discord.mentioned import Mentioned
from clawbot.discord.places import Place, Places, is_private
from clawbot.discord.retry import DiscordAway, passes, until_back
from clawbot.living_reply import BEGUN_WITHIN_SECONDS, NoPlace
from clawbot.progress import Stage
from clawbot.replies import Deploying, GoesOn, Notice, Reply, WatchReport
from fleet_control.clock import Clock

# Discord documents no number; editing slower than this was never refused.
PAUSE_SECONDS = 4.0
# Token and message age by Discord's clock, not by ours.
MARGIN_SECONDS = 60.0
# A call that comes later than this calls nobody to anything new.
CALL_WITHIN_SECONDS = 3600.0
NOBODY = discord.AllowedMentions.none()

log = logging.getLogger(__name__)

# What to show, in the message of that id.
Draw = Callable[[int], DrawnEmbed]


class DiscordMessage:
    """A `ReplyMessage`."""

    def __init__(
        self,
        drawing: DiscordDrawing,
        places: Places,
        clock: Clock,
        *,
        message_id: int = 0,
        answers: int = 0,
        interaction: discord.Interaction | None = None,
    ) -> None:
        """`interaction` is the one whose original response the message is, where there is one.

        Without that, and without a `message_id`, it is sent, as an answer to the message `answers`;
        with both, as an answer to the message that the interaction pressed.
        """
        self._drawing = drawing
        self._places = places
        self._channel = places.asked
        self._clock = clock
        self._message_id = message_id
        self._answers = answers
        self._editable = True
        self._asked_by = interaction
        self._token = None if answers else interaction
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
            return self._drawn(reply, message)

        asker = reply.asker or None if _began(reply) else None
        # What is told elsewhere is news only to who looks at what stands here.
        follows = not (isinstance(reply, GoesOn) and self._message_id)
        async with self._one_at_a_time:
            if draw(self._message_id).told == self._shown:
                return False
            await self._pause()
            nonce = _nonce(reply)
            await until_back(
                self._clock, lambda: _first_open(self._ways(draw, nonce, asker, follows)), within
            )
            # What takes the place of "thinking" may be followed at once; only edits keep apart.
            self._next = self._clock.monotonic() + PAUSE_SECONDS * bool(self._shown)
            self._shown = draw(self._message_id).told
            self._begun = True
            return True

    def _drawn(self, reply: Reply, message: int) -> DrawnEmbed:
        drawn = self._drawing.draw(reply, self._channel.id, message)
        # We hear no presses outside the guild.
        return replace(drawn, view=None) if is_private(self._channel) else drawn

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
        called = Mentioned.of(reply.asker, *reply.calls)
        if not called:
            return
        seen = reply.progress
        what = wording.what(seen.operation, plain(seen.target))
        how = plain(wording.stage(seen), LONGEST_ROW)
        told = f"{called.mentions} {what[:1].lower()}{what[1:]}: {how}"
        # The same in each life of this bot: one may have said it, and not heard that it was taken.
        nonce = derived(seen.run_id, self._message_id, seen.stage)
        try:
            await until_back(
                self._clock,
                lambda: _first_open(self._callings(reply.asker, called, told, nonce)),
                CALL_WITHIN_SECONDS,
            )
        except DiscordAway as error:
            log.warning("discord.asker_not_told run=%s why=%s", seen.run_id, error)

    async def _callings(
        self, asker: str, called: Mentioned, told: str, nonce: str
    ) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        async for place in self._from_here(asker):
            yield partial(self._ping, place, called, told, nonce)

    async def _ping(self, place: Place, called: Mentioned, told: str, nonce: str) -> None:
        await place.send(
            told,
            **self._answering(place, self._message_id),
            allowed_mentions=called.allowed,
            nonce=nonce,
        )

    async def _pause(self) -> None:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)

    async def _ways(
        self, draw: Draw, nonce: str, asker: str | None, follows: bool
    ) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        """How this can be said, best first; each is asked for once the one before was refused.

        With an `asker` it may also be said elsewhere than where they asked, and where it `follows`
        what stands there in a new message.
        """
        if self._token is not None and self._token_lives(self._token):
            yield partial(self._through_token, self._token, draw)
            self._token = None
        # Of an old one Discord still takes the first few edits, as the last that there is to say.
        old = follows and self._message_id and self._older_than(limits.EDITABLE_SECONDS)
        if self._message_id and self._editable and not old:
            yield partial(self._edit, draw)
            self._editable = False
        if not follows:
            return
        if asker is None:
            yield partial(self._send, self._channel, draw, nonce)
        else:
            async for place in self._from_here(asker):
                yield partial(self._send, place, draw, nonce)
        self._editable = True  # where nothing is open, the old message may be the first that is

    async def _from_here(self, asker: str) -> AsyncIterator[Place]:
        """Where we stand, and then every other place."""
        here = self._channel
        yield here
        async for place in self._places.all_of(asker):
            if place.id != here.id:
                yield place

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

    async def _edit(self, draw: Draw) -> None:
        drawn = draw(self._message_id)
        message = self._channel.get_partial_message(self._message_id)
        await message.edit(embed=drawn.embed, view=drawn.view, allowed_mentions=NOBODY)

    async def _send(self, place: Place, draw: Draw, nonce: str) -> None:
        """A new message, which pings nobody but those it is drawn to call; its buttons follow once
        its id is known.

        One that follows another answers that one, so that a successor can find it.
        """
        drawn = draw(0)
        sent = await place.send(
            drawn.called.mentions or None,
            embed=drawn.embed,
            **self._answering(place, self._message_id or self._answers),
            allowed_mentions=drawn.called.allowed,
            mention_author=False,
            nonce=nonce,
        )
        if self._message_id:
            log.info(
                "discord.reply_goes_on from=%s channel=%s to=%s",
                self._message_id,
                place.id,
                sent.id,
            )
        self._stand(place, sent.id)
        if draw(sent.id).view is not None:
            await self._edit(draw)

    def _stand(self, place: Place, message: int) -> None:
        """From now on the reply stands in that message."""
        self._channel, self._message_id = place, message
        self._token, self._editable = None, True

    def _answering(self, place: Place, message: int) -> dict[str, Any]:
        """What makes a message an answer to another; one of another channel can't be answered."""
        if not message or place.id != self._channel.id:
            return {}
        reference = discord.MessageReference(
            message_id=message, channel_id=place.id, fail_if_not_exists=False
        )
        return {"reference": reference}

    def _older_than(self, seconds: float) -> bool:
        return self._clock.now() - made(self._message_id) > seconds - MARGIN_SECONDS


async def _first_open(ways: AsyncIterator[Callable[[], Awaitable[object]]]) -> None:
    """Go the first way that Discord does not refuse for good; NoPlace where there is none."""
    refused: discord.HTTPException | None = None
    async for way in ways:
        try:
            await way()
        except discord.HTTPException as error:
            if passes(error):
                raise
            refused = error
        else:
            return
    raise NoPlace(refused or "its message is closed to changes") from refused


def _began(reply: Reply) -> TypeGuard[Deploying]:
    return isinstance(reply, Deploying) and reply.progress.stage is not Stage.ASKING


def made(snowflake: int) -> float:
    """When Discord made an id, in Unix seconds."""
    return discord.utils.snowflake_time(snowflake).timestamp()


def _nonce(reply: Reply) -> str:
    """Of messages that carry the same one Discord makes only the first."""
    if isinstance(reply, WatchReport):
        # The life before may have said it, and not heard that it was taken.
        return derived("watch", reply.wrong, reply.well, reply.flapping)
    return secrets.token_hex(8)


def derived(*what: object) -> str:
    """The nonce of whoever says this again; Discord takes 25 characters."""
    return hashlib.sha256(" ".join(map(str, what)).encode()).hexdigest()[:24]
