"""A guild on loopback, and a bot that serves it."""

import warnings
from collections.abc import AsyncIterator

import pytest

# On Python 3.11 and 3.12 importing discord.py touches a module of the standard library that is
# going away.
warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)

from tests.clock import TurnedClock  # noqa: E402  (the filter comes before the import it is for)
from tests.discord.scene import Scene  # noqa: E402  (as above)
from tests.fleet_control.aws import Aws  # noqa: E402  (as above)


@pytest.fixture
async def scene(ec2: Aws) -> AsyncIterator[Scene]:
    """Nobody is logged in yet; whatever was sent, Discord would have taken."""
    ec2.forget()
    async with Scene(TurnedClock(), ec2) as scene:
        yield scene
    assert scene.discord.problems == []
