"""How fast Telegram lets a bot speak."""

from collections import defaultdict
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    free_at: float = 0.0

    def reserve(self, now: float) -> float:
        """Take the next place; the seconds until it is due."""
        self.free_at = max(self.free_at, now) + self.rate.each
        return max(0.0, self.free_at - now - self.rate.each * self.rate.burst)


@dataclass
class RateLimit:
    """One bot's turns to speak."""

    clock: Clock
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._everywhere = _Bucket(self.limits.everywhere)
        self._chats: dict[int, _Bucket] = {}
        self._held: dict[int, float] = defaultdict(float)

    async def turn(self, chat: int) -> None:
        """Return when it is time to speak in that chat."""
        while True:
            await self._silence(chat)
            now = self.clock.monotonic()
            wait = max(self._bucket(chat).reserve(now), self._everywhere.reserve(now))
            if wait > 0:
                await self.clock.sleep(wait)
            # Silence may have been asked for while this one waited.
            if chat not in self._held:
                return

    async def _silence(self, chat: int) -> None:
        while (held := self._held.get(chat, 0.0) - self.clock.monotonic()) > 0:
            await self.clock.sleep(held)
        self._held.pop(chat, None)

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram asked for silence there."""
        self._held[chat] = max(self._held[chat], self.clock.monotonic() + seconds)

    def _bucket(self, chat: int) -> _Bucket:
        rate = self.limits.private if chat > 0 else self.limits.group
        return self._chats.setdefault(chat, _Bucket(rate))
