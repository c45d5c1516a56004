"""When everything that runs on this test's loop has nothing left to do that needs no time."""

import asyncio
import threading
from collections.abc import Callable

from fleet_control import daemon

# Loopback hands over what was sent at once; under load it may take the kernel a moment.
QUIET_TURNS = 5
BUSY_SECONDS = 0.001


async def idle(
    is_answering: Callable[[], object] = lambda: False, *, waits_for_ec2: bool = True
) -> None:
    """Until the loop has stood still for some turns, while nothing was waited for beside it: no
    read of EC2, unless that is held up, and nothing of which `is_answering` tells."""
    loop, quiet = asyncio.get_running_loop(), 0
    while quiet < QUIET_TURNS:
        # Looking through the threads takes long; one that has ended has left its find in the loop.
        is_last = quiet == QUIET_TURNS - 1
        busy = is_answering() or (is_last and waits_for_ec2 and _is_ec2_asked())
        await asyncio.sleep(BUSY_SECONDS if busy else 0)
        # What came in while we slept is in there, since we woke before it.
        ready = loop._ready  # type: ignore[attr-defined]  # noqa: SLF001  (no other way to see it)
        quiet = 0 if busy or ready else quiet + 1


def _is_ec2_asked() -> bool:
    return any(thread.name == daemon.NAME for thread in threading.enumerate())
