"""The bot in Telegram: each message and each press for us becomes an ask, once."""

import logging
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any

from telegram import Bot as TelegramBot
from telegram import Message, Update, User
from telegram.constants import ChatType
from telegram.error import TelegramError

from clawbot.bot import Bot
from clawbot.crowd import ONE_AT_A_TIME, Crowd, goes_first
from clawbot.in_flight import InFlight
from clawbot.living_reply import BEGUN_WITHIN_SECONDS, LivingReply, State
from clawbot.parsing import acts, in_words, parse
from clawbot.replies import Notice, too_old
from clawbot.seal import Seal
from clawbot.speaker import UNANSWERED
from clawbot.telegram.buttons import Origin, TelegramDrawing, text
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.command import has_slash, words
from clawbot.telegram.fleet_channel import TelegramFleetChannel
from clawbot.telegram.fleet_place import TelegramFleetPlace
from clawbot.telegram.heard import HeardUpdates
from clawbot.telegram.membership import rights
from clawbot.telegram.order import AnswerOrder, Slot
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.presses import OnePress, Presses
from clawbot.telegram.rate_limit import Limits, RateLimit
from clawbot.telegram.reply import TelegramMessage
from clawbot.telegram.speaker import PLATFORM, account, wrote
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.error import FleetError

log = logging.getLogger(__name__)


class TelegramFront:
    """One bot in one Telegram account. Nothing is left running once `close` has returned.

    Attributes:
        heard: the updates for which nothing was shown yet.
        fleet_channel: where the fleet is told of; None where none is named.
    """

    def __init__(self, bot: Bot, telegram: TelegramBot, limits: Limits | None = None) -> None:
        self.chats = FleetChats(bot.settings.telegram_chats)
        self.heard = HeardUpdates(bot.clock)
        self._bot = bot
        rate_limit = RateLimit(bot.clock, limits)
        self._outbox = Outbox(telegram, bot.clock, rate_limit, self.chats)
        seal = Seal(bot.settings.aws_secret_access_key.get_secret_value())
        self._drawing = TelegramDrawing(seal, bot.clock)
        self._crowd = Crowd(bot.clock)
        self._presses = Presses(bot, self._outbox, self._drawing, seal, self.chats, self._crowd)
        self._order = AnswerOrder()
        self._work = InFlight(_failed)
        self.fleet_channel = self._named_channel(telegram)
        sees_fleet = self.fleet_channel.place.check if self.fleet_channel else None
        bot.preflight.ask("Telegram", partial(rights, telegram, self.chats), sees_fleet)

    def _named_channel(self, telegram: TelegramBot) -> TelegramFleetChannel | None:
        settings = self._bot.settings
        named, calls = settings.telegram_fleet_chat, settings.telegram_fleet_calls
        if named is None:
            return None
        place = TelegramFleetPlace(telegram, self.chats, named, calls, self._drawing.names)
        said = (self._outbox, self._drawing, self._bot.clock, self.chats)
        return TelegramFleetChannel(*said, place, named, calls)

    async def hear(self, update: Update, _context: object = None) -> None:
        """A message that says `/fleet` to us; returns at once, the answer comes by itself."""
        message = update.message
        if message is None:
            return
        origin = Origin.of(message)
        if not self._bot.once.first("message", *origin.place):
            return
        asker = message.from_user.id if message.from_user else 0
        slot = self._order.take(origin.chat, asker, self._held(update, message.from_user))
        to = self._message(origin, stands=False, slot=slot)
        reply = LivingReply(to, self._bot.clock, changed=self._work.moved)
        task = self._work.begin(
            self._answered(message, to, reply, slot), lambda: reply.left_to_successor
        )
        task.add_done_callback(
            lambda task: self._stopped(task, update, slot, "message", *origin.place)
        )

    async def press(self, update: Update, _context: object = None) -> None:
        """A button of ours was pressed; returns at once."""
        query = update.callback_query
        if query is None or not self._bot.once.first("press", query.id) or not query.message:
            return
        origin = Origin.of(query.message, by_button=True)
        slot = Slot(shown=self._held(update, query.from_user))
        to = self._message(origin, query=query.id, slot=slot)
        reply = LivingReply(to, self._bot.clock, State.SENT, self._work.moved)
        # The library makes a Message even of one that Telegram no longer shows.
        if isinstance(query.message, Message) and query.message.is_accessible:
            answered = OnePress(self._presses, query, query.message, to, reply, slot).answer()
        else:
            answered = self._presses.too_old(query, query.message, to)
        task = self._work.begin(answered, lambda: reply.left_to_successor)
        task.add_done_callback(lambda task: self._stopped(task, update, slot, "press", query.id))

    def _held(self, update: Update, user: User | None) -> Callable[[], None]:
        """Keep an update from being forgotten until this is called."""
        first = user is not None and account(user) in self._bot.settings.operators
        self.heard.hold(update.update_id, first=first)
        return lambda: self.heard.shown(update.update_id)

    def _stopped(self, task: Future[object], update: Update, slot: Slot, *key: Hashable) -> None:
        """What was cut off before anything was shown is taken as new when it comes again."""
        if not task.cancelled():
            slot.over()
            return
        slot.give_way()  # or one that never began would keep the next one waiting
        if update.update_id in self.heard:
            self._bot.once.forget(*key)

    async def move(self, update: Update, _context: object = None) -> None:
        """A group of ours became a supergroup."""
        message = update.message
        if message is None:
            return
        if message.migrate_to_chat_id:
            self.chats.move(message.chat.id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id:
            self.chats.move(message.migrate_from_chat_id, message.chat.id)

    async def hear_of_topic(self, update: Update, _context: object = None) -> None:
        """A topic was closed, or opened again."""
        if update.message is not None and self.fleet_channel:
            self.fleet_channel.place.hear(update.message)

    def begin(self) -> None:
        """Do what nobody asks for: finish what a predecessor left, and tell the fleet's channel."""
        self.beside(self.resume())
        if self.fleet_channel:
            self.beside(self._tell_fleet(self.fleet_channel))

    async def _tell_fleet(self, channel: TelegramFleetChannel) -> None:
        await channel.place.begin(self._bot.clock)
        self.beside(self._bot.announcer(channel).run())
        self.beside(self._bot.watcher(channel).run())

    async def resume(self) -> None:
        """Finish the replies that a predecessor left."""
        async for left in self._bot.deploys.resume(PLATFORM, self._left_in):
            for reply in left:
                self.beside(reply)

    async def announce(self, line: str) -> None:
        """Say something in each of the fleet's groups; returns at once."""
        for chat in self.chats.ids:
            self.beside(self._outbox.send(chat, text(line)))

    def beside(self, doing: Awaitable[object]) -> None:
        """Do this until it is over or `close` is called, which does not wait for it."""
        self._work.begin(doing, lambda: True)

    async def close(self) -> None:
        """Answer what was heard; leave the deploys that a successor will find in the ledger."""
        await self._work.close()

    async def _answered(
        self, message: Message, to: TelegramMessage, reply: LivingReply, slot: Slot
    ) -> None:
        try:
            await self._answer(message, to, reply, slot)
        finally:
            if not slot.ended.is_set():
                await slot.comes()
                slot.give_way()

    async def _answer(
        self, message: Message, to: TelegramMessage, reply: LivingReply, slot: Slot
    ) -> None:
        user, request = message.from_user, parse(words(message.text or ""))
        if user is None:
            log.info("telegram.ignored chat=%s message_id=%s", message.chat.id, message.message_id)
            return
        by = partial(wrote, message, user, self._bot.settings)
        said = await self._bot.speakers.ask(by, acts=acts(request))
        caller = said.caller
        if caller is UNANSWERED or (
            isinstance(caller, BotInstance) and not has_slash(message.text or "")
        ):
            said.audit(in_words(request))
            log.info("telegram.ignored chat=%s message_id=%s", message.chat.id, message.message_id)
            return
        to.first = goes_first(caller)
        ours = self.chats.ours(message.chat, caller)
        if not ours:
            log.warning(
                "telegram.not_our_chat chat=%s user=%s request_id=%s",
                message.chat.id,
                user.id,
                said.request_id,
            )
            if message.chat.type != ChatType.PRIVATE:
                said.audit(in_words(request))
                return
        if not self._crowd.admits(caller, said.account, slot.ended.is_set):
            said.audit(f"dropped: {in_words(request)}")
            slot.done()
            if self._crowd.tells(said.account):
                await reply.show(ONE_AT_A_TIME)
            return
        if not ours:
            said.audit(in_words(request))
            await self._strange(caller, reply)
            return
        # Whoever is Unknown is told that, however late.
        age = self._bot.clock.now() - message.date.timestamp()
        if age > BEGUN_WITHIN_SECONDS and not isinstance(caller, Unknown):
            said.audit(in_words(request))
            await reply.show(too_old(self._bot.api.ahead))
            return
        to.calls = isinstance(caller, Human)
        await self._bot.commands.answer(said, request, reply)

    async def _strange(self, caller: Caller, reply: LivingReply) -> None:
        if isinstance(caller, Human):
            told = f"`{caller.account}` is not among CLAWBOT_OPERATORS, so I don't talk here."
            await reply.show(Notice((told, "In the fleet's groups I answer everyone.")))

    def _left_in(self, channel: str, asked: str, reply: str) -> LivingReply | None:
        numbers = (channel.removeprefix("-"), asked, reply)
        if not all(number.isdecimal() for number in numbers):
            return None
        origin = Origin(self.chats.now(int(channel)), int(asked))
        to = self._message(origin, left=int(reply))
        return LivingReply(to, self._bot.clock, State.SENT)

    def _message(self, origin: Origin, **where: Any) -> TelegramMessage:
        return TelegramMessage(self._outbox, self._drawing, self._bot.clock, origin, **where)


def _failed(error: BaseException) -> None:
    if isinstance(error, TelegramError | FleetError):
        log.warning("telegram.reply_lost why=%s", error)
    else:
        log.error("telegram.not_answered", exc_info=error)
