"""How long one call may take: its asker gives up after ten seconds."""

import time
from collections.abc import Callable
from typing import Self

SECONDS = 8.5


class Budget:
    """The rest of one call's time, shared by everything the call waits for.

    `now` gives Unix seconds, and `sleep` takes seconds; a test turns them.
    """

    def __init__(
        self,
        seconds: float = SECONDS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self._sleep = sleep
        self._until = now() + seconds

    def part(self, seconds: float) -> Self:
        """A budget within this one, of `seconds` at most."""
        return type(self)(min(seconds, self._until - self.now()), self.now, self._sleep)

    def left(self) -> float:
        """Seconds; never 0, which a socket reads as "do not block"."""
        return max(0.01, self._until - self.now())

    @property
    def spent(self) -> bool:
        return self.now() >= self._until

    def wait(self, seconds: float) -> bool:
        """Sleep, unless the budget does not hold that much."""
        if self.now() + seconds >= self._until:
            return False
        self._sleep(seconds)
        return True
