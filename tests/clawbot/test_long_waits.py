"""A deploy that waits for days, for a reviewer or behind one that does, is told to its end, too."""

from collections.abc import AsyncIterator

import pytest

from fleet_control.ledger import Entry
from tests.clawbot.told_fleet import ToldFleet, told_fleet
from tests.clawbot.told_platform import CHANNELS, ON_CALL

DAYS = 4 * 24 * 3600.0


@pytest.fixture
async def fleet() -> AsyncIterator[ToldFleet]:
    async with told_fleet() as one:
        yield one


@pytest.mark.parametrize("comes", ["claw-1", "claw-2"])
async def test_whoever_is_there_after_days_goes_on_with_an_announcement(
    fleet: ToldFleet, comes: str
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(Entry(), 7)
    await fleet.passes(45)
    await fleet.kill("claw-1")
    await fleet.clock.turn(DAYS)
    await fleet.start(comes)
    await fleet.passes(60)
    fleet.api.end(7, "failure")
    await fleet.passes(60)

    (told,) = fleet.told
    assert told.author == comes
    assert fleet.discord.called == [(CHANNELS["discord"], (ON_CALL["discord"],))]


async def test_whoever_was_asked_goes_on_after_days_where_nobody_else_did(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-2")
    run = await fleet.ask("claw-2")
    await fleet.kill("claw-2")
    await fleet.clock.turn(DAYS)
    await fleet.start("claw-2")
    await fleet.passes(60)
    fleet.api.end(run)
    await fleet.passes(60)

    (reply,) = fleet.discord.messages.values()
    assert reply.is_final


async def test_a_second_run_of_one_ask_is_no_deploy_of_its_own_after_days_either(
    fleet: ToldFleet,
) -> None:
    agents = Entry("agent.claw-2.cli.41", target="claw-1", caller="claw-2")
    await fleet.start("claw-1")
    fleet.api.begin(agents, 7)
    fleet.api.begin(agents, 8)
    await fleet.clock.turn(DAYS)
    await fleet.passes(120)
    fleet.api.end(7)
    fleet.api.end(8, "failure")
    await fleet.passes(120)

    (told,) = fleet.told
    assert told.is_of(7)
