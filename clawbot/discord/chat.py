"""Where one ask came from in Discord: a command, a mention, or a button."""

import logging
import math
from collections.abc import Callable
from dataclasses import replace

import discord

from clawbot import wording
from clawbot.discord.away import Away, until_back
from clawbot.discord.drawing import Drawing, Drawn
from clawbot.discord.pen import NOBODY, Pen, made_up, send
from clawbot.discord.speaker import PLATFORM
from clawbot.replies import Deploying, Reply, StatusReport, is_final
from fleet_control.clock import Clock

# How long the first of a reply may take to be shown; what it announces does not begin before.
BEGUN_WITHIN_SECONDS = 120.0
# A ping that comes later than this calls nobody to anything new.
PING_WITHIN_SECONDS = 3600.0

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
        changed = await self.show(reply)
        if changed and isinstance(reply, Deploying) and is_final(reply):
            await self._tell_asker(reply)

    async def show(self, reply: Reply) -> bool:
        """Whether that was news; Away where Discord was, for as long as this reply matters."""
        channel = self.pen.channel.id
        changed = await self.pen.write(
            lambda message: self.drawing.draw(reply, channel, message),
            _matters(reply, begins=self.latest is None),
        )
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
        nonce = made_up()
        try:
            await until_back(
                self.pen.clock, lambda: self._ping(int(user), told, nonce), PING_WITHIN_SECONDS
            )
        except (discord.HTTPException, Away) as error:
            log.warning("discord.asker_not_told run=%s why=%s", seen.run_id, error)

    async def _ping(self, user: int, told: str, nonce: str) -> None:
        await self.pen.channel.send(
            told,
            reference=discord.MessageReference(
                message_id=self.pen.message_id,
                channel_id=self.pen.channel.id,
                fail_if_not_exists=False,
            ),
            allowed_mentions=discord.AllowedMentions(
                everyone=False,
                roles=False,
                users=[discord.Object(user)],
                replied_user=False,
            ),
            nonce=nonce,
        )


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
            return await _whisper(self.drawing, self._interaction, self.pen.clock, reply)
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

        nonce = made_up()
        sent = await until_back(
            self._clock,
            lambda: send(self._channel, draw, self._asked, nonce),
            _matters(reply, begins=True),
        )
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
            return await _whisper(self.drawing, self._interaction, self.pen.clock, reply)
        await self.show(replace(reply, page=self._page))
        return str(self.pen.message_id)


def _matters(reply: Reply, *, begins: bool) -> float:
    """For how many seconds it is worth trying to show this."""
    if is_final(reply) and not isinstance(reply, StatusReport):
        return math.inf  # nothing comes after it that would show it in passing
    return BEGUN_WITHIN_SECONDS if begins else 0.0


async def _whisper(
    drawing: Drawing, interaction: discord.Interaction, clock: Clock, reply: Reply
) -> str:
    embed = drawing.draw(reply, interaction.channel_id or 0, 0).embed

    async def whispered() -> discord.WebhookMessage:
        return await interaction.followup.send(
            embed=embed, ephemeral=True, allowed_mentions=NOBODY, wait=True
        )

    return str((await until_back(clock, whispered, BEGUN_WITHIN_SECONDS)).id)
