"""A pipe between a test and a script that runs: each can wait for the other, and for its end."""

import asyncio
import os
from pathlib import Path


class Witness:
    """`pipe` is where a script says ``echo up >``, holds it open, or waits with ``cat``."""

    def __init__(self, folder: Path) -> None:
        self.pipe = folder / "witness"
        os.mkfifo(self.pipe)

    async def hears(self) -> str:
        """What the script says: it has come so far."""
        return (await asyncio.to_thread(self.pipe.read_text)).strip()

    async def says_go_on(self) -> None:
        await asyncio.to_thread(self.pipe.write_text, "go on")

    async def watches(self) -> str:
        """The first line of a script that then holds the pipe open; look on with `sees_the_end`."""
        self._file = await asyncio.to_thread(self.pipe.open)
        return (await asyncio.to_thread(self._file.readline)).strip()

    async def sees_the_end(self) -> bool:
        """Nobody is left who holds the pipe, and nobody has said more."""
        async with asyncio.timeout(20):
            rest = await asyncio.to_thread(self._file.read)
        self._file.close()
        return rest == ""
