"""What a press of a button asks for, and whether it is the asker's own answer to it."""

import logging
from collections.abc import Callable

from telegram import CallbackQuery, Chat, Message, MessageEntity

from clawbot import wording
from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.commands import Deploy, Request, Status, Unreadable, acts, parse
from clawbot.dispatch import REMEMBERED_SECONDS
from clawbot.recent import Recent
from clawbot.replies import ANSWER_WITHIN_SECONDS, ASKED_ALREADY, Question, refused
from clawbot.seal import Seal
from clawbot.telegram import button
from clawbot.telegram.button import ACTING, ANSWERS, YES, Act, Asked, Press
from clawbot.telegram.command import words
from clawbot.telegram.drawing import Drawing, Origin, image_id
from clawbot.telegram.living import Conversation, Living, PressedConversation, Whisper
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.place import Places
from clawbot.telegram.predecessor import Predecessor
from clawbot.telegram.speaker import (
    DOUBTED,
    PLATFORM,
    account,
    ask,
    doubted,
    person,
    registry_for,
)
from fleet_control.caller import Caller, Human, is_target
from fleet_control.error import FleetError
from fleet_control.policy import Allowed, Refused
from fleet_control.status import FleetStatus

TOO_OLD = "That message is too old for me to read. Ask again."
ASK_AGAIN = "What was asked has been changed or deleted since. Ask again."
NOT_OURS = "This chat is not one of the fleet's."
ANSWERED = "That was answered already."
GONE = "That button is gone. Use those that are there now."
GO_AHEAD = "Shall I?"

log = logging.getLogger(__name__)


class Pressing:
    """Takes the presses of one bot's buttons."""

    def __init__(
        self,
        bot: Bot,
        outbox: Outbox,
        drawing: Drawing,
        seal: Seal,
        places: Places,
        predecessor: Predecessor,
    ) -> None:
        self.bot = bot
        self.outbox = outbox
        self.drawing = drawing
        self.seal = seal
        self.places = places
        self.predecessor = predecessor
        self.questions = Recent(bot.clock, REMEMBERED_SECONDS)

    async def too_old(self, query: CallbackQuery, chat: Chat, living: Living) -> None:
        """A press below a message that Telegram no longer shows."""
        user = query.from_user
        caller = person(user, self.bot.settings, await registry_for(user, self.bot))
        if self.places.ours(chat, caller):
            await Whisper(self.outbox, query.id, living).say(TOO_OLD)
        else:
            await self.outbox.answer(query.id, NOT_OURS, alert=True)


class Pressed:
    """One press. The message that has the button becomes the reply.

    Its id is also the ask's, so that however often it is pressed, it asks for one deploy. A press
    has no date, and may come long after; only a yes begins anything, and that ends in time.
    """

    def __init__(
        self,
        pressing: Pressing,
        query: CallbackQuery,
        message: Message,
        living: Living,
        shown: Callable[[], None],
    ) -> None:
        self._to = pressing
        self._query = query
        self._message = message
        self._living = living
        self._shown = shown
        self._whisper = Whisper(pressing.outbox, query.id, living)
        self._conversation: PressedConversation | None = None

    @property
    def left(self) -> bool:
        """Whether a successor would finish what came of it."""
        return self._conversation is not None and self._conversation.left

    async def answered(self) -> None:
        press = button.read(self._query.data or "")
        user = self._query.from_user
        acts = press is not None and press.act in ACTING
        registry = await registry_for(user, self._to.bot, acts=acts)
        caller = person(user, self._to.bot.settings, registry)
        if press is None or caller is None:
            await self._whisper.nothing()
        elif not self._to.places.ours(self._message.chat, caller):
            await self._to.outbox.answer(self._query.id, NOT_OURS, alert=True)
        elif acts and doubted(caller, registry):
            await self._whisper.say(*DOUBTED.lines)
        elif press.act in ANSWERS:
            await self._answer_question(press, caller)
        elif not _offers(self._message, self._query.data):
            # Anybody's own client can send any data below any message of ours.
            await self._whisper.say(GONE)
        else:
            await self._choose(press, caller)

    async def _choose(self, press: Press, caller: Caller) -> None:
        match press.act, press.rest:
            case Act.ASK, (name,):
                await self._ask(caller, parse((name,)))
            case Act.STATUS, _:
                await self._ask(caller, Status(press.page + 1))
            case Act.TARGETS, _:
                await self._ask(caller, Deploy(), press.page)
            case Act.IMAGES, (target,) if is_target(target):
                await self._whisper.nothing()
                await self._images(target)
            case Act.DEPLOY, (target, *image):
                await self._propose(caller, target, image_id(image[0]) if image else "")
            case Act.CANCEL, _:
                await self._cancel(caller, press)
            case _:
                await self._whisper.nothing()

    async def _propose(self, caller: Caller, target: str, version: str) -> None:
        """Ask for a yes to what the button stands for; its label may say anything else."""
        bot = self._to.bot
        verdict = await bot.fleet.judge(caller, target, version)
        match verdict:
            case Refused(code, message):
                log.info("fleet.refused code=%s by=%s", code, account(self._query.from_user))
                await self._talk(caller).send(refused(message, code))
            case Allowed(confirm="") if target:
                question = Question(
                    target=target,
                    version=version,
                    asker=account(self._query.from_user),
                    asked=str(self._message.message_id),
                    expires=bot.clock.now() + ANSWER_WITHIN_SECONDS,
                    why=f"{GO_AHEAD} {await self._as_of_now(version)}".rstrip(),
                )
                await self._talk(caller).send(question)
            case _:  # the commands' own question, or how to ask
                await self._ask(caller, Deploy(target, version))

    async def _ask(self, caller: Caller, request: Request | Unreadable, number: int = 0) -> None:
        asks = self._asks(caller, str(self._message.message_id))
        if acts(request) and await self._to.predecessor.asked(asks, self._message.date):
            await self._whisper.say(ASKED_ALREADY)
            return
        await self._to.bot.commands.answer(asks, request, self._talk(caller, number))

    async def _cancel(self, caller: Caller, press: Press) -> None:
        run_id = button.cancelled(press, self._to.seal)
        if run_id is None:
            await self._whisper.say(GONE)
            return
        asks = self._asks(caller, str(self._message.message_id))
        await self._to.bot.commands.cancel(run_id, asks, self._whisper)

    async def _as_of_now(self, version: str) -> str:
        status = await self._status()
        return wording.as_of_now(version, status, self._to.bot.clock.now()) if status else ""

    async def _images(self, target: str) -> None:
        await self._living.show(self._to.drawing.images(target, await self._status()))

    async def _status(self) -> FleetStatus | None:
        try:
            return await self._to.bot.fleet.status()
        except FleetError as error:
            log.warning("telegram.status_unseen why=%s", error)
            return None

    async def _answer_question(self, press: Press, caller: Caller) -> None:
        asked = self._read_again(press)
        if asked is None:
            await self._whisper.say(ASK_AGAIN)
            return
        question, talk = _question(asked), self._talk(caller)
        asks = self._asks(caller, question.asked)
        own = asks.account == question.asker
        if own and not self._to.questions.add(asked.place):
            await self._whisper.say(ANSWERED)
            return
        if own:
            await self._whisper.nothing()
        reply_id = str(self._message.message_id)
        if press.act not in YES:
            await self._to.bot.commands.decline(question, asks, talk, reply_id)
        elif own and await self._to.predecessor.asked(asks, self._message.date):
            log.info("telegram.confirmed_before asked=%s", question.asked)
        else:
            await self._to.bot.commands.confirm(question, asks, talk, reply_id)

    def _read_again(self, press: Press) -> Asked | None:
        """What this answers, if the words that asked are still there and still the same."""
        if press.act in (Act.YES_TO_BUTTON, Act.NO_TO_BUTTON):
            message, said = self._message, _first_code(self._message)
        elif self._message.reply_to_message and not self._message.reply_to_message.edit_date:
            message = self._message.reply_to_message
            said = message.text or ""
        else:
            return None
        place = (str(self._message.chat.id), str(message.message_id))
        asked = button.opened(press, self._to.seal, place, words(said))
        return asked if asked and 2 <= len(asked.words) <= 3 else None

    def _talk(self, caller: Caller, number: int = 0) -> PressedConversation:
        origin = Origin(self._message.chat.id, self._message.message_id, by_button=True)
        inner = Conversation(
            self._living, self._to.drawing, origin, number=number, shown=self._shown
        )
        inner.calls = isinstance(caller, Human)
        self._conversation = PressedConversation(
            inner, self._whisper, str(self._message.message_id)
        )
        return self._conversation

    def _asks(self, caller: Caller, asked: str) -> Ask:
        return ask(caller, self._query.from_user, self._message.chat.id, asked)


def _question(asked: Asked) -> Question:
    """The question, as far as an answer needs it."""
    _, target, *version = asked.words
    return Question(
        target=target,
        version=version[0] if version else "",
        asker=f"{PLATFORM}:{asked.asker}",
        asked=asked.place[1],
        expires=asked.until,
    )


def _offers(message: Message, data: str | None) -> bool:
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return any(one.callback_data == data for row in rows for one in row)


def _first_code(message: Message) -> str:
    for entity in message.entities:
        if entity.type == MessageEntity.CODE:
            return message.parse_entity(entity)
    return ""
