"""How fast Telegram lets a bot speak."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from fleet_control.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """`each` seconds between two, after a burst of `burst` at once."""

    each: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Below what Telegram documents: 30 a second, 1 a second in a chat, 20 a minute in a group.

    Attributes:
        edits: seconds between two edits of one message.
    """

    everywhere: Rate = Rate(1 / 28, 2)
    private: Rate = Rate(1.0, 5)
    group: Rate = Rate(4.0, 5)
    edits: float = 3.0


class _Pace:
    """The turns to speak at one rate: whoever goes first takes the next, nobody else takes one
    before it is there."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free_at = 0.0
        self._crowd = asyncio.Lock()

    async def turn(self, *, first: bool) -> None:
        if first:
            if (wait := self._take()) > 0:
                await self._clock.sleep(wait)
            return
        async with self._crowd:
            while (wait := self._wait) > 0:
                await self._clock.sleep(wait)
            self._take()

    @property
    def _wait(self) -> float:
        """Seconds until the next turn that nobody has taken, none for less than a microsecond."""
        burst = self._rate.each * (self._rate.burst - 1)
        return max(0.0, round(self._free_at - self._clock.monotonic() - burst, 6))

    def _take(self) -> float:
        """Take the next turn; the seconds until it is due."""
        wait = self._wait
        self._free_at = max(self._free_at, self._clock.monotonic()) + self._rate.each
        return wait


class RateLimit:
    """One bot's turns to speak."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._everywhere = _Pace(self.limits.everywhere, clock)
        self._chats: dict[int, _Pace] = {}
        self._held: dict[int, float] = defaultdict(float)

    async def turn(self, chat: int, *, first: bool = False) -> None:
        """Return when it is time to speak in that chat; those who go `first` before the others."""
        while True:
            await self._silence(chat)
            await self._chat(chat).turn(first=first)
            await self._everywhere.turn(first=first)
            # Silence may have been asked for while this one waited.
            if chat not in self._held:
                return

    async def _silence(self, chat: int) -> None:
        while (held := self._held.get(chat, 0.0) - self._clock.monotonic()) > 0:
            await self._clock.sleep(held)
        self._held.pop(chat, None)

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram asked for silence there."""
        self._held[chat] = max(self._held[chat], self._clock.monotonic() + seconds)

    def _chat(self, chat: int) -> _Pace:
        if chat not in self._chats:
            rate = self.limits.private if chat > 0 else self.limits.group
            self._chats[chat] = _Pace(rate, self._clock)
        return self._chats[chat]
