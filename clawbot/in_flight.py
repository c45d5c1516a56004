"""What a front is at work on, and a stop that lets it come to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

FINISH_WITHIN_SECONDS = 30.0
# One cancellation may be swallowed: before Python 3.12 `asyncio.wait_for` does that at times.
CANCEL_AGAIN_SECONDS = 1.0
CANCELLATIONS = 5

log = logging.getLogger(__name__)


class InFlight:
    """One front's tasks; `failed` hears of what one of them raised."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._left: dict[asyncio.Future[object], Callable[[], bool]] = {}
        self._moved = asyncio.Event()

    def begin(
        self, work: Awaitable[object], left: Callable[[], bool] = lambda: False
    ) -> asyncio.Future[object]:
        """Work on this too; `left` tells whether somebody else will finish it by now."""
        task = asyncio.ensure_future(work)
        self._left[task] = left
        task.add_done_callback(self._over)
        return task

    def moved(self) -> None:
        """Something was said, so that what there is to wait for may be less."""
        self._moved.set()

    async def close(self, within: float = FINISH_WITHIN_SECONDS) -> None:
        """Let end what nobody else will finish, and leave the rest, which is cancelled."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    while any(not left() for left in self._left.values()):
                        self._moved.clear()
                        await self._moved.wait()
        finally:
            await self._cancel()

    async def _cancel(self) -> None:
        """Cancel what runs still, again where it goes on; what never ends is not waited for."""
        for _ in range(CANCELLATIONS):
            if not self._left:
                return
            for task in self._left:
                task.cancel()
            await asyncio.wait(self._left, timeout=CANCEL_AGAIN_SECONDS)
        log.error("clawbot.goes_on tasks=%s", len(self._left))

    def _over(self, task: asyncio.Future[object]) -> None:
        self._left.pop(task, None)
        self._moved.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)
