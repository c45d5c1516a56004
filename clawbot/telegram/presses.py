"""What a press of a button asks for. The message that has the button becomes the reply."""

import logging
from dataclasses import dataclass
from functools import partial

from telegram import CallbackQuery, MaybeInaccessibleMessage, Message, MessageEntity

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.crowd import ONE_AT_A_TIME, Crowd, goes_first
from clawbot.living_reply import LivingReply
from clawbot.parsing import Unreadable, parse
from clawbot.replies import Notice, Question
from clawbot.requests import Deploy, History, Request, Resume, Rollback, Status
from clawbot.seal import Seal
from clawbot.speaker import UNANSWERED
from clawbot.telegram import button_data
from clawbot.telegram.button_data import (
    ACTING,
    ANSWERS,
    OF_A_RUN,
    OVERRIDES,
    YES,
    SealedQuestion,
    TelegramAct,
    TelegramPress,
)
from clawbot.telegram.buttons import TelegramDrawing, image_id, offers
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.command import words
from clawbot.telegram.order import Slot
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.reply import TelegramMessage
from clawbot.telegram.speaker import PLATFORM, pressed
from fleet_control.caller import Human
from fleet_control.error import FleetError
from fleet_control.ledger import OVERRIDE, Operation
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

    async def too_old(
        self, query: CallbackQuery, message: MaybeInaccessibleMessage, shown: TelegramMessage
    ) -> None:
        """A press below a message that Telegram no longer shows."""
        by = partial(pressed, query.from_user, message, self.bot.settings)
        asks = await self.bot.speakers.ask(by, acts=False)
        asks.audit(f"press {query.data}")
        if self.chats.ours(message.chat, asks.caller):
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
        bot, press = self._to.bot, button_data.read(self._query.data or "")
        by = partial(pressed, self._query.from_user, self._message, bot.settings)
        asks = await bot.speakers.ask(by, acts=press is not None and press.act in ACTING)
        caller = asks.caller
        if caller is UNANSWERED:
            self._noted(asks)
        elif not self._to.chats.ours(self._message.chat, caller):
            self._noted(asks)
            await self._to.outbox.answer(self._query.id, NOT_OURS, alert=True)
            return
        else:
            self._shown.calls = isinstance(caller, Human)
            self._shown.first = goes_first(caller)
            if self._to.crowd.admits(caller, asks.account, self._slot.ended.is_set):
                await self._take(press, asks)
            else:
                await self._drop(asks)
        await self._shown.heard()

    async def _drop(self, asks: Ask) -> None:
        asks.audit(f"dropped: press {self._query.data}")
        if self._to.crowd.tells(asks.account):
            await self._reply.whisper(ONE_AT_A_TIME)

    async def _take(self, press: TelegramPress | None, asks: Ask) -> None:
        if press is None or press.act in OF_A_RUN:
            await self._of_run(press, asks)
        elif press.act in ANSWERS:
            await self._answer_question(press, asks)
        elif offers(press, self._label, _first_code(self._message)):
            await self._choose(press, asks)
        else:
            await self._refuse(asks, GONE)

    def _noted(self, asks: Ask) -> None:
        asks.audit(f"press {self._query.data}")

    async def _refuse(self, asks: Ask, why: Notice) -> None:
        """Anybody's own client can send any data below any message of ours, and whoever has our
        token can change what stands there."""
        self._noted(asks)
        log.warning(
            "telegram.foreign_button by=%s chat=%s request_id=%s",
            asks.account,
            asks.channel,
            asks.request_id,
        )
        await self._reply.whisper(why)

    async def _choose(self, press: TelegramPress, asks: Ask) -> None:
        match press.act, press.rest:
            case TelegramAct.ASK, (name,):
                await self._ask(asks, parse((name,)))
            case TelegramAct.STATUS, _:
                await self._ask(asks, Status(press.page + 1))
            case TelegramAct.HISTORY, (_, target):
                await self._ask(asks, History(target, press.page + 1))
            case TelegramAct.TARGETS, (_, *of):
                self._shown.number = press.page
                await self._ask(asks, Rollback() if of else Deploy())
            case TelegramAct.ROLLBACK, (target,):
                await self._ask(asks, Rollback(target))
            case TelegramAct.IMAGES, (target,):
                await self._shown.heard()
                await self._shown.draw(self._to.drawing.images(target, await self._status()))
            case TelegramAct.DEPLOY, (target, *image):
                await self._ask(asks, Deploy(target, *map(image_id, image[:1])))

    async def _ask(self, asks: Ask, request: Request | Unreadable) -> None:
        await self._to.bot.commands.answer(asks, request, self._reply)

    async def _of_run(self, press: TelegramPress | None, asks: Ask) -> None:
        run_id = button_data.run_of(press, self._to.seal, *self._seen) if press else None
        if press is None or run_id is None:
            await self._refuse(asks, GONE)
        elif press.act is TelegramAct.CANCEL:
            await self._to.bot.deploys.cancel(run_id, asks, self._reply)
        else:
            # What stands there stays, as the record of the run that stopped, or of the freeze.
            self._shown.leave()
            if press.act is TelegramAct.STOP:
                await self._to.bot.commands.stop(run_id, asks, self._reply)
            else:
                await self._ask(asks, Resume(run_id))

    async def _status(self) -> FleetStatus | None:
        try:
            return await self._to.bot.fleet.status()
        except FleetError as error:
            log.warning("telegram.status_unseen why=%s", error)
            return None

    async def _answer_question(self, press: TelegramPress, asks: Ask) -> None:
        asked = self._read_again(press)
        if asked is None:
            await self._refuse(asks, ASK_AGAIN)
            return
        await self._to.bot.confirmation.answer(
            _question(asked, press.act), asks, self._reply, yes=press.act in YES
        )

    def _read_again(self, press: TelegramPress) -> SealedQuestion | None:
        """What this answers, if the words that asked are still there and still the same."""
        if press.act.isupper():
            message, said = self._message, _first_code(self._message)
        elif self._message.reply_to_message and not self._message.reply_to_message.edit_date:
            message = self._message.reply_to_message
            said = message.text or ""
        else:
            return None
        place = (str(self._message.chat.id), str(message.message_id))
        asked = button_data.opened(press, self._to.seal, place, words(said), *self._seen)
        return asked if asked and 2 <= len(asked.words) <= 3 else None

    @property
    def _label(self) -> str:
        return button_data.label_of(self._message, self._query.data)

    @property
    def _seen(self) -> tuple[str, str]:
        """What the button says, and what can be read in its message."""
        return self._label, button_data.legible_in(self._message)


def _question(asked: SealedQuestion, act: TelegramAct) -> Question:
    """The question, as far as an answer needs it."""
    name, target, *image_or_commit = asked.words
    return Question(
        target=target,
        image_or_commit=image_or_commit[0] if image_or_commit else "",
        asker=f"{PLATFORM}:{asked.asker}",
        asked=asked.place[1],
        expires=asked.until,
        operation=name if name in list(Operation) else Operation.DEPLOY,
        override=OVERRIDE if act in OVERRIDES else "",
        plan=asked.plan,
    )


def _first_code(message: Message) -> str:
    for entity in message.entities:
        if entity.type == MessageEntity.CODE:
            return message.parse_entity(entity)
    return ""
