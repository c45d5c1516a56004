"""The cog: what Discord tells it becomes asks; everything else is in `Commands`."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord
from discord.ext import commands

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.commands import OptionKind, Request, Status, parse
from clawbot.discord import acknowledgement, buttons
from clawbot.discord.buttons import COG, DiscordAct, DiscordDrawing, DiscordPress, FleetButton
from clawbot.discord.choices import Offer, QuickStatus, offers
from clawbot.discord.guild import found
from clawbot.discord.mentions import Mentions
from clawbot.discord.predecessor import PredecessorsMessage
from clawbot.discord.registration import Asking, register, slash_command
from clawbot.discord.reply import NOBODY, DiscordMessage
from clawbot.discord.retry import DiscordAway
from clawbot.discord.speaker import PLATFORM, account, addressed, author, person
from clawbot.front import Unserved
from clawbot.in_flight import InFlight
from clawbot.living_reply import LivingReply, State
from clawbot.readiness import Hears, ignored
from clawbot.replies import refused
from clawbot.seal import Seal
from fleet_control.caller import Caller
from fleet_control.error import RegistryError
from fleet_control.registry import Registry

log = logging.getLogger(__name__)

Told = Callable[[Unserved], Awaitable[None]]


async def _logged(trouble: Unserved) -> None:
    log.error("discord.not_served why=%s", trouble)


class FleetCog(commands.Cog, name=COG):
    """`/fleet` in one guild. `on_trouble` hears why it can't be served there, in a sentence, and
    `hears` when Discord is there with that guild, and when not."""

    def __init__(
        self,
        client: commands.Bot,
        bot: Bot,
        on_trouble: Told = _logged,
        hears: Hears = ignored,
    ) -> None:
        self._client = client
        self._bot = bot
        self._settings = bot.settings
        self._clock = bot.clock
        self._on_trouble = on_trouble
        self._hears = hears
        secret = bot.settings.aws_secret_access_key.get_secret_value()
        self._drawing = DiscordDrawing(Seal(secret), bot.clock, bot.settings.bot)
        self._quick_status = QuickStatus(bot.fleet, bot.clock)
        self._mentions = Mentions(bot.commands, bot.clock)
        self._work = InFlight(_failed)
        self._begun = False
        self._group = slash_command(self._asked, self._offered)
        self._guild = discord.Object(bot.settings.discord_guild or 0)

    async def cog_load(self) -> None:
        self._client.add_dynamic_items(FleetButton)
        self._client.tree.add_command(self._group, guild=self._guild)
        if self._client.is_ready():
            await self.on_ready()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Begin, once: Discord says that it is ready again after each session it lost."""
        if self._begun:
            self._hears(True)
        else:
            self._begun = True
            self._spawn(self._begin())

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        self._hears(True)

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        self._hears(False)

    async def cog_unload(self) -> None:
        self._client.remove_dynamic_items(FleetButton)
        self._client.tree.remove_command(self._group.name, guild=self._guild)
        self._begun = True  # an `on_ready` that is on its way begins nothing any more
        await self._work.close()
        await self._quick_status.close()

    # -- commands --------------------------------------------------------------------------

    async def _asked(self, interaction: Asking, request: Request) -> None:
        if not self._served(interaction.guild_id, _places(interaction)):
            return await self._elsewhere(interaction)
        # Before anything slow. One that came too late, or was answered by another, ends here.
        begun = await acknowledgement.thinking(interaction)
        if begun is None:
            return None
        reply = self._reply(interaction.channel_id, message_id=begun, interaction=interaction)
        ask = self._ask(interaction, str(interaction.id))
        self._answer(self._bot.commands.answer(ask, request, reply), reply)
        return None

    async def _offered(self, interaction: Asking, kind: OptionKind, typed: str) -> list[Offer]:
        if not self._served(interaction.guild_id, _places(interaction)):
            return []
        known = self._bot.fleet.registry.last
        ids = known.registry.ids if known else ()
        return offers(kind, typed, await self._quick_status.status(), self._clock.now(), ids)

    # -- buttons ---------------------------------------------------------------------------

    async def press(self, interaction: discord.Interaction[Any], id_: str) -> None:
        """One of our buttons; what it means is in its id, and its mark says that we made it."""
        message, channel = interaction.message, interaction.channel_id
        if message is None or channel is None:
            return None
        if not self._served(interaction.guild_id, _places(interaction)):
            return await self._elsewhere(interaction)
        if not await acknowledgement.heard(interaction.response.defer):
            return None
        press = self._drawing.read(id_, channel, message.id)
        reply = self._reply(channel, State.SENT, message_id=message.id, interaction=interaction)
        if press is None:
            log.warning("discord.foreign_button by=%s channel=%s", interaction.user.id, channel)
            await reply.whisper(
                refused("That button is not one I made here. Ask again.", "foreign")
            )
        else:
            self._answer(self._pressed(press, interaction, reply), reply)
        return None

    async def _pressed(
        self, press: DiscordPress, interaction: discord.Interaction[Any], reply: LivingReply
    ) -> None:
        match press.act:
            case DiscordAct.STATUS:
                ask = self._ask(interaction, str(interaction.id), pressed=True)
                await self._bot.commands.answer(ask, Status(int(press.what) + 1), reply)
            case DiscordAct.CANCEL:
                ask = self._ask(interaction, reply.id)
                await self._bot.deploys.cancel(int(press.what), ask, reply)
            case DiscordAct.YES | DiscordAct.NO:
                question = buttons.question(press)
                ask = self._ask(interaction, question.asked)
                yes = press.act is DiscordAct.YES
                await self._bot.confirmation.answer(question, ask, reply, yes=yes)

    # -- messages --------------------------------------------------------------------------

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        me = self._client.user
        if me is None or message.author.id == me.id or message.guild is None:
            return
        words = addressed(message.content, me.id)
        parent = getattr(message.channel, "parent_id", None)
        if words is None or not self._served(message.guild.id, (message.channel.id, parent)):
            return
        registry = await self._registry() if message.author.bot else None
        caller = author(message, self._settings, registry)
        if caller is None:
            log.info(
                "discord.not_heard author=%s webhook=%s", message.author.id, message.webhook_id
            )
            return
        ask = self._said(caller, message.author, message.channel.id, str(message.id))
        reply = self._reply(message.channel.id, answers=message.id)
        self._answer(self._mentions.answer(ask, parse(words), reply), reply)

    async def _registry(self) -> Registry | None:
        try:
            return (await self._bot.fleet.registry.get()).registry
        except RegistryError as error:
            log.warning("discord.speaker_unknown why=%s", error)
            return None

    # -- beginning -------------------------------------------------------------------------

    async def _begin(self) -> None:
        try:
            guild = await found(self._client, self._settings, self._clock)
            self._hears(True)
            self._spawn(self._quick_status.status())  # so that the first choices need not wait
            self._spawn(self._finish_left())
            await register(self._client, self._group, self._client.tree, guild.id, self._clock)
        except Unserved as trouble:
            return await self._on_trouble(trouble)
        log.info("discord.serving guild=%s bot=%s", guild.id, self._settings.bot)
        return None

    async def _finish_left(self) -> None:
        async for left in self._bot.deploys.resume(PLATFORM, self._left_in):
            for finishing in left:
                self._spawn(finishing)

    def _left_in(self, channel: str, reply: str) -> LivingReply | None:
        if not (channel.isdecimal() and reply.isdecimal()):
            return None
        there, message = self._channel(int(channel)), int(reply)
        left = PredecessorsMessage(self._drawing, there, self._clock, message_id=message)
        return LivingReply(left, self._clock, State.SENT)

    # -- what all of them need -------------------------------------------------------------

    def _reply(self, channel: int | None, state: State = State.UNSENT, **where: Any) -> LivingReply:
        message = DiscordMessage(self._drawing, self._channel(channel or 0), self._clock, **where)
        return LivingReply(message, self._clock, state, self._work.moved)

    def _ask(
        self,
        interaction: discord.Interaction[Any],
        asked: str,
        *,
        pressed: bool = False,
    ) -> Ask:
        caller, channel = person(interaction.user, self._settings), interaction.channel_id or 0
        ask = self._said(caller, interaction.user, channel, asked)
        return replace(ask, pressed=pressed)

    def _said(
        self,
        caller: Caller,
        user: discord.User | discord.Member,
        channel: int,
        asked: str,
    ) -> Ask:
        who = account(user)
        return Ask(caller, PLATFORM, str(channel), asked, who, user.display_name)

    def _channel(self, id_: int) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(id_, guild_id=self._settings.discord_guild)

    def _served(self, guild: int | None, places: tuple[int | None, ...]) -> bool:
        """Whether we answer there; a thread counts as its channel."""
        listed = self._settings.discord_channels
        return guild == self._settings.discord_guild and (
            not listed or any(place in listed for place in places)
        )

    async def _elsewhere(self, interaction: discord.Interaction[Any]) -> None:
        places = ", ".join(f"<#{channel}>" for channel in self._settings.discord_channels[:10])
        text = f"I answer in {places}." if places else "I serve another guild."
        await acknowledgement.heard(
            lambda: interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)
        )

    def _spawn(self, doing: Awaitable[object]) -> None:
        """Beside what people ask; nobody waits for it."""
        self._work.begin(doing, lambda: True)

    def _answer(self, doing: Awaitable[object], reply: LivingReply) -> None:
        self._work.begin(doing, lambda: reply.left_to_successor)


def _failed(error: BaseException) -> None:
    if isinstance(error, discord.HTTPException | DiscordAway):
        log.warning("discord.reply_lost why=%s", error)
    else:
        log.error("discord.broken", exc_info=error)


def _places(interaction: discord.Interaction[Any]) -> tuple[int | None, ...]:
    return interaction.channel_id, getattr(interaction.channel, "parent_id", None)
