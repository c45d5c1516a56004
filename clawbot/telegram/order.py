"""Each one's answers in the order of the asks, chat by chat, while each is worked on at once."""

import asyncio
from collections.abc import Callable


class Slot:
    """One ask's place among those of whoever asked; it is answered after the one before it was.

    Attributes:
        ended: whether its answer began to be shown, or there is none.
    """

    def __init__(
        self, before: asyncio.Event | None = None, shown: Callable[[], None] = lambda: None
    ) -> None:
        """`shown` is called once nobody else needs to answer it."""
        self._before = before
        self._shown = shown
        self.ended = asyncio.Event()

    async def comes(self) -> None:
        if self._before is not None:
            await self._before.wait()

    def over(self) -> None:
        self.done()
        self.give_way()

    def done(self) -> None:
        """Nothing more is needed for it to be answered, though its turn may not have come."""
        self._shown()

    def give_way(self) -> None:
        """It keeps the next one waiting no longer, though more is needed to answer it."""
        self.ended.set()


class AnswerOrder:
    """The last place that each one took in each chat, while it is not over."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], Slot] = {}

    def take(self, chat: int, account: int, shown: Callable[[], None] = lambda: None) -> Slot:
        self._last = {key: slot for key, slot in self._last.items() if not slot.ended.is_set()}
        before = self._last.get((chat, account))
        slot = Slot(before.ended if before else None, shown)
        self._last[chat, account] = slot
        return slot
