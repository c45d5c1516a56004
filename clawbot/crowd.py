"""Those who are no operators: one ask at a time each, so that no number of them fills a chat."""

from collections.abc import Callable

from clawbot.replies import Notice
from fleet_control.caller import Caller, is_operator
from fleet_control.clock import Clock

# So long after the last ask that was dropped the next one is told of again.
BURST_SECONDS = 60.0
ONE_AT_A_TIME = Notice(
    ("One at a time: I answer the first, and dropped what you asked before that was answered.",)
)


def goes_first(caller: Caller) -> bool:
    """Whether this one is answered before those who may only look."""
    return is_operator(caller)


class Crowd:
    """Who among them waits for an answer, on one platform."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered: dict[str, Callable[[], bool]] = {}
        self._dropped: dict[str, float] = {}

    def admits(self, caller: Caller, account: str, answered: Callable[[], bool]) -> bool:
        """Whether this ask is to be answered; `answered` tells later that it was."""
        if goes_first(caller):
            return True
        self._answered = {one: over for one, over in self._answered.items() if not over()}
        if account in self._answered:
            return False
        self._answered[account] = answered
        return True

    def tells(self, account: str) -> bool:
        """Whether to tell this one that an ask was dropped: once for all that come in a burst."""
        now = self._clock.monotonic()
        self._dropped = {
            one: when for one, when in self._dropped.items() if now - when <= BURST_SECONDS
        }
        told = account in self._dropped
        self._dropped[account] = now
        return not told
