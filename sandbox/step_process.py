"""A step's script at work, in a process group of its own that always ends with it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path


async def execute(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], said: Path
) -> int:
    """The exit code; what it says goes to the file `said`. OSError if it can't be started.

    What it left running in the background is killed, as is everything when we are cancelled.
    """
    with said.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
