"""Two pollers on one token: who steps back, and for how long."""

from collections import deque
from collections.abc import Callable

CONFLICTS = 3
WITHIN_SECONDS = 60.0
NEXT_TRY_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS = 60.0
LONGEST_FIRST_PAUSE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 900.0
# How many times as long the next pause is.
LEAST_GROWTH, MOST_GROWTH = 1.25, 2.5
CALM_AFTER_SECONDS = 1800.0


class PollConflicts:
    """Counts conflicts. Both sides may run this rule, hence the chance in it: one will win.

    It never gives up: the other may be the old host of a replacement, about to go.

    Attributes:
        pauses: how often it has stepped back since it was last calm.
    """

    def __init__(self, chance: Callable[[float, float], float]) -> None:
        self._chance = chance
        self._conflicts: deque[float] = deque(maxlen=CONFLICTS)
        self.pauses = 0
        self._pause = 0.0
        self._last = float("-inf")

    def conflict(self, now: float) -> float:
        """Seconds to wait before the next try."""
        if now - self._last > CALM_AFTER_SECONDS:
            self.pauses = 0
        self._last = now
        self._conflicts.append(now)
        if len(self._conflicts) < CONFLICTS or now - self._conflicts[0] > WITHIN_SECONDS:
            return NEXT_TRY_SECONDS
        self._conflicts.clear()
        self.pauses += 1
        if self.pauses == 1:
            self._pause = self._chance(SHORTEST_PAUSE_SECONDS, LONGEST_FIRST_PAUSE_SECONDS)
        else:
            longer = self._pause * self._chance(LEAST_GROWTH, MOST_GROWTH)
            self._pause = min(longer, LONGEST_PAUSE_SECONDS)
        return self._pause
