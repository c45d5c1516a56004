"""Where in Discord a reply goes on once it can't where it was asked for."""

import logging
from collections.abc import AsyncIterator

import discord
from discord.ext import commands

from clawbot.discord.retry import passes
from clawbot.discord.speaker import PLATFORM
from clawbot.replies import user_id

log = logging.getLogger(__name__)

Place = discord.PartialMessageable


class Places:
    """The channel where something was asked; a thread's own channel, and the asker's chat with us.

    A thread that is only closed opens again by the next message in it. One that is locked or
    deleted does not: its channel is the next place, and where there is none, or it is closed to us
    too, the asker still reads what only they see.
    """

    def __init__(
        self, client: commands.Bot, guild: int | None, channel: int, parent: int | None = None
    ) -> None:
        """`parent` is the thread's channel as it is known already, before the thread is gone."""
        self._client = client
        self._guild = guild
        self._parent = parent
        self.asked = self._in_guild(channel)

    async def all_of(self, asker: str) -> AsyncIterator[Place]:
        """Each place, best first; one that Discord does not give us is left out."""
        yield self.asked
        parent = self._parent or await self._looked_up()
        if parent:
            yield self._in_guild(parent)
        alone = await self._alone_with(asker)
        if alone:
            yield self._client.get_partial_messageable(alone)

    def is_ours(self, message: discord.Message) -> bool:
        return message.author == self._client.user

    def _in_guild(self, channel: int) -> Place:
        return self._client.get_partial_messageable(channel, guild_id=self._guild)

    async def _looked_up(self) -> int:
        try:
            found = await self._client.fetch_channel(self.asked.id)
        except (discord.HTTPException, discord.InvalidData) as error:
            return _none(error)
        return getattr(found, "parent_id", None) or 0

    async def _alone_with(self, asker: str) -> int:
        user = user_id(asker, PLATFORM)
        try:
            return (await self._client.create_dm(discord.Object(user))).id if user else 0
        except discord.HTTPException as error:
            return _none(error)


def is_private(place: Place) -> bool:
    return place.guild_id is None


def _none(error: discord.DiscordException) -> int:
    """No channel, where Discord says so for good."""
    if isinstance(error, discord.HTTPException) and passes(error):
        raise error
    log.info("discord.no_place why=%s", error)
    return 0
