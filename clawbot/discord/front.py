"""The cog: what Discord tells it becomes asks; everything else is in `Commands`."""

import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.commands import OptionKind
from clawbot.discord import acknowledgement, buttons
from clawbot.discord.absence import Absence
from clawbot.discord.buttons import COG, DiscordAct, DiscordPress, FleetButton
from clawbot.discord.choices import Choices, Offer, OvertakenChoices
from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.guild import CHANGES, GuildWatch
from clawbot.discord.mentions import Mentions
from clawbot.discord.places import Places
from clawbot.discord.registration import Asking, register, slash_command
from clawbot.discord.reply import DiscordMessage, made
from clawbot.discord.rights import fleet_rights, rights
from clawbot.discord.served import Served, places
from clawbot.discord.speaker import Addressed, acted, addressed, wrote
from clawbot.discord.unasked import Unasked
from clawbot.in_flight import InFlight
from clawbot.living_reply import BEGUN_WITHIN_SECONDS, LivingReply, State
from clawbot.parsing import Unreadable, acts, in_words, is_asked, parse
from clawbot.readiness import FrontReadiness, unwatched
from clawbot.replies import refused, too_old
from clawbot.requests import Request, Resume
from clawbot.seal import Seal
from clawbot.speaker import UNANSWERED
from fleet_control.caller import Human
from fleet_control.error import FleetError

log = logging.getLogger(__name__)

FOREIGN = refused(
    "That button or its message is not one I made here, so I did nothing. Ask again.", "foreign"
)


class FleetCog(commands.Cog, name=COG):
    """`/fleet` in one guild. `told` hears when Discord is there with that guild and when not, and
    why it can't be served there; whatever that is, it is waited out. `alone` is whether all that is
    said to the client is said to us."""

    alone = True

    def __init__(self, client: commands.Bot, bot: Bot, told: FrontReadiness | None = None) -> None:
        self._client = client
        self._bot = bot
        self._settings = bot.settings
        self._clock = bot.clock
        self._told = told or unwatched("Discord")
        secret = bot.settings.aws_secret_access_key.get_secret_value()
        guild = bot.settings.discord_guild or 0
        self._drawing = DiscordDrawing(Seal(secret), bot.clock, bot.settings.bot, guild)
        self._choices = Choices(bot.fleet, bot.clock)
        self._mentions = Mentions(bot.commands, bot.clock)
        self._overtaken = OvertakenChoices(bot.clock)
        self._work = InFlight(_failed)
        self._served = Served(bot.settings)
        hear_missed = partial(self._hear, missed=True)
        self._absence = Absence(client, bot.clock, self._served.has, hear_missed)
        self._unasked = Unasked(client, bot, self._drawing, self._spawn)
        self._begun = False
        self._group = slash_command(self._asked, self._offered)
        self._guild = discord.Object(guild)
        self._watch = GuildWatch(
            client, bot.settings, bot.clock, self._told, self._serve, self._register
        )

    async def cog_load(self) -> None:
        self._client.add_dynamic_items(FleetButton)
        self._client.tree.add_command(self._group, guild=self._guild)
        for event in CHANGES:
            self._client.add_listener(self._changed, event)
        self._bot.preflight.ask(
            "Discord",
            partial(rights, self._client, self._settings, self._group),
            partial(fleet_rights, self._client, self._settings),
        )
        if self._client.is_ready():
            await self.on_ready()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Begin, once: Discord says that it is ready again after each session it lost."""
        if self._begun:
            if guild := self._client.get_guild(self._guild.id):
                self._spawn(self._absence.look(guild))
        else:
            self._begun = True
            self._spawn(self._watch.run())

    async def _changed(self, *_: object) -> None:
        self._watch.look_again()

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        self._told.hears(False)

    async def cog_unload(self) -> None:
        for event in CHANGES:
            self._client.remove_listener(self._changed, event)
        self._client.remove_dynamic_items(FleetButton)
        self._client.tree.remove_command(self._group.name, guild=self._guild)
        self._begun = True  # an `on_ready` that is on its way begins nothing any more
        await self._work.close()
        await self._choices.close()

    # -- commands --------------------------------------------------------------------------

    async def _asked(self, interaction: Asking, request: Request | Unreadable) -> None:
        if not self._served.has(interaction.guild_id, places(interaction)):
            return await self._elsewhere(interaction, in_words(request))
        self._absence.first(interaction.id)
        # Before anything slow. One that came too late, or was answered by another, ends here.
        begun = await acknowledgement.thinking(interaction)
        if begun is None:
            self._noted(interaction, in_words(request))
            return None
        reply = self._reply(places(interaction), message_id=begun, interaction=interaction)
        self._answer(self._answered(interaction, request, reply), reply)
        return None

    async def _answered(
        self, interaction: Asking, request: Request | Unreadable, reply: LivingReply
    ) -> None:
        ask = await self._ask(interaction, str(interaction.id), acts=acts(request))
        pressed = interaction.user.id in self._overtaken
        await self._bot.commands.answer(replace(ask, pressed=pressed), request, reply)

    async def _offered(self, interaction: Asking, kind: OptionKind, typed: str) -> None:
        found: list[Offer] = []
        if self._served.has(interaction.guild_id, places(interaction)):
            found = await self._choices.offers(kind, typed)
        await self._overtaken.send(interaction, found)

    # -- buttons ---------------------------------------------------------------------------

    async def press(self, interaction: discord.Interaction[Any], id_: str) -> None:
        """One of our buttons; what it means is in its id, and its mark says that we made it."""
        message, channel = interaction.message, interaction.channel_id
        if message is None or channel is None:
            return None
        if not self._served.has(interaction.guild_id, places(interaction)):
            return await self._elsewhere(interaction, f"press {id_}")
        if not await acknowledgement.heard(interaction, interaction.response.defer):
            self._noted(interaction, f"press {id_}")
            return None
        press = self._drawing.read(id_, channel, message)
        reply = self._reply(
            places(interaction), State.SENT, message_id=message.id, interaction=interaction
        )
        if press is None:
            asked = self._noted(interaction, f"press {id_}")
            log.warning(
                "discord.foreign_button by=%s channel=%s request_id=%s",
                interaction.user.id,
                channel,
                asked.request_id,
            )
            await reply.whisper(FOREIGN)
        else:
            self._answer(self._pressed(press, interaction, reply), reply)
        return None

    async def _pressed(
        self, press: DiscordPress, interaction: discord.Interaction[Any], reply: LivingReply
    ) -> None:
        match press.act:
            case act if act.reads:
                ask = await self._ask(interaction, str(interaction.id), acts=False)
                await self._bot.commands.answer(ask, buttons.read_again(press), reply)
            case DiscordAct.CANCEL:
                ask = await self._ask(interaction, reply.id, acts=True)
                await self._bot.deploys.cancel(int(press.what), ask, reply)
            case DiscordAct.RESUME | DiscordAct.STOP:
                ask = await self._ask(interaction, str(interaction.id), acts=True)
                answers = int(reply.id)
                # The old reply stays, as the record of the run that stopped, or of the freeze.
                reply = self._reply(
                    places(interaction), State.SENT, answers=answers, interaction=interaction
                )
                if press.act is DiscordAct.STOP:
                    await self._bot.commands.stop(int(press.what), ask, reply)
                else:
                    await self._bot.commands.answer(ask, Resume(int(press.what)), reply)
            case DiscordAct.YES | DiscordAct.OVERRIDE | DiscordAct.NO:
                question = buttons.question(press)
                yes = press.act is not DiscordAct.NO
                ask = await self._ask(interaction, question.asked, acts=yes)
                await self._bot.confirmation.answer(question, ask, reply, yes=yes)

    # -- messages --------------------------------------------------------------------------

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if self._absence.first(message.id):
            await self._hear(message)

    async def _hear(self, message: discord.Message, *, missed: bool = False) -> None:
        """A message; what was missed may be too old, or known to the ledger."""
        me = self._client.user
        if me is None or message.author.id == me.id or message.guild is None:
            return
        said = addressed(message, me.id)
        if said is None or not (said.named or await self._for_us(message, said)):
            return
        where = message.channel.id, getattr(message.channel, "parent_id", None)
        if not self._served.has(message.guild.id, where):
            if said.named:
                asks = wrote(message, self._settings, self._bot.speakers.known)
                asks.audit(in_words(parse(said.words)))
            return
        reply = self._reply(where, answers=message.id)
        self._answer(self._heard(message, said, reply, missed=missed), reply)

    async def _for_us(self, message: discord.Message, said: Addressed) -> bool:
        """Whether words without `/fleet` are: no program's, and no other command of this client."""
        if message.author.bot or (await self._client.get_context(message)).valid:
            return False
        return self.alone or is_asked(said.words)

    async def _heard(
        self, message: discord.Message, said: Addressed, reply: LivingReply, *, missed: bool
    ) -> None:
        request = parse(said.words)
        by = partial(wrote, message, self._settings)
        asks = await self._bot.speakers.ask(by, acts=acts(request))
        if not (isinstance(asks.caller, Human) or (said.named and asks.caller is not UNANSWERED)):
            asks.audit(in_words(request))
            log.info(
                "discord.not_heard author=%s webhook=%s", message.author.id, message.webhook_id
            )
            return
        if missed:
            asks = replace(asks, said=made(message.id))
        if missed and self._clock.now() - asks.said > BEGUN_WITHIN_SECONDS:
            asks.audit(in_words(request))
            await reply.show(too_old(self._bot.api.ahead))
        else:
            await self._mentions.answer(asks, request, reply)

    # -- beginning -------------------------------------------------------------------------

    def _serve(self) -> None:
        self._spawn(self._choices.begin())
        self._unasked.begin()
        if guild := self._client.get_guild(self._guild.id):
            self._spawn(self._absence.look(guild))

    async def _register(self, guild: discord.Guild) -> None:
        await register(self._client, self._group, self._client.tree, guild.id, self._clock)

    # -- what all of them need -------------------------------------------------------------

    def _reply(
        self, where: tuple[int | None, int | None], state: State = State.UNSENT, **message: Any
    ) -> LivingReply:
        """In the channel, or the thread and its channel, where something was asked."""
        made_there = DiscordMessage(self._drawing, self._places(*where), self._clock, **message)
        return LivingReply(made_there, self._clock, state, self._work.moved)

    async def _ask(self, interaction: discord.Interaction[Any], asked: str, *, acts: bool) -> Ask:
        by = partial(acted, interaction, asked, self._settings)
        return await self._bot.speakers.ask(by, acts=acts)

    def _noted(self, interaction: discord.Interaction[Any], what: str) -> Ask:
        """The audit line of what is not answered further."""
        ask = acted(interaction, str(interaction.id), self._settings, self._bot.speakers.known)
        ask.audit(what)
        return ask

    def _places(self, channel: int | None, parent: int | None = None) -> Places:
        return Places(self._client, self._settings.discord_guild, channel or 0, parent)

    async def _elsewhere(self, interaction: discord.Interaction[Any], what: str) -> None:
        self._noted(interaction, what)
        await self._served.refuse(interaction)

    def _spawn(self, doing: Awaitable[object]) -> None:
        """Beside what people ask; nobody waits for it."""
        self._work.begin(doing, lambda: True)

    def _answer(self, doing: Awaitable[object], reply: LivingReply) -> None:
        self._work.begin(doing, lambda: reply.left_to_successor)


def _failed(error: BaseException) -> None:
    if isinstance(error, discord.HTTPException | FleetError):
        log.warning("discord.reply_lost why=%s", error)
    else:
        log.error("discord.broken", exc_info=error)
