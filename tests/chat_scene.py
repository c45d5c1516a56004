"""A fleet on loopback, and bots that come and go in front of it: what a chat's scene adds to."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from tests.clawbot.bots import registry
from tests.clock import TurnedClock
from tests.discord.control import Control, control
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import Aws

PATIENCE_SECONDS = 20.0
SOON_SECONDS = 0.01

Holds = Callable[[], object]


class ChatScene:
    """`news` waits until something of the platform's holds; it is let wait for moments only."""

    def __init__(
        self, clock: TurnedClock, ec2: Aws, news: Callable[[Holds], Awaitable[object]]
    ) -> None:
        self.clock = clock
        self.ec2 = ec2
        self.api: Control
        self._news = news
        self._stack = AsyncExitStack()
        self._running: dict[str, asyncio.Task[None]] = {}
        self.hosts(Claw("claw-1"), Claw("claw-2"))

    async def __aenter__(self) -> Self:
        self.api = await self._stack.enter_async_context(control())
        self.api.registry = registry("claw-1", "claw-2")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        # A test that failed halfway may hold answers back; a bot that waits for them would not end,
        # and what it leaves behind, discord.py's keep-alive thread too, would fail another test.
        self.api.released.set()
        tasks = tuple(self._running.values())
        try:
            for name in tuple(self._running):
                await self.stop(name)
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
            await self._stack.aclose()

    def hosts(self, *claws: Claw) -> None:
        stage(self.ec2, claws)

    def environ_of(self, name: str) -> dict[str, str]:
        return {
            "CLAWBOT_NAME": name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": self.api.url,
            "CLAWBOT_CONTROL_TOKEN": "token",
            "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
        }

    def begin(self, name: str, bot: Coroutine[None, None, None]) -> asyncio.Task[None]:
        self._running[name] = asyncio.create_task(bot)
        return self._running[name]

    async def stop(self, name: str = "demo") -> None:
        """A clean stop."""
        task = self._running.pop(name)
        task.cancel()
        await self.until(task.done)
        if not task.cancelled():
            task.exception()

    async def until(self, holds: Holds, each: float = 1.0) -> None:
        """Let time pass, so many seconds at a turn, until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await self.clock.turn(each)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SOON_SECONDS):
                        await self._news(holds)
