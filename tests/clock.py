"""A clock that stands still until a test turns it."""

import asyncio
import heapq
from itertools import count


class TurnedClock:
    """`sleep` returns only when `turn` has moved the time far enough."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._start = start
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def now(self) -> float:
        return self._start + self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        async with self._changed:
            self._changed.notify_all()
        await woken

    @property
    def sleeping(self) -> int:
        """How many wait for the clock now."""
        return sum(not woken.done() for *_, woken in self._sleepers)

    async def asleep(self, count: int) -> None:
        """Wait until that many wait for the clock."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.sleeping >= count)

    async def turn(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own moment and letting it run before the next."""
        until = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self._now = until
        await asyncio.sleep(0)


class HostClock:
    """The clock of one host among others: `off` turns what it takes for the time, and no wait."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self.monotonic, self.sleep = clock.monotonic, clock.sleep
        self.off = 0.0

    def now(self) -> float:
        return self._clock.now() + self.off


class TurnedLoop:
    """Turns the time of the running event loop, by which libraries wait; it goes on, too."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        time, self._ahead = loop.time, 0.0
        loop.time = lambda: time() + self._ahead  # type: ignore[method-assign]

    async def turn(self, seconds: float) -> None:
        """Move on, once all wait that are to, and let run whoever that wakes."""
        await asyncio.sleep(0.01)
        self._ahead += seconds
        await asyncio.sleep(0.01)
