"""The demo's bot: it stops when the host it rides is gone, and starts anew on the next one.

The chat outlives it, as a platform does: what is said while there is no bot waits for the next.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from clawbot.bot import Bot, assemble
from clawbot.living_reply import LivingReply
from clawbot.replies import Notice, Reply, broken
from clawbot.settings import load
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from sandbox.bot_host import BotHost, NoHost
from sandbox.sandbox import Sandbox
from sandbox.terminal.chat import PLATFORM, BotCall, Output, Terminal

# What a cut-off ask comes to: its reply is the successor's to finish.
_LEFT = Notice(())

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _RunningBot:
    """A bot between its start and its stop: `working` are the tasks that end with it; `resumed` is
    set once it has finished the replies that its predecessor left, or has stopped."""

    bot: Bot
    working: "set[asyncio.Future[Any]]" = field(default_factory=set)
    resumed: asyncio.Event = field(default_factory=asyncio.Event)


class DemoBot:
    """The bot that a terminal asks; `instance` is whose host carries the bot, or empty."""

    def __init__(self, sandbox: Sandbox, instance: str, output: Output, clock: Clock) -> None:
        self.terminal = Terminal(self._asked, output, clock, sandbox.outside.does)
        self._settings = load(sandbox.bot_environ(instance), sandbox.folder)
        self._host = BotHost(sandbox, instance, clock)
        self._clock = clock
        self._bot: asyncio.Future[_RunningBot] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._living = asyncio.create_task(self._live())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.terminal.close()
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)

    @property
    def is_alive(self) -> bool:
        """Whether a bot is there just now."""
        return self._bot.done() and self._bot.exception() is None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the registry that the bot last read."""
        known = self._bot.result().bot.fleet.registry.last if self.is_alive else None
        return known.registry.ids if known else ()

    async def finish(self) -> None:
        """Wait for all replies, those that a predecessor left too."""
        with suppress(NoHost):
            await self._resumed()
        await self.terminal.finish()

    async def _live(self) -> None:
        try:
            while True:
                machine = await self._host.comes()
                await self._live_on(machine)
        except NoHost as error:
            self._bot.set_exception(error)
            self._bot.exception()  # seen, even where nobody asks any more

    async def _live_on(self, machine: str) -> None:
        async with assemble(self._settings, self._clock) as bot:
            running = _RunningBot(bot)
            self._bot.set_result(running)
            running.working.update(map(asyncio.ensure_future, (self._resume(running), _knows(bot))))
            try:
                await self._host.goes(machine)
            finally:
                self._bot = asyncio.get_running_loop().create_future()
                for task in running.working:
                    task.cancel()
                await asyncio.gather(*running.working, return_exceptions=True)

    async def _resume(self, running: _RunningBot) -> None:
        """Finish the replies that a predecessor left."""
        try:
            async for left in running.bot.deploys.resume(PLATFORM, self.terminal.reply_of):
                finishing = [asyncio.ensure_future(self._within(running, one)) for one in left]
                self.terminal.finish_left(finishing)
                await asyncio.gather(*finishing)
                running.resumed.set()
        finally:
            running.resumed.set()

    async def _asked(self, act: BotCall, reply: LivingReply) -> Reply:
        try:
            running = await self._alive()
            return await self._within(running, act(running.bot))
        except NoHost as error:
            told = broken(str(error))
            await reply.show(told)
            return told

    async def _within(self, running: _RunningBot, work: Awaitable[Reply]) -> Reply:
        """The reply; none where the bot stops first, once the next has finished what was left."""
        task = asyncio.ensure_future(work)
        running.working.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            running.working.discard(task)
        if not task.cancelled():
            return task.result()
        await self._resumed()
        return _LEFT

    async def _resumed(self) -> None:
        """Wait until a bot is there that has finished what was left."""
        while True:
            running = await self._alive()
            await running.resumed.wait()
            if self.is_alive and self._bot.result() is running:
                return

    async def _alive(self) -> _RunningBot:
        return await asyncio.shield(self._bot)


async def _knows(bot: Bot) -> None:
    """Read the registry before anybody asks, so that Tab knows the ids."""
    with suppress(FleetError):
        await bot.fleet.registry.get()
