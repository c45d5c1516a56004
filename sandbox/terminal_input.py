"""What is typed or piped into this process, without a thread that could be stuck in a read."""

import asyncio
import codecs
import os
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65536


async def chunks(fd: int) -> AsyncIterator[str]:
    """What arrives, as it arrives; what is not UTF-8 shows as `�`."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        await _readable(fd)
        try:
            chunk = os.read(fd, _CHUNK)
        except OSError:
            return  # the terminal is gone
        if not chunk:
            return
        yield decoder.decode(chunk)


async def lines(fd: int) -> AsyncIterator[str]:
    """Whole lines, one each time one is asked for; the last needs no end of line."""
    waiting = ""
    async for chunk in chunks(fd):
        *whole, waiting = (waiting + chunk).split("\n")
        for line in whole:
            yield line
    if waiting:
        yield waiting


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(fd, ready.set)
    except PermissionError:
        return  # a regular file: it can't be waited for, and need not be
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)


@contextmanager
def each_key(fd: int) -> Iterator[None]:
    """Keys arrive one by one and unechoed; Ctrl-C still interrupts. As before afterwards.

    What was typed ahead, while the prompt was not there yet, is kept.
    """
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSADRAIN)
    now = termios.tcgetattr(fd)
    # Being stopped by Ctrl-Z would leave the terminal like this.
    now[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(fd, termios.TCSANOW, now)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
