"""The fleet's channel in Discord: where we speak without having been asked."""

import logging
from collections.abc import AsyncIterator

import discord
from discord.ext import commands

from clawbot import wording
from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.link import message_link
from clawbot.discord.places import Place, Places
from clawbot.discord.predecessor import PredecessorsMessage
from clawbot.discord.reply import NOBODY, DiscordMessage, derived
from clawbot.discord.retry import DiscordAway, until_back
from clawbot.discord.speaker import PLATFORM
from clawbot.living_reply import BEGUN_WITHIN_SECONDS, AnyReply
from fleet_control.clock import Clock

log = logging.getLogger(__name__)


class DiscordFleetChannel:
    """A `FleetChannel`, in that guild."""

    platform = PLATFORM

    def __init__(
        self,
        client: commands.Bot,
        drawing: DiscordDrawing,
        clock: Clock,
        guild: int,
        channel: int,
        calls: tuple[str, ...] = (),
    ) -> None:
        """`calls` are users' ids, and roles' as in `&55`."""
        self.name = f"{PLATFORM}:{channel}"
        self.calls = tuple(f"{PLATFORM}:{one}" for one in calls)
        self._client = client
        self._drawing = drawing
        self._clock = clock
        self._guild = guild
        self._channel = channel

    def message(self, id_: str = "", answers: str = "") -> DiscordMessage:
        where = _OnlyHere(self._client, self._guild, self._channel)
        if id_:
            return _Announced(self._drawing, where, self._clock, message_id=int(id_))
        return DiscordMessage(self._drawing, where, self._clock, answers=int(answers or 0))

    async def point(self, asked_in: str, dead_reply: str, to: str) -> bool:
        if not (asked_in.isdecimal() and dead_reply.isdecimal()):
            return True
        place = self._client.get_partial_messageable(int(asked_in), guild_id=self._guild)
        link = message_link(self._guild, str(self._channel), to)
        answered = discord.MessageReference(message_id=int(dead_reply), channel_id=place.id)

        async def answer() -> None:
            await place.send(
                wording.pointing(f"in {link}"),
                reference=answered,
                allowed_mentions=NOBODY,
                mention_author=False,
                # The same in each life of this bot, and of one ask: it is said once.
                nonce=derived("goes on", dead_reply, to),
            )

        try:
            await until_back(self._clock, answer, BEGUN_WITHIN_SECONDS)
        except (discord.HTTPException, DiscordAway) as error:
            log.info("discord.not_pointed channel=%s reply=%s why=%s", asked_in, dead_reply, error)
            # Else it is closed to us, or the dead reply is gone: who reads there can't be told.
            return not isinstance(error, DiscordAway)
        return True


class _OnlyHere(Places):
    """What is told in the fleet's channel is told in no other, least of all in private."""

    async def all_of(self, asker: str) -> AsyncIterator[Place]:  # noqa: ARG002  (nobody's place)
        yield self.asked


class _Announced(PredecessorsMessage):
    """A message there that stands already. Whose reply it answers did not ask for anything."""

    def _for_asker(self, reply: AnyReply) -> AnyReply:
        return reply
