"""Clocks for waits that nobody watches: each is over at once, and counted."""

import time


class HastyTime:
    def __init__(self, start: float | None = None) -> None:
        self.slept = 0.0
        self._start = time.time() if start is None else start

    def now(self) -> float:
        return self._start + self.slept

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class PromptTime(HastyTime):
    """The system's time to whoever asks for it; a deadline comes by waiting alone, so that a busy
    machine has as many looks before it as an idle one."""

    now = staticmethod(time.time)
