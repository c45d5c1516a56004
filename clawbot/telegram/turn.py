"""Answers in the order of the asks, chat by chat, while each is worked on at once."""

import asyncio


class Turn:
    """One ask's place in its chat; it has its say after the one before it had."""

    def __init__(self, before: asyncio.Event | None = None) -> None:
        self._before = before
        self.ended = asyncio.Event()

    async def comes(self) -> None:
        if self._before is not None:
            await self._before.wait()

    def over(self) -> None:
        self.ended.set()


class Turns:
    """The last place taken in each chat."""

    def __init__(self) -> None:
        self._last: dict[int, Turn] = {}

    def take(self, chat: int) -> Turn:
        before = self._last.get(chat)
        turn = Turn(before.ended if before else None)
        self._last[chat] = turn
        return turn
