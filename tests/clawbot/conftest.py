"""What a bot of these tests stands on: an EC2 and a Control API that do what they are told to."""

from collections.abc import AsyncIterator

import pytest

from clawbot.settings import load
from clawbot.tracking import Tracker
from fleet_control.control_api import ControlApi
from tests.clawbot.control_api import Api, control_api
from tests.clawbot.talk import Talk, talk_with
from tests.clawbot.test_serve import SETTINGS
from tests.clawbot.told_fleet import ToldFleet, told_fleet
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


@pytest.fixture
async def fleet() -> AsyncIterator[ToldFleet]:
    """Nobody serves yet, and both channels are told of deploys from now on."""
    async with told_fleet() as one:
        yield one


@pytest.fixture
async def outside(clock: TurnedClock) -> AsyncIterator[tuple[Api, ControlApi]]:
    async with control_api(clock) as both:
        yield both


@pytest.fixture
async def tracker(outside: tuple[Api, ControlApi], clock: TurnedClock) -> AsyncIterator[Tracker]:
    usual = load(SETTINGS)
    tracker = Tracker(outside[1], clock, usual.running_every, usual.waiting_every)
    yield tracker
    await tracker.close()
