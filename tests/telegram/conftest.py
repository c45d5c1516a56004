"""Chats on loopback, and a bot that serves them."""

from collections.abc import AsyncIterator

import pytest

from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.telegram.scene import TelegramScene


@pytest.fixture(autouse=True)
def _times_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns of each RetryAfter otherwise, whether or not anybody reads its time."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def scene(ec2: FakeEc2) -> AsyncIterator[TelegramScene]:
    """Nobody polls yet."""
    ec2.forget()
    async with TelegramScene(TurnedClock(), ec2) as scene:
        yield scene
