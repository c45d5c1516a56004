"""The bot in Telegram: each message and each press for us becomes an ask, once."""

import logging
from collections.abc import Awaitable
from math import inf
from typing import Any

from telegram import Bot as TelegramBot
from telegram import Message, Update

from clawbot.bot import Bot
from clawbot.commands import in_words, parse
from clawbot.in_flight import InFlight
from clawbot.living_reply import BEGUN_WITHIN_SECONDS, LivingReply, State
from clawbot.replies import Notice
from clawbot.seal import Seal
from clawbot.telegram.buttons import Origin, TelegramDrawing, text
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.command import has_slash, words
from clawbot.telegram.order import AnswerOrder, Slot
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.presses import OnePress, Presses
from clawbot.telegram.rate_limit import Limits, RateLimit
from clawbot.telegram.reply import TelegramMessage
from clawbot.telegram.speaker import PLATFORM, ask, author
from fleet_control.caller import BotInstance, Caller, Human, Unknown

# Whose deploy ended longer than this before we began has been called, or has looked. As long as a
# run waits for a new host: in the meantime a host that carries us is replaced.
CALLED_FOR_SECONDS = 900.0

TOO_OLD = Notice(("That reached me more than two minutes late: too old. Say it again.",))

log = logging.getLogger(__name__)


class TelegramFront:
    """One bot in one Telegram account. Nothing is left running once `close` has returned."""

    def __init__(self, bot: Bot, telegram: TelegramBot, limits: Limits | None = None) -> None:
        self.chats = FleetChats(bot.settings.telegram_chats)
        self._bot = bot
        self._began = bot.clock.now()
        rate_limit = RateLimit(bot.clock, limits or Limits())
        self._outbox = Outbox(telegram, bot.clock, rate_limit, self.chats)
        seal = Seal(bot.settings.aws_secret_access_key.get_secret_value())
        self._drawing = TelegramDrawing(seal, bot.clock)
        self._presses = Presses(bot, self._outbox, self._drawing, seal, self.chats)
        self._order = AnswerOrder()
        self._work = InFlight(_failed)

    async def hear(self, update: Update, _context: object = None) -> None:
        """A message that says `/fleet` to us; returns at once, the answer comes by itself."""
        message = update.message
        if message is None:
            return
        origin = Origin(message.chat.id, message.message_id)
        if not self._bot.once.first("message", *origin.place):
            return
        slot = self._order.take(origin.chat)
        to = self._message(origin, stands=False, slot=slot)
        reply = LivingReply(to, self._bot.clock, changed=self._work.moved)
        task = self._work.begin(
            self._answered(message, to, reply, slot), lambda: reply.left_to_successor
        )
        # One that was stopped before it began must not keep the next one waiting.
        task.add_done_callback(lambda _: slot.over())

    async def press(self, update: Update, _context: object = None) -> None:
        """A button of ours was pressed; returns at once."""
        query = update.callback_query
        if query is None or not self._bot.once.first("press", query.id) or not query.message:
            return
        origin = Origin(query.message.chat.id, query.message.message_id, by_button=True)
        to = self._message(origin, query=query.id)
        # The library makes a Message even of one that Telegram no longer shows.
        if not isinstance(query.message, Message) or not query.message.is_accessible:
            self._work.begin(self._presses.too_old(query, query.message.chat, to))
            return
        reply = LivingReply(to, self._bot.clock, State.SENT, self._work.moved)
        press = OnePress(self._presses, query, query.message, to, reply)
        self._work.begin(press.answer(), lambda: reply.left_to_successor)

    async def move(self, update: Update, _context: object = None) -> None:
        """A group of ours became a supergroup."""
        message = update.message
        if message is None:
            return
        if message.migrate_to_chat_id:
            self.chats.move(message.chat.id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id:
            self.chats.move(message.migrate_from_chat_id, message.chat.id)

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
            await self._answer(message, to, reply)
        finally:
            if not slot.ended.is_set():
                await slot.comes()
                slot.over()

    async def _answer(self, message: Message, to: TelegramMessage, reply: LivingReply) -> None:
        user, request = message.from_user, parse(words(message.text or ""))
        registry = await self._bot.speakers.registry()
        caller = author(message, self._bot.settings, registry)
        if user is None:
            log.info("telegram.ignored chat=%s message=%s", message.chat.id, message.message_id)
            return
        said = ask(caller, user, message, registry)
        if caller is None or (
            isinstance(caller, BotInstance) and not has_slash(message.text or "")
        ):
            said.audit(in_words(request))
            log.info("telegram.ignored chat=%s message=%s", message.chat.id, message.message_id)
            return
        if not self.chats.ours(message.chat, caller):
            said.audit(in_words(request))
            log.warning("telegram.not_our_chat chat=%s user=%s", message.chat.id, user.id)
            await self._strange(message, caller, reply)
            return
        # Whoever is Unknown is told that, however late.
        age = self._bot.clock.now() - message.date.timestamp()
        if age > BEGUN_WITHIN_SECONDS and not isinstance(caller, Unknown):
            said.audit(in_words(request))
            await reply.show(TOO_OLD)
            return
        to.calls_after = -inf if isinstance(caller, Human) else inf
        await self._bot.commands.answer(said, request, reply)

    async def _strange(self, message: Message, caller: Caller, reply: LivingReply) -> None:
        if message.chat.type == "private" and isinstance(caller, Human):
            told = f"`{caller.account}` is not among CLAWBOT_OPERATORS, so I don't talk here."
            await reply.show(Notice((told, "In the fleet's groups I answer everyone.")))

    def _left_in(self, channel: str, reply: str) -> LivingReply | None:
        if not (channel.removeprefix("-").isdecimal() and reply.isdecimal()):
            return None
        to = self._message(Origin(self.chats.now(int(channel)), int(reply)))
        # An edit may change no more than our wording: that alone is nothing to call for.
        to.calls_after = self._began - CALLED_FOR_SECONDS
        return LivingReply(to, self._bot.clock, State.SENT)

    def _message(self, origin: Origin, **where: Any) -> TelegramMessage:
        return TelegramMessage(self._outbox, self._drawing, self._bot.clock, origin, **where)


def _failed(error: BaseException) -> None:
    log.error("telegram.not_answered", exc_info=error)
