"""One message of ours, kept up to date, and the chat as `/fleet`'s commands see it."""

from collections.abc import Callable

from telegram.error import TelegramError

from clawbot.in_flight import by_successor
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Reply, Tone, is_final
from clawbot.telegram.drawing import Drawing, Drawn, Origin, text
from clawbot.telegram.markup import over
from clawbot.telegram.outbox import UNTIL_BACK, Outbox
from clawbot.telegram.turn import Turn
from fleet_control.clock import Clock
from fleet_control.error import FleetError

TOO_OLD_SECONDS = 120.0


class Late(FleetError):
    """An ask that could not be answered in time."""

    def __init__(self) -> None:
        super().__init__(
            "I could not answer here for two minutes, so nothing was deployed. Say it again."
        )


class Living:
    """`message` is its id once it stands; before, `show` sends it as an answer to `answers`."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        chat: int,
        *,
        message: int = 0,
        answers: int | None = None,
    ) -> None:
        self.chat = chat
        self.message = message
        self._outbox = outbox
        self._clock = clock
        self._answers = answers
        self._since = clock.monotonic()
        self._shown: Drawn | None = None
        self._next = 0.0

    @property
    def age(self) -> float:
        """Seconds since what it answers was heard."""
        return self._clock.monotonic() - self._since

    async def show(self, drawn: Drawn, within: float | None = None) -> bool:
        """Show this, `within` as the outbox has it; whether anything changed for the reader."""
        if drawn == self._shown:
            return False
        if self.message:
            await self._pause()
            stands = await self._outbox.edit(self.chat, self.message, drawn, within)
        else:
            stands = await self._outbox.send(self.chat, drawn, self._answers, within)
        self.chat, self.message = stands.chat, stands.message
        self._shown = drawn
        self._next = self._clock.monotonic() + self._outbox.between
        return stands.changed

    async def call(self, drawn: Drawn, within: float | None = None) -> None:
        """A new message that answers this one, for those whom an edit does not call."""
        await self._outbox.send(self.chat, drawn, self.message, within)

    async def _pause(self) -> None:
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)


class Conversation:
    """Where one ask's reply goes.

    Attributes:
        calls: whether to call the asker when a deploy is over.
    """

    def __init__(
        self,
        living: Living,
        drawing: Drawing,
        origin: Origin,
        *,
        turn: Turn | None = None,
        number: int = 0,
        shown: Callable[[], None] = lambda: None,
    ) -> None:
        """`number` is the page of a choice; `shown` is told of each change."""
        self.calls = False
        self._latest: Reply | None = None
        self._calling = False
        self._living = living
        self._drawing = drawing
        self._origin = origin
        self._turn = turn or Turn()
        self._number = number
        self._shown = shown

    @property
    def left(self) -> bool:
        """Whether a successor would finish this; a call after the last edit it would not make."""
        return by_successor(self._latest) and not self._calling

    async def send(self, reply: Reply) -> str:
        await self._turn.comes()
        await self._show(reply)
        self._turn.over()
        return str(self._living.message)

    async def edit(self, _reply_id: str, reply: Reply) -> None:
        if not is_final(reply):
            await self._show(reply)
            return
        # Nothing comes after this that would show it in passing.
        changed = await self._show(reply, UNTIL_BACK)
        if isinstance(reply, Deploying) and changed and self.calls:
            await self._call(reply)

    async def _show(self, reply: Reply, within: float | None = None) -> bool:
        drawn = self._drawing.draw(reply, self._origin, self._number)
        if isinstance(reply, Deploying) and reply.progress.stage is Stage.ASKING:
            changed = await self._show_in_time(drawn)
        else:
            changed = await self._living.show(drawn, within)
        self._latest = reply
        self._shown()
        return changed

    async def _show_in_time(self, drawn: Drawn) -> bool:
        """What comes before a dispatch; nobody expects one long after they asked."""
        left = TOO_OLD_SECONDS - self._living.age
        if left <= 0:
            raise Late
        try:
            return await self._living.show(drawn, left)
        except TelegramError as error:
            raise Late from error

    async def _call(self, reply: Deploying) -> None:
        user = reply.asker.partition(":")[2]
        if not user:
            return
        self._calling = True
        try:
            await self._living.call(Drawn(over(reply, user)), UNTIL_BACK)
        finally:
            self._calling = False


class Whisper:
    """What only whoever pressed is shown: a chat of one.

    A press that is too old to be answered is answered by a message, since silence tells nothing.
    """

    def __init__(self, outbox: Outbox, query: str, living: Living) -> None:
        self._outbox = outbox
        self._query = query
        self._living = living

    async def say(self, line: str) -> None:
        told = line.replace("`", "")
        if not await self._outbox.answer(self._query, told, alert=True):
            await self._living.call(text(told))

    async def nothing(self) -> None:
        """Only that the press was heard."""
        await self._outbox.answer(self._query)

    async def send(self, reply: Reply) -> str:
        if isinstance(reply, Notice):
            await self.say(reply.lines[0])
        return ""

    async def edit(self, _reply_id: str, reply: Reply) -> None:
        await self.send(reply)


class PressedConversation:
    """Where a press's reply goes: the message with the button becomes the reply.

    A refusal is told to whoever pressed, and leaves the message to the others.
    """

    def __init__(self, inner: Conversation, whisper: Whisper, reply_id: str) -> None:
        self._inner = inner
        self._whisper = whisper
        self._reply_id = reply_id

    @property
    def left(self) -> bool:
        return self._inner.left

    async def send(self, reply: Reply) -> str:
        if isinstance(reply, Notice) and reply.tone is Tone.REFUSED:
            await self._whisper.send(reply)
            return self._reply_id
        await self._whisper.nothing()
        return await self._inner.send(reply)

    async def edit(self, reply_id: str, reply: Reply) -> None:
        await self._inner.edit(reply_id, reply)
