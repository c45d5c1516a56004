"""Three bots, and the table that they share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.moto import MotoServer
from tests.announced.three_bots import ThreeBots
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2


@pytest.fixture(autouse=True)
def _times_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns of each RetryAfter otherwise, whether or not anybody reads its time."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture(scope="session")
def aws(python: Path) -> Iterator[str]:
    """In a process of its own: what it does takes no time of the bots'."""
    server = MotoServer((), python=python)
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture
async def bots(ec2: FakeEc2, aws: str) -> AsyncIterator[ThreeBots]:
    """Nobody serves yet."""
    ec2.forget()
    async with ThreeBots(TurnedClock(), ec2, aws) as bots:
        yield bots
    assert bots.discord.problems == []
