"""A clock for waits that nobody watches: each is over at once, and remembered."""

import asyncio


class HastyClock:
    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._start = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
