"""What we say to Telegram: at its pace, and again where network or flood control said no."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from clawbot.patience import CALL_AGAIN
from clawbot.telegram.buttons import DrawnText
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.markup import without_moments
from clawbot.telegram.rate_limit import RateLimit
from fleet_control.clock import Clock

# What Telegram takes neither now nor later: that message, or anything of ours there.
REFUSED = (BadRequest, Forbidden)
PATIENCE_SECONDS = 15 * 60.0
LONGEST_ANSWER = 200
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)
T = TypeVar("T")


class SentMessage(NamedTuple):
    """Where a message of ours is; `changed` is False where it read like that already, `topic` that
    of a new one."""

    chat: int
    message: int
    changed: bool = True
    topic: int | None = None


class Outbox:
    """One bot's way out.

    What is to be said `within` so many seconds raises a TelegramError where that can't be done.
    Without a number it is `PATIENCE_SECONDS`, in which silence that Telegram asks for does not
    count; infinity is tried for as long as Telegram is away. What goes `first` takes a chat's next
    turn before all that does not.

    Attributes:
        between: seconds to leave between two edits of one message.
    """

    def __init__(
        self, telegram: Bot, clock: Clock, rate_limit: RateLimit, chats: FleetChats
    ) -> None:
        self._telegram = telegram
        self._clock = clock
        self._rate_limit = rate_limit
        self.between = rate_limit.limits.edits
        self._chats = chats
        self._knows_moments = True

    async def send(
        self,
        chat: int,
        drawn: DrawnText,
        answers: int | None = None,
        within: float | None = None,
        *,
        topic: int | None = None,
        first: bool = False,
    ) -> SentMessage:
        """Say something new, as an answer to a message where that is still there."""
        chat = self._chats.now(chat)
        replied = ReplyParameters(answers, allow_sending_without_reply=True) if answers else None
        try:
            sent = await self._tried(
                chat, lambda: self._send(chat, drawn, replied, topic), within, first
            )
        except ChatMigrated as moved:
            self._chats.move(chat, moved.new_chat_id)
            return await self.send(moved.new_chat_id, drawn, within=within, first=first)
        there = sent.message_thread_id if sent.is_topic_message else None
        return SentMessage(sent.chat.id, sent.message_id, topic=there)

    async def edit(
        self,
        chat: int,
        message: int,
        drawn: DrawnText,
        within: float | None = None,
        *,
        first: bool = False,
    ) -> SentMessage:
        """Say something else instead; in a group that moved it is said anew there."""
        try:
            await self._tried(chat, lambda: self._edit(chat, message, drawn), within, first)
        except ChatMigrated as moved:
            self._chats.move(chat, moved.new_chat_id)
            return await self.send(moved.new_chat_id, drawn, within=within, first=first)
        except BadRequest as error:
            if "not modified" not in str(error).lower():
                raise
            return SentMessage(chat, message, changed=False)
        return SentMessage(chat, message)

    async def answer(self, query: str, text: str = "", *, alert: bool = False) -> bool:
        """Answer a press; False where it is too old to be answered, or the network is dead."""
        try:
            await self._telegram.answer_callback_query(query, text[:LONGEST_ANSWER], alert)
        except (NetworkError, RetryAfter, InvalidToken) as error:
            log.info("telegram.press_not_answered why=%s", type(error).__name__)
            return False
        return True

    async def _send(
        self, chat: int, drawn: DrawnText, replied: ReplyParameters | None, topic: int | None
    ) -> Message:
        return await self._telegram.send_message(
            chat,
            self._spelled(drawn),
            parse_mode=ParseMode.HTML,
            reply_markup=drawn.keyboard,
            reply_parameters=replied,
            message_thread_id=topic,
            link_preview_options=_NO_PREVIEW,
        )

    async def _edit(self, chat: int, message: int, drawn: DrawnText) -> None:
        await self._telegram.edit_message_text(
            self._spelled(drawn),
            chat,
            message,
            parse_mode=ParseMode.HTML,
            reply_markup=drawn.keyboard,  # none takes away the buttons that are there
            link_preview_options=_NO_PREVIEW,
        )

    def _spelled(self, drawn: DrawnText) -> str:
        return drawn.text if self._knows_moments else without_moments(drawn.text)

    def _unlearns_moments(self, error: BadRequest) -> bool:
        """Whether that was said by a server from before 9.5 of the Bot API, which came in March
        2026; it is spared any more moments."""
        news = self._knows_moments and "tg-time" in str(error).lower()
        self._knows_moments &= not news
        return news

    async def _tried(
        self, chat: int, call: Callable[[], Awaitable[T]], within: float | None, first: bool
    ) -> T:
        """What `call` returns, tried again after what may pass."""
        until = self._clock.monotonic() + (PATIENCE_SECONDS if within is None else within)
        pauses = CALL_AGAIN.pauses()
        while True:
            began = self._clock.monotonic()
            await self._rate_limit.turn(chat, first=first)
            if within is None:
                until += self._clock.monotonic() - began
            elif self._clock.monotonic() > until:
                raise TimedOut("no turn to speak in time")
            try:
                return await call()
            except BadRequest as error:  # the library counts it as a network's error
                if not self._unlearns_moments(error):
                    raise
                continue
            # A token may be refused for a moment; the poller tells when it is for good.
            except (RetryAfter, NetworkError, InvalidToken) as error:
                if self._clock.monotonic() > until:
                    raise
                if isinstance(error, RetryAfter):
                    self._rate_limit.hold(chat, seconds(error.retry_after))
                    continue
                pause = next(pauses)
                log.info("telegram.tried chat=%s why=%s again_in=%s", chat, error, pause)
            await self._clock.sleep(pause)


def seconds(period: int | timedelta) -> float:
    """The library gives an int today, and a timedelta from its next major version on."""
    return period.total_seconds() if isinstance(period, timedelta) else float(period)
