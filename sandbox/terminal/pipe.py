"""A chat through a pipe: each line of a script, and below it its reply once that is settled."""

import asyncio
import os
from collections.abc import AsyncIterator

from rich.console import Console

from clawbot.replies import Reply
from fleet_control.clock import Clock
from sandbox.terminal.markup import heard, is_settled, render


class PipeOutput:
    """Prints each line and each settled reply once."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._last_said = ""

    def hear(self, said: str) -> None:
        self._console.print(heard(said), soft_wrap=True)
        self._last_said = said

    def show(self, said: str, _reply_id: str, reply: Reply) -> None:
        if not is_settled(reply):
            return
        if said and said != self._last_said:
            self.hear(said)  # other lines came between: say again what this answers
        self._console.print(render(reply, self._clock.now()), soft_wrap=True)
        self._console.print()


async def lines(fd: int) -> AsyncIterator[str]:
    """Whole lines as they are asked for; the last needs no end. What is not UTF-8 shows as `�`."""
    waiting = b""
    while chunk := await _chunk(fd):
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if waiting:
        yield waiting.decode(errors="replace")


async def _chunk(fd: int) -> bytes:
    """What can be read, once something can; without a thread that could be stuck in a read."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(fd, ready.set)
        await ready.wait()
    except PermissionError:
        pass  # a regular file: it can't be waited for, and need not be
    finally:
        loop.remove_reader(fd)
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""  # it was a terminal, and is gone
