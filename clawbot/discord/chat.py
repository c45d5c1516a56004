"""Where one ask came from in Discord: a command, a mention, or a button."""

import logging
from collections.abc import Callable
from dataclasses import replace

import discord

from clawbot import wording
from clawbot.discord import limit
from clawbot.discord.drawing import Drawing, Drawn
from clawbot.discord.patience import until_back
from clawbot.discord.pen import NOBODY, Pen, send
from clawbot.discord.speaker import PLATFORM
from clawbot.page import cut
from clawbot.replies import Deploying, Reply, StatusReport, is_final
from fleet_control.clock import Clock

log = logging.getLogger(__name__)

Shown = Callable[[], None]


class Living:
    """The reply that `pen` keeps up to date. Its asker is told, once, when its deploy is over.

    Attributes:
        latest: what was shown last.
    """

    def __init__(self, drawing: Drawing, pen: Pen, shown: Shown = lambda: None) -> None:
        """`shown` is told of each change."""
        self.drawing = drawing
        self.pen = pen
        self.latest: Reply | None = None
        self._shown = shown

    async def edit(self, _reply_id: str, reply: Reply) -> None:
        if not is_final(reply):
            await self.show(reply)
            return
        # Nothing comes after this that would show it in passing.
        changed = await until_back(self.pen.clock, lambda: self.show(reply))
        if changed and isinstance(reply, Deploying):
            await self._tell_asker(reply)

    async def show(self, reply: Reply) -> bool:
        channel = self.pen.channel.id
        changed = await self.pen.write(lambda message: self.drawing.draw(reply, channel, message))
        self.latest = reply
        self._shown()
        return changed

    async def _tell_asker(self, reply: Deploying) -> None:
        """An edit pings nobody; this new message does."""
        platform, _, user = reply.asker.partition(":")
        if platform != PLATFORM or not user.isdecimal():
            return
        seen = reply.progress
        told = f"<@{user}> deploy {seen.target}: {wording.stage(seen)}"
        try:
            await self.pen.channel.send(
                cut(told, limit.CONTENT),
                reference=discord.MessageReference(
                    message_id=self.pen.message_id,
                    channel_id=self.pen.channel.id,
                    fail_if_not_exists=False,
                ),
                allowed_mentions=discord.AllowedMentions(
                    everyone=False,
                    roles=False,
                    users=[discord.Object(int(user))],
                    replied_user=False,
                ),
            )
        except discord.HTTPException as error:
            log.warning("discord.asker_not_told run=%s why=%s", seen.run_id, error)


class CommandChat(Living):
    """A command that was deferred: its reply takes the place of "thinking"."""

    def __init__(
        self, drawing: Drawing, pen: Pen, interaction: discord.Interaction, shown: Shown
    ) -> None:
        super().__init__(drawing, pen, shown)
        self._interaction = interaction
        self._sent = False

    async def send(self, reply: Reply) -> str:
        if self._sent:
            return await _whisper(self.drawing, self._interaction, reply)
        await self.show(reply)
        self._sent = True
        return str(self.pen.message_id)


class MentionChat:
    """A message that addressed the bot: the reply answers it in the channel."""

    def __init__(
        self,
        drawing: Drawing,
        channel: discord.PartialMessageable,
        asked: int,
        clock: Clock,
        shown: Shown,
    ) -> None:
        self._drawing = drawing
        self._channel = channel
        self._asked = asked
        self._clock = clock
        self._shown = shown
        self._living: Living | None = None

    @property
    def latest(self) -> Reply | None:
        return self._living.latest if self._living else None

    async def send(self, reply: Reply) -> str:
        def draw(message: int) -> Drawn:
            return self._drawing.draw(reply, self._channel.id, message)

        sent = await send(self._channel, draw, self._asked)
        pen = Pen(self._channel, sent.id, self._clock, shown=draw(sent.id).told)
        self._living = Living(self._drawing, pen, self._shown)
        self._living.latest = reply
        return str(sent.id)

    async def edit(self, reply_id: str, reply: Reply) -> None:
        if self._living is not None:
            await self._living.edit(reply_id, reply)


class PressChat(Living):
    """A button: what it changes is its own message; what is only for who pressed is whispered."""

    def __init__(
        self,
        drawing: Drawing,
        pen: Pen,
        interaction: discord.Interaction,
        shown: Shown,
        page: int = 0,
    ) -> None:
        super().__init__(drawing, pen, shown)
        self._interaction = interaction
        self._page = page

    async def send(self, reply: Reply) -> str:
        if not isinstance(reply, StatusReport):
            return await _whisper(self.drawing, self._interaction, reply)
        await self.show(replace(reply, page=self._page))
        return str(self.pen.message_id)


async def _whisper(drawing: Drawing, interaction: discord.Interaction, reply: Reply) -> str:
    drawn = drawing.draw(reply, interaction.channel_id or 0, 0)
    sent = await interaction.followup.send(
        embed=drawn.embed, ephemeral=True, allowed_mentions=NOBODY, wait=True
    )
    return str(sent.id)
