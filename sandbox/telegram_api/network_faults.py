"""Faults between a bot and Telegram, which a test orders: refusals, a slow or a hanging network."""

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from fleet_control.clock import Clock
from sandbox.telegram_api.refusal import BotApiRefusal, flood


@dataclass
class _InjectedRefusal:
    method: str
    refusal: BotApiRefusal
    times: int


@dataclass
class NetworkFaults:
    """The faults that were ordered, for methods by a pattern as in `send*`.

    Attributes:
        hanging: while clear, no request is answered.
        slowness: seconds by the clock that each request takes.
        instead: what a method is answered with at once, again and again, by its name.
    """

    clock: Clock
    slowness: float = 0.0
    instead: dict[str, Any] = field(default_factory=dict)
    _coming: list[_InjectedRefusal] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hanging.set()

    def flood(self, method: str, retry_after: int, times: int = 1) -> None:
        self._coming.append(_InjectedRefusal(method, flood(retry_after), times))

    def refuse(self, method: str, status: int, description: str, times: int = 1) -> None:
        self._coming.append(_InjectedRefusal(method, BotApiRefusal(status, description), times))

    def bad_gateway(self, method: str = "*", times: int = 1) -> None:
        self.refuse(method, 502, "Bad Gateway", times)

    def clear(self) -> None:
        """Nothing that was ordered comes any more."""
        self._coming.clear()

    def hang(self) -> None:
        self.hanging.clear()

    def answer_again(self) -> None:
        self.hanging.set()

    async def pass_through(self, method: str) -> None:
        """Wait out what hangs or is slow; raise what was ordered for this method."""
        await self.hanging.wait()
        if self.slowness:
            await self.clock.sleep(self.slowness)
        for trouble in self._coming:
            if trouble.times > 0 and fnmatch(method, trouble.method):
                trouble.times -= 1
                raise trouble.refusal
