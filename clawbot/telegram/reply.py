"""One message of ours in Telegram: a reply stands in it."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from math import inf

from telegram.error import TelegramError

from clawbot.living_reply import NoPlace, long_over
from clawbot.progress import Stage
from clawbot.replies import Deploying, GoesOn, Notice, Question, Reply, user_id
from clawbot.telegram.buttons import DrawnText, Origin, TelegramDrawing, text
from clawbot.telegram.order import Slot
from clawbot.telegram.outbox import REFUSED, Outbox, SentMessage
from clawbot.telegram.speaker import PLATFORM
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.line import printable

log = logging.getLogger(__name__)


class TooLate(FleetError):
    """An ask that could not be answered in time."""

    def __init__(self) -> None:
        super().__init__(
            "I could not answer here for two minutes, so nothing was deployed. Say it again."
        )


class TelegramMessage:
    """A `ReplyMessage`.

    Attributes:
        calls: whether there is somebody to call at a deploy's end.
        first: whether it goes before what those say who are no operators; a deploy always does.
        number: the page of a choice.
    """

    def __init__(
        self,
        outbox: Outbox,
        drawing: TelegramDrawing,
        clock: Clock,
        origin: Origin,
        *,
        stands: bool = True,
        query: str = "",
        slot: Slot | None = None,
        left: int = 0,
    ) -> None:
        """Where it does not stand yet, it is sent as an answer to the `origin`'s message.

        One that was `left` by an earlier process stands in the message of that id.
        `query` is the press that its button was pressed by, which Telegram wants answered too;
        `slot` its place among the answers to what the same one asked, over once it is shown.
        """
        self.calls = True
        self.first = False
        self.number = 0
        self._outbox = outbox
        self._drawing = drawing
        self._clock = clock
        self._origin = origin
        self._chat = origin.chat
        self._topic = origin.topic
        self._message = left or (origin.message if stands else 0)
        self._query = query
        self._unanswered = bool(query)
        self._slot = slot or Slot()
        self._found = clock.now() if left else -inf
        self._shown: DrawnText | None = None
        self._next = 0.0

    @property
    def id(self) -> str:
        return str(self._message or "")

    def leave(self) -> None:
        """Leave the message that stands as it is: what is shown answers it."""
        self._message = 0

    async def show(self, reply: Reply, within: float | None) -> bool:
        """As `ReplyMessage` has it; TooLate where what is about to begin can't be shown in time."""
        await self._slot.comes()
        if isinstance(reply, Deploying) and reply.progress.stage is not Stage.ASKING:
            self._slot.done()  # the Control API has answered: nobody needs to ask it anew
        await self.heard()
        if within == inf and not (self._message or isinstance(reply, Deploying)):
            within = None  # nobody waits for it for as long as Telegram may be away
        self.first |= isinstance(reply, Deploying)
        if isinstance(reply, Question) and reply.operation and not self._message:
            await self._begin(reply, within)
        drawn = self._drawing.draw(reply, self._origin, self.number)
        if isinstance(reply, Deploying) and reply.progress.stage is Stage.ASKING:
            news = await self._show_in_time(drawn, within or 0.0)
            self._slot.give_way()  # lost, it is to be asked for anew until it was dispatched
            return news
        return await self.draw(drawn, within, reply)

    async def _begin(self, asked: Question, within: float | None) -> None:
        """Say what an operation is asked about, without what answers it: a mark on that is for the
        message that it stands in, which has an id once it is sent."""
        drawn = self._drawing.draw(asked, self._origin)
        await self._drawn(replace(drawn, keyboard=None), within, asked)
        self._origin = Origin(self._chat, self._message, by_button=True, topic=self._topic)
        self._next = 0.0

    async def _show_in_time(self, drawn: DrawnText, within: float) -> bool:
        if within <= 0:
            raise TooLate
        try:
            return await self._drawn(drawn, within)
        except TelegramError as error:
            raise TooLate from error

    async def draw(
        self, drawn: DrawnText, within: float | None = None, reply: Reply | None = None
    ) -> bool:
        """Show this, `within` as the outbox has it; whether anything changed for the reader.

        Of a deploy that began, which is its `reply`, what can't be shown here is shown elsewhere.
        """
        news = await self._drawn(drawn, within, reply)
        self._slot.over()
        return news

    async def _drawn(
        self, drawn: DrawnText, within: float | None, reply: Reply | None = None
    ) -> bool:
        if drawn == self._shown:
            return False
        stands = await self._edited(drawn, within) if self._message else None
        if stands is None:
            if isinstance(reply, GoesOn) or (reply and long_over(reply, self._found)):
                return False
            asker = reply.asker if isinstance(reply, Deploying) else ""
            asked_here = (self._chat, self._topic) == (self._origin.chat, self._origin.topic)
            answers = self._origin.message if asked_here else None
            stands, self._topic = await self._said(drawn, within, answers, asker)
        self._chat, self._message = stands.chat, stands.message
        self._shown = drawn
        self._next = self._clock.monotonic() + self._outbox.between
        return stands.changed

    async def _edited(self, drawn: DrawnText, within: float | None) -> SentMessage | None:
        """None where that message can't be edited, and never will be."""
        await self._pause()
        try:
            return await self._outbox.edit(
                self._chat, self._message, drawn, within, first=self.first
            )
        except REFUSED as error:
            log.info(
                "telegram.reply_goes_on chat=%s message_id=%s why=%s",
                self._chat,
                self._message,
                error,
            )
            return None

    async def _said(
        self, drawn: DrawnText, within: float | None, answers: int | None, asker: str = ""
    ) -> tuple[SentMessage, int | None]:
        """Say it in a new message, elsewhere only to an `asker`; that one, and its topic.

        NoPlace where Telegram takes it nowhere.
        """
        refused: TelegramError | None = None
        for chat, topic, answered in self._places(answers, asker):
            try:
                sent = await self._outbox.send(
                    chat, drawn, answered, within, topic=topic, first=self.first
                )
                return sent, topic
            except REFUSED as error:
                refused = error
        raise NoPlace(refused) from refused

    def _places(
        self, answers: int | None, asker: str
    ) -> Iterator[tuple[int, int | None, int | None]]:
        """Chats with the topic and the message that is answered there, best first.

        Where a topic is closed or gone, its forum's General one is next, in which nothing of that
        topic can be answered; then the chat with the asker alone, which has their account's id.
        """
        here, alone = self._chat, user_id(asker, PLATFORM)
        yield here, self._topic, answers
        if alone and here != alone:
            yield here, None, None
            yield alone, None, None

    async def whisper(self, notice: Notice) -> None:
        """Only whoever pressed sees it; where that press is too old to be answered, all do."""
        told = printable(notice.lines[0].replace("`", ""))
        answered = self._unanswered and await self._outbox.answer(self._query, told, alert=True)
        self._unanswered = False
        if not answered:
            await self._said(text(told), None, self._message or self._origin.message)
        self._slot.over()

    async def heard(self) -> None:
        """Say no more than that the press was heard."""
        if self._unanswered:
            self._unanswered = False
            await self._outbox.answer(self._query)

    async def call(self, reply: Deploying) -> None:
        drawn = self._drawing.call(reply)
        if drawn and self.calls:
            await self._said(drawn, inf, self._message, reply.asker)

    async def _pause(self) -> None:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
