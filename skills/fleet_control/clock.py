"""Time as an argument, so that a test can turn it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where our own waits get their time; all in seconds."""

    def now(self) -> float:
        """Unix time."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
