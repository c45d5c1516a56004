"""An announcer is killed at any moment of its telling, and each deploy is told once."""

from random import Random

import pytest

from tests.clawbot.told_fleet import BUTTON, CALLED, ToldFleet

MOMENTS = range(1, 7)
SENT, CALLED_AT = 2, 6


@pytest.mark.parametrize("fatal", MOMENTS)
async def test_a_bot_killed_at_any_moment_of_its_telling_is_followed_by_another(
    fleet: ToldFleet, fatal: int
) -> None:
    """It is killed before or after its message, its end or its call was taken."""
    fleet.discord.fatal = "claw-1", fatal
    await fleet.announced_by("claw-1", BUTTON)
    await fleet.start("claw-2")
    fleet.api.end(7, "failure")
    await fleet.passes(360)
    assert fleet.discord.frozen == {"claw-1"}
    await fleet.start("claw-1")
    await fleet.passes(60)

    assert [one.author for one in fleet.told] == ["claw-2"]
    assert fleet.discord.called == [CALLED] * (2 if fatal == CALLED_AT else 1)


@pytest.mark.parametrize("fatal", MOMENTS)
async def test_a_bot_killed_at_any_moment_of_its_telling_goes_on_when_it_is_back(
    fleet: ToldFleet, fatal: int
) -> None:
    fleet.discord.fatal = "claw-1", fatal
    await fleet.announced_by("claw-1", BUTTON)
    fleet.api.end(7, "failure")
    await fleet.passes(45)
    assert fleet.discord.frozen == {"claw-1"}
    await fleet.start("claw-1")
    await fleet.passes(60)

    assert len(fleet.told) == 1
    assert len(fleet.discord.messages) == (2 if fatal == SENT else 1)
    assert fleet.discord.called == [CALLED] * (2 if fatal == CALLED_AT else 1)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_each_deploy_is_told_once(fleet: ToldFleet, seed: int) -> None:
    """Two calls only where a bot is killed between a platform's taking something and our noting
    that."""
    chance = Random(seed)  # noqa: S311  (a test that goes the same way each time)
    await fleet.start("claw-1", "claw-2")
    fleet.api.begin(BUTTON, 7)
    asked = await fleet.ask("claw-2")
    unnoted = 0
    for _ in range(18):
        what = chance.choice(("kill", "start", "api", "table", "platform", "back", "end", "wait"))
        killed = chance.choice(("claw-1", "claw-2"))
        if what == "kill" and killed in fleet.running:
            unnoted += fleet.api.away or fleet.is_without_table
            await fleet.kill(killed)
        elif what == "start" and killed not in fleet.running:
            await fleet.start(killed)
        elif what in ("api", "table"):
            fleet.lose(table=what == "table")
        elif what == "platform":
            fleet.discord.away = True
        elif what == "back":
            fleet.find()
        elif what == "end":
            _end_any(fleet, chance, (7, asked))
        await fleet.passes(chance.choice((30, 90, 240)), step=30)
    fleet.find()
    await fleet.start(*{"claw-1", "claw-2"} - fleet.running.keys())
    await fleet.passes(400, step=30)
    for _ in range(20):
        _end_any(fleet, chance, (7, asked))
    await fleet.passes(900, step=30)

    for run in (7, asked):
        told = [one for one in fleet.discord.messages.values() if one.is_final and one.is_of(run)]
        assert 1 <= len(told) <= 1 + unnoted
    assert 2 <= len(fleet.discord.called) <= 2 + unnoted


def _end_any(fleet: ToldFleet, chance: Random, runs: tuple[int, ...]) -> None:
    run = chance.choice(runs)
    if not any(one["id"] == run and one["conclusion"] for one in fleet.api.github.runs):
        fleet.api.end(run, "failure")
