"""What a bot of these tests stands on: an EC2 and a Control API that do what they are told to."""

from collections.abc import AsyncIterator

import pytest

from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def talk(ec2: FakeEc2, clock: TurnedClock) -> AsyncIterator[Talk]:
    """A bot beside a healthy fleet of three, whose deploys end well at once."""
    ec2.forget()
    async with talk_with(clock, ec2) as talk:
        yield talk
