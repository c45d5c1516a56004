"""Answers in the order of the asks, chat by chat, while each is worked on at once."""

import asyncio


class Slot:
    """One ask's place in its chat; it is answered after the one before it was."""

    def __init__(self, before: asyncio.Event | None = None) -> None:
        self._before = before
        self.ended = asyncio.Event()

    async def comes(self) -> None:
        if self._before is not None:
            await self._before.wait()

    def over(self) -> None:
        self.ended.set()


class AnswerOrder:
    """The last place taken in each chat."""

    def __init__(self) -> None:
        self._last: dict[int, Slot] = {}

    def take(self, chat: int) -> Slot:
        before = self._last.get(chat)
        slot = Slot(before.ended if before else None)
        self._last[chat] = slot
        return slot
