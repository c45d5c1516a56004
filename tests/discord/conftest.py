"""A guild on loopback, and a bot that serves it."""

from collections.abc import AsyncIterator

import pytest

from tests.clock import TurnedClock
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2


@pytest.fixture
async def scene(ec2: FakeEc2) -> AsyncIterator[DiscordScene]:
    """Nobody is logged in yet; whatever was sent, Discord would have taken."""
    ec2.forget()
    async with DiscordScene(TurnedClock(), ec2) as scene:
        yield scene
    assert scene.discord.problems == []
