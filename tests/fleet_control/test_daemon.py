"""Blocking work beside the event loop."""

import subprocess
import sys

import pytest

from fleet_control.daemon import in_daemon


async def test_it_gives_what_the_work_returns_or_raises() -> None:
    assert await in_daemon(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_daemon(divmod, 7, 0)


def test_a_program_ends_though_the_work_hangs() -> None:
    program = """
import asyncio, time
from fleet_control.daemon import in_daemon

async def main():
    try:
        await asyncio.wait_for(in_daemon(time.sleep, 60), 0.01)
    except TimeoutError:
        print("left")

asyncio.run(main())
"""
    ended = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "left\n"
