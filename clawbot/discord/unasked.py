"""What the bot does without being asked for it: it finishes what its predecessor left, and tells
the fleet's channel."""

from collections.abc import Awaitable, Callable

from discord.ext import commands

from clawbot.bot import Bot
from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.fleet_channel import DiscordFleetChannel
from clawbot.discord.places import Places
from clawbot.discord.predecessor import PredecessorsMessage
from clawbot.discord.speaker import PLATFORM
from clawbot.living_reply import LivingReply, State


class Unasked:
    """Of one bot in its guild; `spawn` takes what goes on beside, until the front ends."""

    def __init__(
        self,
        client: commands.Bot,
        bot: Bot,
        drawing: DiscordDrawing,
        spawn: Callable[[Awaitable[object]], None],
    ) -> None:
        self._client = client
        self._bot = bot
        self._drawing = drawing
        self._spawn = spawn

    def begin(self) -> None:
        self._spawn(self._finish_left())
        settings = self._bot.settings
        if settings.discord_fleet_channel is not None:
            channel = DiscordFleetChannel(
                self._client,
                self._drawing,
                self._bot.clock,
                settings.discord_guild or 0,
                settings.discord_fleet_channel,
                settings.discord_fleet_calls,
            )
            self._spawn(self._bot.announcer(channel).run())
            self._spawn(self._bot.watcher(channel).run())

    async def _finish_left(self) -> None:
        async for left in self._bot.deploys.resume(PLATFORM, self._left_in):
            for finishing in left:
                self._spawn(finishing)

    def _left_in(self, channel: str, _asked: str, reply: str) -> LivingReply | None:
        if not (channel.isdecimal() and reply.isdecimal()):
            return None
        guild, message = self._bot.settings.discord_guild, int(reply)
        where = Places(self._client, guild, int(channel))
        left = PredecessorsMessage(self._drawing, where, self._bot.clock, message_id=message)
        return LivingReply(left, self._bot.clock, State.SENT)
