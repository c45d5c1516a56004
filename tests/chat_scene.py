"""A fleet on loopback and the bots that run before it: what the scenes of both chats extend."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from tests.clawbot.bots import registry
from tests.clock import HostClock, TurnedClock
from tests.cuttable_network import CuttableNetwork
from tests.discord.control import Control, serving
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import FakeEc2
from tests.idle import idle
from tests.program_tasks import ProgramTasks

# Only a test that fails waits so long; a machine may be as slow.
PATIENCE_SECONDS = 120.0
SOON_SECONDS = 0.01

Holds = Callable[[], object]


class ChatScene:
    """`news` waits until something of the platform's holds; it is let wait for moments only.
    `line` is what the platform's own server hears the bots through, and `host_clock` what the bots
    go by.

    Attributes:
        told: what systemd would have heard, one after the other.
        ec2_hangs: no read of EC2 is waited for while time passes.
    """

    def __init__(
        self,
        clock: TurnedClock,
        ec2: FakeEc2,
        line: CuttableNetwork,
        news: Callable[[Holds], Awaitable[object]],
    ) -> None:
        self.clock = clock
        self.host_clock = HostClock(clock)
        self.ec2 = ec2
        self.line = line
        self.api = Control()
        self.told: list[str] = []
        self.ec2_hangs = False
        self._news = news
        self._stack = AsyncExitStack()
        self._running: dict[str, ProgramTasks] = {}
        self.hosts(Claw("claw-1"), Claw("claw-2"))

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(serving(self.api, self.line))
        self.api.registry = registry("claw-1", "claw-2")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        # A test that failed halfway may hold answers back; a bot that waits for them would not end,
        # and what it leaves behind, discord.py's keep-alive thread too, would fail another test.
        self.api.released.set()
        programs = tuple(self._running.values())
        try:
            for name in tuple(self._running):
                await self.stop(name)
        finally:
            for program in programs:
                program.end()
            if programs:
                await asyncio.wait([program.task for program in programs], timeout=PATIENCE_SECONDS)
            await self._stack.aclose()

    def hosts(self, *claws: Claw) -> None:
        stage(self.ec2, claws)

    def environ_of(self, name: str) -> dict[str, str]:
        return {
            "CLAWBOT_NAME": name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": self.api.url,
            "CLAWBOT_CONTROL_TOKEN": "token",
            "CLAWBOT_AWS_ACCESS_KEY_ID": f"AK-{name}",
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
        }

    def begin(self, name: str, bot: Coroutine[None, None, None]) -> asyncio.Task[None]:
        self._running[name] = ProgramTasks(bot)
        return self._running[name].task

    def task(self, name: str = "demo") -> asyncio.Task[None]:
        return self._running[name].task

    async def stop(self, name: str = "demo") -> None:
        """A clean stop."""
        task = self._running.pop(name).task
        task.cancel()
        await self.until(task.done)
        if not task.cancelled():
            task.exception()

    async def kill(self, name: str = "demo") -> None:
        """From one moment to the next nothing of it is left, and nothing it says arrives."""
        program = self._running.pop(name)
        self.line.is_cut = True
        program.end()
        await self.until(lambda: program.is_over, each=0.0)

    async def until(self, holds: Holds, each: float = 1.0) -> None:
        """Let time pass, so many seconds at a turn, until something is so.

        What needs no time is done before any passes: on a slow machine no wait ends sooner.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await idle(waits_for_ec2=not (self.ec2.is_held or self.ec2_hangs))
                await self.clock.turn(0.0 if holds() else each)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SOON_SECONDS):
                        await self._news(holds)
