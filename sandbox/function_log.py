"""The function's log: what it writes is in CloudWatch shortly afterwards, as in AWS."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

import aiohttp

from fleet_control.clock import Clock
from sandbox.moto import tell
from sandbox.principal import REGION

# As tofu/control/function.tf has it.
GROUP = "/aws/lambda/clawdinator-control-api"
# What is written within so long is brought at once: a deploy has a line for each look at it.
_TOGETHER_SECONDS = 1.0

_note = logging.getLogger("lambda_fn").info


class FunctionLog:
    """Takes lines from any thread, and brings them to the AWS at `url` in their order."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        self._wanted = asyncio.Event()
        self._bringing = asyncio.create_task(self._bring())

    def write(self, line: str) -> None:
        """One line of the function's, which is in our own log as well."""
        _note("%s", line)
        # A handler that hung may write when all is over.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.put_nowait, (self._clock.now(), line))

    async def written(self) -> None:
        """Wait until all that was written is there, which is at once then."""
        self._wanted.set()
        await self._lines.join()

    async def close(self) -> None:
        self._bringing.cancel()
        await asyncio.gather(self._bringing, return_exceptions=True)

    async def _bring(self) -> None:
        while True:
            lines = [await self._lines.get()]
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _TOGETHER_SECONDS)
            self._wanted.clear()
            while not self._lines.empty():
                lines.append(self._lines.get_nowait())
            # An AWS that ends first has no use for them.
            with suppress(aiohttp.ClientError):
                await tell(self._url, "log", _events(lines))
            for _ in lines:
                self._lines.task_done()


def _events(lines: Sequence[tuple[float, str]]) -> dict[str, object]:
    events = [{"timestamp": int(at * 1000), "message": line} for at, line in lines]
    return {"region": REGION, "group": GROUP, "events": events}
