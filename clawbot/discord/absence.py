"""What was said while nobody heard it, found in the channels once we are there.

Discord delivers nothing twice. What was asked while we were away, or in the last second of a
process that was killed, stands in its channel all the same: a mention that nobody answered, or the
answer to a command, still "thinking", whose token died with that process.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from operator import attrgetter

import discord
from discord.ext import commands

from clawbot.discord.reply import derived, made
from clawbot.discord.retry import DiscordAway, until_back
from clawbot.living_reply import BEGUN_WITHIN_SECONDS
from clawbot.once import Once
from fleet_control.clock import Clock

# After that Discord itself says that a command was not answered.
LOOKED_BACK_SECONDS = 900.0
LOOKED_THROUGH = 100
# So long another life may take to answer: the host that we replace is there for a while yet.
ANSWERED_WITHIN_SECONDS = 15.0
# As many channels and threads, those first in which something was said last.
LOOKED_INTO = 20

log = logging.getLogger(__name__)

Place = discord.TextChannel | discord.Thread


class Absence:
    """`served` tells of a channel and its parent whether we answer there; `hear` takes a message
    that was missed, as if it came now."""

    def __init__(
        self,
        client: commands.Bot,
        clock: Clock,
        served: Callable[[int, tuple[int | None, ...]], bool],
        hear: Callable[[discord.Message], Awaitable[None]],
    ) -> None:
        self._client = client
        self._clock = clock
        self._served = served
        self._hear = hear
        self._heard = Once(clock)
        self._alone = False

    def first(self, id_: int) -> bool:
        """Whether this message or interaction is heard for the first time."""
        return self._heard.first(id_)

    async def look(self, guild: discord.Guild) -> None:
        """Take up what was missed lately."""
        tree = self._client.tree
        # Else a command that is thought about may be another's, who knows what comes of it.
        self._alone = len({*tree.get_commands(), *tree.get_commands(guild=guild)}) == 1
        thinking: list[discord.Message] = []
        for place in self._places(guild):
            try:
                said = await self._said(place)
            except (discord.HTTPException, DiscordAway) as error:
                log.warning("discord.missed_unseen channel=%s why=%s", place.id, error)
            else:
                thinking += [one for one in said if self._is_thinking(one)]
                await self._each(self._unanswered(said), self._mention)
        await self._each(thinking, self._thinking)

    def _places(self, guild: discord.Guild) -> list[Place]:
        there: list[Place] = [*guild.text_channels, *guild.threads]
        found = [
            one
            for one in there
            if self._served(guild.id, (one.id, getattr(one, "parent_id", None)))
            and one.permissions_for(guild.me).read_message_history
        ]
        found.sort(key=lambda one: one.last_message_id or 0, reverse=True)
        return found[:LOOKED_INTO]

    async def _said(self, place: Place) -> list[discord.Message]:
        """What was said there lately, the oldest first."""

        async def read() -> list[discord.Message]:
            return [one async for one in place.history(limit=LOOKED_THROUGH)]

        newest = await until_back(self._clock, read, BEGUN_WITHIN_SECONDS)
        since = self._clock.now() - LOOKED_BACK_SECONDS
        return sorted((one for one in newest if made(one.id) > since), key=attrgetter("id"))

    def _is_thinking(self, message: discord.Message) -> bool:
        return self._alone and message.author == self._client.user and message.flags.loading

    def _unanswered(self, said: Sequence[discord.Message]) -> list[discord.Message]:
        """The mentions among them; what was edited may have said anything else when it came."""
        me = self._client.user
        answered = {one.reference.message_id for one in said if one.author == me and one.reference}
        return [
            one
            for one in said
            if one.author != me
            and me in one.mentions
            and not (one.id in answered or one.webhook_id or one.edited_at)
        ]

    async def _each(
        self,
        messages: Sequence[discord.Message],
        take: Callable[[discord.Message], Awaitable[None]],
    ) -> None:
        for one in messages:
            try:
                await take(one)
            except (discord.HTTPException, DiscordAway) as error:
                log.warning("discord.missed_lost message_id=%s why=%s", one.id, error)

    async def _mention(self, message: discord.Message) -> None:
        """Its author's roles come with what is delivered, but not with what is read."""
        if message.guild is None or not self.first(message.id):
            return
        log.info("discord.missed message_id=%s channel=%s", message.id, message.channel.id)
        message.author = await message.guild.fetch_member(message.author.id)
        await self._hear(message)

    async def _thinking(self, message: discord.Message) -> None:
        """Nothing began, since what begins is shown before; nor can we know what was asked."""
        asked = message.interaction_metadata
        if asked is None or not self.first(asked.id):
            return
        left = made(message.id) + ANSWERED_WITHIN_SECONDS - self._clock.now()
        if left > 0:
            await self._clock.sleep(left)
            message = await until_back(
                self._clock, lambda: message.channel.fetch_message(message.id), BEGUN_WITHIN_SECONDS
            )
        if not message.flags.loading:
            return
        log.info("discord.never_answered interaction=%s by=%s", asked.id, asked.user.id)
        told = f"<@{asked.user.id}> I was restarted before I could answer you, and began nothing."

        async def tell() -> None:
            await message.channel.send(
                f"{told} Ask again.",
                allowed_mentions=discord.AllowedMentions(users=[asked.user]),
                nonce=derived("restarted", message.id),
            )
            with suppress(discord.NotFound):
                await message.delete()

        await until_back(self._clock, tell, BEGUN_WITHIN_SECONDS)
