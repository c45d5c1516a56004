"""One message of ours in Telegram: a reply stands in it."""

from math import inf

from telegram.error import TelegramError

from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Reply
from clawbot.telegram.buttons import DrawnText, Origin, TelegramDrawing, text
from clawbot.telegram.messages import over
from clawbot.telegram.order import Slot
from clawbot.telegram.outbox import Outbox
from fleet_control.clock import Clock
from fleet_control.error import FleetError


class TooLate(FleetError):
    """An ask that could not be answered in time."""

    def __init__(self) -> None:
        super().__init__(
            "I could not answer here for two minutes, so nothing was deployed. Say it again."
        )


class TelegramMessage:
    """A `ReplyMessage`.

    Attributes:
        calls_after: Unix seconds; of a deploy that ended before, nobody is called.
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
    ) -> None:
        """Where it does not stand yet, it is sent as an answer to the `origin`'s message.

        `query` is the press that its button was pressed by, which Telegram wants answered too;
        `slot` its place among the answers to what the same one asked, over once it is shown.
        """
        self.calls_after = inf
        self.first = False
        self.number = 0
        self._outbox = outbox
        self._drawing = drawing
        self._clock = clock
        self._origin = origin
        self._chat = origin.chat
        self._message = origin.message if stands else 0
        self._query = query
        self._unanswered = bool(query)
        self._slot = slot or Slot()
        self._shown: DrawnText | None = None
        self._next = 0.0

    @property
    def id(self) -> str:
        return str(self._message or "")

    async def show(self, reply: Reply, within: float | None) -> bool:
        """As `ReplyMessage` has it; TooLate where what is about to begin can't be shown in time."""
        await self._slot.comes()
        if isinstance(reply, Deploying) and reply.progress.stage is not Stage.ASKING:
            self._slot.done()  # the Control API has answered: nobody needs to ask it anew
        await self.heard()
        if not (self._message or isinstance(reply, Deploying)):
            within = None  # nobody waits for it for as long as Telegram may be away
        self.first |= isinstance(reply, Deploying)
        drawn = self._drawing.draw(reply, self._origin, self.number)
        if isinstance(reply, Deploying) and reply.progress.stage is Stage.ASKING:
            news = await self._show_in_time(drawn, within or 0.0)
            self._slot.give_way()  # lost, it is to be asked for anew until it was dispatched
            return news
        return await self.draw(drawn, within)

    async def _show_in_time(self, drawn: DrawnText, within: float) -> bool:
        if within <= 0:
            raise TooLate
        try:
            return await self._drawn(drawn, within)
        except TelegramError as error:
            raise TooLate from error

    async def draw(self, drawn: DrawnText, within: float | None = None) -> bool:
        """Show this, `within` as the outbox has it; whether anything changed for the reader."""
        news = await self._drawn(drawn, within)
        self._slot.over()
        return news

    async def _drawn(self, drawn: DrawnText, within: float | None) -> bool:
        if drawn == self._shown:
            return False
        if self._message:
            await self._pause()
            stands = await self._outbox.edit(
                self._chat, self._message, drawn, within, first=self.first
            )
        else:
            stands = await self._outbox.send(
                self._chat, drawn, self._origin.message, within, first=self.first
            )
        self._chat, self._message = stands.chat, stands.message
        self._shown = drawn
        self._next = self._clock.monotonic() + self._outbox.between
        return stands.changed

    async def whisper(self, notice: Notice) -> None:
        """Only whoever pressed sees it; where that press is too old to be answered, all do."""
        told = notice.lines[0].replace("`", "")
        answered = self._unanswered and await self._outbox.answer(self._query, told, alert=True)
        self._unanswered = False
        if not answered:
            await self._answer_it(text(told))
        self._slot.over()

    async def heard(self) -> None:
        """Say no more than that the press was heard."""
        if self._unanswered:
            self._unanswered = False
            await self._outbox.answer(self._query)

    async def call(self, reply: Deploying) -> None:
        user = reply.asker.partition(":")[2]
        if user and _ended(reply) > self.calls_after:
            await self._answer_it(DrawnText(over(reply, user)), inf)

    async def _answer_it(self, drawn: DrawnText, within: float | None = None) -> None:
        await self._outbox.send(self._chat, drawn, self._message, within, first=self.first)

    async def _pause(self) -> None:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)


def _ended(reply: Deploying) -> float:
    """When a deploy ended, in Unix seconds; infinite where that is not known."""
    return reply.progress.began + reply.progress.took if reply.progress.took else inf
