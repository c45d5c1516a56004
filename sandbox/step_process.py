"""A step's script at work, in a process group of its own that always ends with it."""

import asyncio
import codecs
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_CHUNK = 65536
# How long GitHub's runner listens to what a script left behind in a session of its own.
_SECONDS_AFTER_THE_END = 5.0


async def execute(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], hear: Callable[[str], None]
) -> int:
    """The exit code; `hear` is given each line as it comes. OSError if it can't be started.

    What it left running in the background is killed, as is everything when we are cancelled.
    """
    # A pipe of our own: asyncio's would keep us waiting for whoever else still holds its end.
    ours, theirs = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    listening = asyncio.create_task(_listen(ours, hear))
    try:
        return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listening, _SECONDS_AFTER_THE_END)


async def _listen(pipe: int, hear: Callable[[str], None]) -> None:
    """Read lines until nobody can write any more."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(pipe, "rb", buffering=0)
    )
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    try:
        while chunk := await stream.read(_CHUNK):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                hear(line.removesuffix("\r"))
    finally:
        transport.close()
    if rest := rest + decoder.decode(b"", final=True):
        hear(rest)
