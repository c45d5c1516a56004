"""What a press of a button asks for. The message that has the button becomes the reply."""

import logging
from dataclasses import dataclass, replace

from telegram import CallbackQuery, Chat, Message, MessageEntity

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.commands import Deploy, Request, Status, Unreadable, parse
from clawbot.crowd import ONE_AT_A_TIME, Crowd, goes_first
from clawbot.living_reply import LivingReply
from clawbot.replies import Notice, Question
from clawbot.seal import Seal
from clawbot.telegram import buttons
from clawbot.telegram.buttons import (
    ACTING,
    ANSWERS,
    YES,
    SealedQuestion,
    TelegramAct,
    TelegramDrawing,
    TelegramPress,
    image_id,
)
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.command import words
from clawbot.telegram.order import Slot
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.reply import TelegramMessage
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
from fleet_control.status import FleetStatus

TOO_OLD = Notice(("That message is too old for me to read. Ask again.",))
ASK_AGAIN = Notice(("What was asked has been changed or deleted since. Ask again.",))
GONE = Notice(("That button is gone. Use those that are there now.",))
NOT_OURS = "This chat is not one of the fleet's."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presses:
    """Takes the presses of one bot's buttons."""

    bot: Bot
    outbox: Outbox
    drawing: TelegramDrawing
    seal: Seal
    chats: FleetChats
    crowd: Crowd

    async def too_old(self, query: CallbackQuery, chat: Chat, shown: TelegramMessage) -> None:
        """A press below a message that Telegram no longer shows."""
        user = query.from_user
        caller = person(user, self.bot.settings, await registry_for(user, self.bot))
        if self.chats.ours(chat, caller):
            await shown.whisper(TOO_OLD)
        else:
            await self.outbox.answer(query.id, NOT_OURS, alert=True)


class OnePress:
    """One press of a button of ours, below `message`.

    That message's id is also the ask's, so that however often it is pressed, it asks for one
    deploy. A press has no date, and may come long after; only a yes begins anything, and that ends
    in time.
    """

    def __init__(
        self,
        to: Presses,
        query: CallbackQuery,
        message: Message,
        shown: TelegramMessage,
        reply: LivingReply,
        slot: Slot,
    ) -> None:
        self._to = to
        self._query = query
        self._message = message
        self._shown = shown
        self._reply = reply
        self._slot = slot

    async def answer(self) -> None:
        """Do what the button stands for, and stay until that is done."""
        press = buttons.read(self._query.data or "")
        user = self._query.from_user
        acts = press is not None and press.act in ACTING
        registry = await registry_for(user, self._to.bot, acts=acts)
        caller = person(user, self._to.bot.settings, registry)
        if press is not None and caller is not None:
            if not self._to.chats.ours(self._message.chat, caller):
                await self._to.outbox.answer(self._query.id, NOT_OURS, alert=True)
                return
            self._shown.calls = isinstance(caller, Human)
            self._shown.first = goes_first(caller)
            if not self._to.crowd.admits(caller, account(user), self._slot.ended.is_set):
                await self._drop(account(user))
            elif acts and doubted(caller, registry):
                await self._reply.whisper(DOUBTED)
            else:
                await self._take(press, caller)
        await self._shown.heard()

    async def _drop(self, who: str) -> None:
        log.info("telegram.dropped user=%s", who)
        if self._to.crowd.tells(who):
            await self._reply.whisper(ONE_AT_A_TIME)

    async def _take(self, press: TelegramPress, caller: Caller) -> None:
        if press.act in ANSWERS:
            await self._answer_question(press, caller)
        elif not _offers(self._message, self._query.data):
            # Anybody's own client can send any data below any message of ours.
            await self._reply.whisper(GONE)
        else:
            await self._choose(press, caller)

    async def _choose(self, press: TelegramPress, caller: Caller) -> None:
        match press.act, press.rest:
            case TelegramAct.ASK, (name,):
                await self._ask(caller, parse((name,)))
            case TelegramAct.STATUS, _:
                await self._ask(caller, Status(press.page + 1))
            case TelegramAct.TARGETS, _:
                self._shown.number = press.page
                await self._ask(caller, Deploy())
            case TelegramAct.IMAGES, (target,) if is_target(target):
                await self._shown.heard()
                await self._shown.draw(self._to.drawing.images(target, await self._status()))
            case TelegramAct.DEPLOY, (target, *image):
                await self._ask(caller, Deploy(target, *map(image_id, image[:1])))
            case TelegramAct.CANCEL, _:
                await self._cancel(press, caller)

    async def _ask(self, caller: Caller, request: Request | Unreadable) -> None:
        asks = replace(self._asks(caller), pressed=True)
        await self._to.bot.commands.answer(asks, request, self._reply)

    async def _cancel(self, press: TelegramPress, caller: Caller) -> None:
        run_id = buttons.cancelled(press, self._to.seal)
        if run_id is None:
            await self._reply.whisper(GONE)
            return
        await self._to.bot.deploys.cancel(run_id, self._asks(caller), self._reply)

    async def _status(self) -> FleetStatus | None:
        try:
            return await self._to.bot.fleet.status()
        except FleetError as error:
            log.warning("telegram.status_unseen why=%s", error)
            return None

    async def _answer_question(self, press: TelegramPress, caller: Caller) -> None:
        asked = self._read_again(press)
        if asked is None:
            await self._reply.whisper(ASK_AGAIN)
            return
        await self._to.bot.confirmation.answer(
            _question(asked), self._asks(caller), self._reply, yes=press.act in YES
        )

    def _read_again(self, press: TelegramPress) -> SealedQuestion | None:
        """What this answers, if the words that asked are still there and still the same."""
        if press.act in (TelegramAct.YES_TO_BUTTON, TelegramAct.NO_TO_BUTTON):
            message, said = self._message, _first_code(self._message)
        elif self._message.reply_to_message and not self._message.reply_to_message.edit_date:
            message = self._message.reply_to_message
            said = message.text or ""
        else:
            return None
        place = (str(self._message.chat.id), str(message.message_id))
        asked = buttons.opened(press, self._to.seal, place, words(said))
        return asked if asked and 2 <= len(asked.words) <= 3 else None

    def _asks(self, caller: Caller) -> Ask:
        return ask(caller, self._query.from_user, self._message)


def _question(asked: SealedQuestion) -> Question:
    """The question, as far as an answer needs it."""
    _, target, *image_or_commit = asked.words
    return Question(
        target=target,
        image_or_commit=image_or_commit[0] if image_or_commit else "",
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
