"""Whether telling the fleet's channel of a run is ours, by what the Control API answers."""

import asyncio

import pytest

from clawbot.fleet_channel.lease import ChannelLease
from fleet_control.announcement import Announcement
from fleet_control.control_api import ControlApi
from tests.clawbot.control_api import Api, run
from tests.clawbot.test_announcer import UNKNOWN
from tests.clock import TurnedClock

Outside = tuple[Api, ControlApi]


@pytest.fixture
def lease(outside: Outside, clock: TurnedClock) -> ChannelLease:
    return ChannelLease(outside[1], run(7), "discord:900", "demo", clock, Announcement("", "demo"))


async def renewed(lease: ChannelLease, clock: TurnedClock) -> bool | None:
    """What it says; None where it asks again later."""
    asking = asyncio.create_task(lease.renew())
    later = asyncio.create_task(clock.asleep(1))
    await asyncio.wait((asking, later), return_when=asyncio.FIRST_COMPLETED)
    later.cancel()
    if not asking.done():
        asking.cancel()
        return None
    return asking.result()


@pytest.mark.parametrize(
    ("silence", "by", "ours"),
    [
        ("", "demo", True),
        ("", "claw-2", False),
        ("told", "", True),
        ("told", "claw-2", False),
        ("duplicate", "demo", True),
        ("leased", "claw-2", False),
        ("living", "", False),
        ("earlier", "", False),
    ],
)
async def test_it_is_ours_where_nobody_else_tells_of_it(
    lease: ChannelLease, outside: Outside, clock: TurnedClock, silence: str, by: str, ours: bool
) -> None:
    outside[0].announced = {"silence": silence, "by": by}

    assert await renewed(lease, clock) is ours


async def test_it_stays_ours_while_the_run_is_not_known_yet_and_asks_again_at_any_other_trouble(
    lease: ChannelLease, outside: Outside, clock: TurnedClock
) -> None:
    outside[0].refused["announce"] = UNKNOWN
    assert await renewed(lease, clock) is True

    status, said = UNKNOWN
    outside[0].refused["announce"] = status, {**said, "code": "table_unreachable"}
    assert await renewed(lease, clock) is None


async def test_what_was_taken_just_now_is_certain(lease: ChannelLease) -> None:
    certain = asyncio.create_task(lease.certain())
    for _ in range(5):
        await asyncio.sleep(0)

    assert certain.done()


async def test_an_end_that_we_told_ourselves_was_told_by_nobody_else(
    lease: ChannelLease, outside: Outside
) -> None:
    outside[0].announced = {"silence": "told", "end": "failed"}
    told = []
    for doing in (lease.renew(), lease.ended("failed")):
        await doing
        told.append(lease.was_told)

    assert told == [True, False]
    assert outside[0].asked[-1]["end"] == "failed"


async def test_which_run_is_the_deploy_is_noted_where_it_is_another(
    lease: ChannelLease, outside: Outside
) -> None:
    await lease.is_of(7)
    assert outside[0].asked == []
    await lease.is_of(8)

    assert [one["run_id"] for one in outside[0].asked] == [8]
