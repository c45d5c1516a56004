"""A named pipe by which a test and a running script wait for each other, and for the end."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.01

T = TypeVar("T")


class ScriptPipe:
    """`pipe` is where a script says ``echo up >``, holds it open, or waits with ``cat``.

    No thread waits in an open: one whose script never comes could not be ended.
    """

    def __init__(self, folder: Path) -> None:
        self.pipe = folder / "witness"
        os.mkfifo(self.pipe)
        self._reading = -1

    async def hears(self) -> str:
        """What the script says: it has come so far."""
        said = await self.watches()
        assert await self.sees_the_end()
        return said

    async def says_go_on(self) -> None:
        writing = await _until(lambda: os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK))
        os.write(writing, b"go on")
        os.close(writing)

    async def watches(self) -> str:
        """The first line of a script that then holds the pipe open; look on with `sees_the_end`."""
        self._reading = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)
        line = b""
        while not line.endswith(b"\n"):
            line += await _until(lambda: os.read(self._reading, 1) or None)
        return line.decode().strip()

    async def sees_the_end(self) -> bool:
        """Nobody is left who holds the pipe, and nobody has said more."""
        rest = await _until(lambda: os.read(self._reading, 1))
        os.close(self._reading)
        return rest == b""


async def _until(done: Callable[[], T | None]) -> T:
    """What it returns, once nothing is in its way."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                result = done()
            except OSError:  # no reader yet, or no word yet
                result = None
            if result is not None:
                return result
            await asyncio.sleep(LOOK_EVERY_SECONDS)
