"""What systemd hears of the bot, over a real socket."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawbot.watchdog import watched
from tests.clock import TurnedClock


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1) if name[0] == "@" else name)
        listening.setblocking(False)
        yield name, listening


async def hears(listening: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(listening, 100), 5)


async def test_it_hears_that_we_live_what_we_say_and_that_we_end(
    systemd: tuple[str, socket.socket],
) -> None:
    name, listening = systemd
    clock = TurnedClock()
    async with watched({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"}, clock) as tell:
        assert await hears(listening) == b"WATCHDOG=1"
        tell("READY=1\nSTATUS=Telegram is away")
        assert await hears(listening) == b"READY=1\nSTATUS=Telegram is away"
        await clock.turn(30)
        assert await hears(listening) == b"WATCHDOG=1"

    assert await hears(listening) == b"STOPPING=1"


async def test_without_a_watchdog_only_what_we_say_and_the_end_are_told(
    systemd: tuple[str, socket.socket],
) -> None:
    name, listening = systemd
    async with watched({"NOTIFY_SOCKET": name}, TurnedClock()) as tell:
        tell("READY=1")
        assert await hears(listening) == b"READY=1"

    assert await hears(listening) == b"STOPPING=1"


async def test_elsewhere_nothing_is_told() -> None:
    async with watched({}, TurnedClock()) as tell:
        tell("READY=1")
