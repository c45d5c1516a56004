"""Tells systemd how the bot is, and goes on telling that it lives: silence means it hangs."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from fleet_control.clock import Clock

# Told twice in the time that systemd allows.
_PER_PERIOD = 2


@asynccontextmanager
async def watched(environ: Mapping[str, str], clock: Clock) -> AsyncIterator[Callable[[str], None]]:
    """Whatever runs inside is alive as long as its event loop turns; it is ready, and how it is,
    once it says so by what it gets here.

    ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` are systemd's; without the first nothing is told.
    """
    name = environ.get("NOTIFY_SOCKET", "")
    if not name:
        yield lambda _: None
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as systemd:
        # An @ stands for the null byte of an abstract socket.
        systemd.connect(f"\0{name[1:]}" if name.startswith("@") else name)
        beating = asyncio.ensure_future(_beat(systemd, _pause(environ), clock))
        try:
            yield lambda said: _send(systemd, said)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            systemd.send(b"STOPPING=1")


def _send(systemd: socket.socket, said: str) -> None:
    systemd.send(said.encode())


def _pause(environ: Mapping[str, str]) -> float:
    """Seconds between two beats; 0 where none are asked for."""
    allowed = environ.get("WATCHDOG_USEC", "")
    return int(allowed) / 1e6 / _PER_PERIOD if allowed.isdigit() else 0.0


async def _beat(systemd: socket.socket, pause: float, clock: Clock) -> None:
    while pause:
        systemd.send(b"WATCHDOG=1")
        await clock.sleep(pause)
