"""GitHub's token, as the watch tells of it while GitHub itself answers nobody any more."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from fleet_control.fault import Problem
from tests.clawbot.watched_fleet import ILL, WatchedFleet, watched_fleet
from tests.fleet_control.aws import FakeEc2


@pytest.fixture
async def fleet(ec2: FakeEc2) -> AsyncIterator[WatchedFleet]:
    async with watched_fleet(ec2) as watched:
        yield watched


async def test_a_token_that_ends_and_ended_is_told_each_once_and_what_falls_ill_meanwhile(
    fleet: WatchedFleet,
) -> None:
    """The registry is the last one that was read, and the fleet's hosts are EC2's to tell."""
    ends = datetime.fromtimestamp(fleet.clock.now() + 1200, UTC)
    fleet.api.github.ends = ends.strftime("%Y-%m-%d %H:%M:%S UTC")
    await fleet.start("claw-1")
    await fleet.pass_(20)
    fleet.api.github.token = "another"
    fleet.shows(ILL)
    await fleet.pass_(7)

    assert [
        [(one.of, one.problem) for one in report.wrong] for _, report in fleet.channel.told
    ] == [
        [("", Problem.TOKEN_ENDS)],
        [("claw-2", Problem.NOT_HEALTHY), ("", Problem.TOKEN_ENDED)],
    ]
