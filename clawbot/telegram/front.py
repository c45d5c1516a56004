"""The bot in Telegram: each message and each press for us becomes an ask, once."""

import logging
from collections.abc import Awaitable, Callable

from telegram import Bot as TelegramBot
from telegram import Message, Update

from clawbot.bot import Bot
from clawbot.commands import acts, parse
from clawbot.dispatch import REMEMBERED_SECONDS
from clawbot.in_flight import InFlight
from clawbot.recent import Recent
from clawbot.replies import Deploying, Notice, Reply, refused
from clawbot.seal import Seal
from clawbot.telegram.command import words
from clawbot.telegram.drawing import Drawing, Origin, text
from clawbot.telegram.living import TOO_OLD_SECONDS, Conversation, Living
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.pace import Limits, Pace
from clawbot.telegram.place import Places
from clawbot.telegram.predecessor import Predecessor
from clawbot.telegram.pressing import Pressed, Pressing
from clawbot.telegram.speaker import DOUBTED, PLATFORM, ask, author, doubted, registry_for
from clawbot.telegram.turn import Turn, Turns
from fleet_control.caller import Caller, Human, Unknown
from fleet_control.policy import Facts, Refused, judge

# Whose deploy ended longer than this before we began has been called, or has looked. As long as a
# run waits for a new host: in the meantime a host that carries us is replaced.
CALLED_FOR_SECONDS = 900.0

log = logging.getLogger(__name__)


class Front:
    """One bot in one Telegram account. Nothing is left running once `close` has returned."""

    def __init__(self, bot: Bot, telegram: TelegramBot, limits: Limits | None = None) -> None:
        self.places = Places(bot.settings.telegram_chats)
        self._bot = bot
        self._began = bot.clock.now()
        self._outbox = Outbox(telegram, bot.clock, Pace(bot.clock, limits or Limits()), self.places)
        seal = Seal(bot.settings.aws_secret_access_key.get_secret_value())
        self._drawing = Drawing(seal, bot.clock)
        self._predecessor = Predecessor(bot)
        self._pressing = Pressing(
            bot, self._outbox, self._drawing, seal, self.places, self._predecessor
        )
        self._turns = Turns()
        self._heard = Recent(bot.clock, REMEMBERED_SECONDS)
        self._work = InFlight(_failed)

    async def hear(self, update: Update, _context: object = None) -> None:
        """A message that says `/fleet` to us; returns at once, the answer comes by itself."""
        message = update.message
        if message is None or not self._heard.add((message.chat.id, message.message_id)):
            return
        turn = self._turns.take(message.chat.id)
        origin = Origin(message.chat.id, message.message_id)
        living = self._living(origin.chat, answers=message.message_id)
        conversation = Conversation(
            living, self._drawing, origin, turn=turn, shown=self._work.moved
        )
        task = self._work.begin(
            self._answered(message, conversation, turn), lambda: conversation.left
        )
        # One that was stopped before it began must not keep the next one waiting.
        task.add_done_callback(lambda _: turn.over())

    async def press(self, update: Update, _context: object = None) -> None:
        """A button of ours was pressed; returns at once."""
        query = update.callback_query
        if query is None or not self._heard.add(query.id):
            return
        # The library makes a Message even of one that Telegram no longer shows.
        if not isinstance(query.message, Message) or not query.message.is_accessible:
            if query.message is not None:
                chat = query.message.chat
                self._work.begin(self._pressing.too_old(query, chat, self._living(chat.id)))
            return
        origin = Origin(query.message.chat.id, query.message.message_id, by_button=True)
        living = self._living(origin.chat, message=origin.message)
        pressed = Pressed(self._pressing, query, query.message, living, self._work.moved)
        self._work.begin(pressed.answered(), lambda: pressed.left)

    async def move(self, update: Update, _context: object = None) -> None:
        """A group of ours became a supergroup."""
        message = update.message
        if message is None:
            return
        if message.migrate_to_chat_id:
            self.places.move(message.chat.id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id:
            self.places.move(message.migrate_from_chat_id, message.chat.id)

    async def resume(self) -> None:
        """Finish the replies that a predecessor left."""
        async for left in self._bot.dispatcher.resume(PLATFORM, self._show_in):
            for reply in left:
                self.beside(reply)

    async def announce(self, line: str) -> None:
        """Say something in each of the fleet's groups; returns at once."""
        for chat in self.places.ids:
            self.beside(self._outbox.send(chat, text(line)))

    def beside(self, doing: Awaitable[object]) -> None:
        """Do this until it is over or `close` is called, which does not wait for it."""
        self._work.begin(doing, lambda: True)

    async def close(self) -> None:
        """Answer what was heard; leave the deploys that a successor will find in the ledger."""
        await self._work.close()

    async def _answered(self, message: Message, conversation: Conversation, turn: Turn) -> None:
        try:
            await self._answer(message, conversation)
        finally:
            if not turn.ended.is_set():
                await turn.comes()
                turn.over()

    async def _answer(self, message: Message, conversation: Conversation) -> None:
        user, request = message.from_user, parse(words(message.text or ""))
        registry = await registry_for(user, self._bot, acts=acts(request))
        caller = author(message, self._bot.settings, registry)
        if caller is None or user is None:
            log.info("telegram.ignored chat=%s message=%s", message.chat.id, message.message_id)
            return
        if not self.places.ours(message.chat, caller):
            log.warning("telegram.not_our_chat chat=%s user=%s", message.chat.id, user.id)
            await self._strange(message, caller, conversation)
            return
        objection = self._objection(message, caller)
        if objection is not None:
            await conversation.send(objection)
            return
        if acts(request) and doubted(caller, registry):
            await conversation.send(DOUBTED)
            return
        conversation.calls = isinstance(caller, Human)
        asks = ask(caller, user, message.chat.id, str(message.message_id))
        if acts(request) and await self._predecessor.asked(asks, message.date):
            log.info("telegram.asked_before request_id=%s", asks.request_id(self._bot.settings.bot))
            return
        await self._bot.commands.answer(asks, request, conversation)

    def _objection(self, message: Message, caller: Caller) -> Reply | None:
        age = self._bot.clock.now() - message.date.timestamp()
        if isinstance(caller, Unknown):
            verdict = judge(caller, "", "", Facts())
            assert isinstance(verdict, Refused)  # noqa: S101  (the policy's first row)
            return refused(verdict.message, verdict.code)
        if age > TOO_OLD_SECONDS:
            return Notice(("That reached me more than two minutes late: too old. Say it again.",))
        return None

    async def _strange(self, message: Message, caller: Caller, to: Conversation) -> None:
        if message.chat.type == "private" and isinstance(caller, Human):
            told = f"`{caller.account}` is not among CLAWBOT_OPERATORS, so I don't talk here."
            await to.send(Notice((told, "In the fleet's groups I answer everyone.")))

    def _show_in(self, channel: str, reply: str) -> Callable[[Reply], Awaitable[None]] | None:
        if not (channel.removeprefix("-").isdecimal() and reply.isdecimal()):
            return None
        origin = Origin(self.places.now(int(channel)), int(reply))
        living = self._living(origin.chat, message=origin.message)
        conversation = Conversation(living, self._drawing, origin)

        async def show(what: Reply) -> None:
            # An edit may change no more than our wording: that alone is nothing to call for.
            conversation.calls = _ended(what) > self._began - CALLED_FOR_SECONDS
            await conversation.edit(reply, what)

        return show

    def _living(self, chat: int, *, message: int = 0, answers: int | None = None) -> Living:
        return Living(self._outbox, self._bot.clock, chat, message=message, answers=answers)


def _ended(reply: Reply) -> float:
    """When a deploy ended, in Unix seconds; infinite where that is not known, or yet to come."""
    if isinstance(reply, Deploying) and reply.progress.took:
        return reply.progress.began + reply.progress.took
    return float("inf")


def _failed(error: BaseException) -> None:
    log.error("telegram.not_answered", exc_info=error)
