"""The clock that waits are given, so that a test can set the time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The time of waits and of what is kept; all in seconds."""

    def now(self) -> float:
        """Unix time, for what others' times are held against; it may be set back."""
        ...

    def monotonic(self) -> float:
        """Since some moment before this process began; for waits and for what is forgotten."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
