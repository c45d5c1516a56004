"""What the watch remembers of hosts that it saw, for when neither EC2 nor the ledger knows them."""

from collections.abc import AsyncIterator

import pytest

from fleet_control.watch_state import read
from tests.clawbot.bots import registry
from tests.clawbot.watched_fleet import CHANNEL, IDS, WatchedFleet, watched_fleet
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import FakeEc2

FORGOTTEN = [Claw("claw-1"), Claw("claw-3")]


@pytest.fixture
async def fleet(ec2: FakeEc2) -> AsyncIterator[WatchedFleet]:
    async with watched_fleet(ec2) as watched:
        yield watched


async def test_a_host_that_was_seen_is_gone_though_nobody_looked_for_days(
    fleet: WatchedFleet,
) -> None:
    await fleet.start("claw-1")
    await fleet.pass_(1)
    await fleet.kill("claw-1")
    await fleet.clock.turn(2 * 86_400)
    stage(fleet.ec2, FORGOTTEN)
    await fleet.start("claw-3")
    await fleet.pass_(5)

    assert [words.partition(" ")[2] for words in fleet.channel.words] == ["wrong claw-2 missing"]
    ((_, report),) = fleet.channel.told
    assert (report.wrong[0].words, report.calls) == ("no host", ("discord:&9",))


async def test_of_a_host_that_nobody_saw_it_is_said_that_no_deploy_is_known(
    fleet: WatchedFleet,
) -> None:
    stage(fleet.ec2, FORGOTTEN)
    await fleet.start("claw-1")
    await fleet.pass_(5)

    ((_, report),) = fleet.channel.told
    assert report.wrong[0].words == "no host, and no deploy of it is known"
    assert report.calls == ()


async def test_an_entry_that_was_removed_meanwhile_is_new_when_it_comes_again(
    fleet: WatchedFleet,
) -> None:
    await fleet.start("claw-1")
    await fleet.pass_(1)
    await fleet.kill("claw-1")
    stage(fleet.ec2, FORGOTTEN)
    fleet.api.github.registry = registry("claw-1", "claw-3").encode()
    await fleet.start("claw-3")
    await fleet.pass_(4)
    fleet.api.github.registry = registry(*IDS).encode()
    await fleet.pass_(7)

    assert [words.partition(" ")[2] for words in fleet.channel.words] == [
        "wrong claw-2 not_deployed"
    ]


async def test_while_nothing_changes_only_who_has_a_host_is_written_and_once(
    fleet: WatchedFleet,
) -> None:
    await fleet.start("claw-1")
    await fleet.pass_(4)

    (ask,) = [ask for ask in fleet.api.asked if "state" in ask]
    assert read(ask["state"]).had_host == {*IDS}
    assert ask["channel"] == CHANNEL
