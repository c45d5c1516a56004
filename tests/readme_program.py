"""The programs that the README shows, run as they stand there."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ENDS_WITHIN_SECONDS = 40.0
_TEXT = (Path(__file__).parents[1] / "README.md").read_text()


def program(heading: str) -> str:
    """The one under that heading."""
    section = _TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (found,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return str(found)


@dataclass(frozen=True, slots=True)
class Running:
    process: asyncio.subprocess.Process

    async def ended(self, told: int) -> tuple[int | None, str, str]:
        """Its exit code, output and log, once it was sent that signal."""
        self.process.send_signal(told)
        async with asyncio.timeout(ENDS_WITHIN_SECONDS):
            output, log = await self.process.communicate()
        return self.process.returncode, output.decode(), log.decode()


@asynccontextmanager
async def running(source: str, environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """That program in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", source),
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
