"""A channel that takes something again, and a run that is run again: told once all the same."""

from collections.abc import AsyncIterator

import pytest

from fleet_control.ledger import Entry
from tests.clawbot.told_fleet import ToldFleet, told_fleet
from tests.clawbot.told_platform import CHANNELS, ON_CALL

CALLED = (CHANNELS["discord"], (ON_CALL["discord"],))


@pytest.fixture
async def fleet() -> AsyncIterator[ToldFleet]:
    async with told_fleet() as fleet:
        fleet.api.begin(Entry(), 7)
        await fleet.start("claw-1")
        await fleet.passes(45)
        yield fleet


@pytest.mark.parametrize("is_muted", [False, True])
async def test_the_only_bot_there_says_the_end_once_it_is_let_again(
    fleet: ToldFleet, is_muted: bool
) -> None:
    out = fleet.discord.muted if is_muted else fleet.discord.put_out
    out.add("claw-1")
    fleet.api.end(7, "failure")
    await fleet.passes(480)
    assert fleet.discord.called == []
    out.clear()
    await fleet.passes(240)

    assert [*fleet.discord.messages.values()] == fleet.told
    assert fleet.discord.called == [CALLED]


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_run_that_somebody_runs_again_is_not_told_again(
    fleet: ToldFleet, restarts: bool
) -> None:
    """That stops at once, having touched nothing, and says so to whoever did it."""
    fleet.api.end(7, "failure")
    await fleet.passes(45)
    fleet.api.move(7, status="in_progress", conclusion=None, run_attempt=2)
    if restarts:
        await fleet.kill("claw-1")
        await fleet.start("claw-1")
    await fleet.passes(60)
    fleet.api.end(7, "failure")
    await fleet.passes(60)

    (told,) = fleet.told
    assert len(told.shown) == 2
    assert fleet.discord.called == [CALLED]
