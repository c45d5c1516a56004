"""What an announcer stands on is away for a while, or takes nothing from it any more."""

import pytest

from clawbot.replies import GoesOn
from tests.clawbot.told_fleet import AGENTS, ASKED_IN, BUTTON, CALLED, DISCORD, SAM, ToldFleet


@pytest.mark.parametrize("table", [False, True])
async def test_an_hour_without_the_control_api_or_its_table_gives_up_no_reply_that_lives(
    fleet: ToldFleet, table: bool
) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(60)
    before = set(fleet.discord.messages)
    fleet.lose(table=table)
    await fleet.passes(3600, step=120)
    fleet.find()
    await fleet.passes(300)
    fleet.api.end(run)
    fleet.api.end(7, "failure")
    await fleet.passes(60)

    assert set(fleet.discord.messages) == before
    assert len(fleet.told) == 1
    assert sorted(fleet.discord.called) == sorted([CALLED, (f"discord:{ASKED_IN}", (SAM,))])


@pytest.mark.parametrize("table", [False, True])
async def test_what_ends_in_such_an_hour_is_told_after_it_and_once(
    fleet: ToldFleet, table: bool
) -> None:
    await fleet.start("claw-1", "claw-2", "claw-3")
    fleet.api.begin(BUTTON, 7)
    run = await fleet.ask("claw-3")
    await fleet.passes(60)
    fleet.lose(table=table)
    await fleet.kill("claw-3")
    fleet.api.end(7, "failure")
    fleet.api.begin(AGENTS, 8)
    fleet.api.end(8, "failure")
    await fleet.passes(3600, step=120)
    fleet.api.end(run)
    fleet.find()
    await fleet.passes(400)

    assert len(fleet.told) == 3
    assert sorted(fleet.discord.called) == sorted([CALLED, CALLED, (DISCORD, (SAM,))])


async def test_a_bot_that_can_not_speak_there_leaves_it_to_another(fleet: ToldFleet) -> None:
    await fleet.start("claw-1")
    fleet.discord.shut_out = {"claw-1"}
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    await fleet.start("claw-2")
    await fleet.passes(240)

    assert [one.author for one in fleet.discord.messages.values()] == ["claw-2"]


async def test_a_bot_that_alone_lost_sight_says_no_end_that_another_told_meanwhile(
    fleet: ToldFleet,
) -> None:
    await fleet.announced_by("claw-1", BUTTON)
    await fleet.start("claw-2")
    await fleet.passes(45)
    fleet.api.cut_off = {"claw-1"}
    await fleet.passes(240)
    fleet.api.end(7, "failure")
    await fleet.passes(60)
    fleet.api.cut_off = set()
    await fleet.passes(210)

    (told,) = fleet.told
    (first,) = (one for one in fleet.discord.messages.values() if one is not told)
    assert (told.author, first.shown[-1]) == (
        "claw-2",
        GoesOn("Deploy", DISCORD, fleet.discord.id_of(told)),
    )
    assert fleet.discord.called == [CALLED]


@pytest.mark.parametrize("is_muted", [False, True])
async def test_one_that_is_put_out_of_the_channel_leaves_the_end_to_another(
    fleet: ToldFleet, is_muted: bool
) -> None:
    """One that is muted can still show the end, but calls nobody."""
    await fleet.announced_by("claw-1", BUTTON)
    await fleet.start("claw-2")
    out = fleet.discord.muted if is_muted else fleet.discord.put_out
    out.add("claw-1")
    fleet.api.end(7, "failure")
    await fleet.passes(360)

    assert [one.author for one in fleet.told] == ["claw-2"]
    assert fleet.discord.called == [CALLED]


async def test_a_channel_that_was_closed_to_all_has_the_end_in_the_message_that_stood_there(
    fleet: ToldFleet,
) -> None:
    """As a topic that is closed for a while: edits are taken there, and nothing new. Another bot
    had the lease meanwhile, and could say nothing."""
    await fleet.announced_by("claw-1", BUTTON)
    await fleet.start("claw-2")
    fleet.discord.muted |= {"claw-1", "claw-2"}
    fleet.api.end(7, "failure")
    await fleet.passes(270)
    (row,) = (row for key, row in fleet.api.rows().items() if key.startswith("announce#7#"))
    assert row["by"]["S"] == "claw-2"
    await fleet.kill("claw-2")
    fleet.discord.muted.clear()
    await fleet.passes(600)

    assert [*fleet.discord.messages.values()] == fleet.told
    assert [one.author for one in fleet.told] == ["claw-1"]
    assert fleet.discord.called == [CALLED]


async def test_a_platform_that_is_away_is_told_of_the_end_once_it_is_back(
    fleet: ToldFleet,
) -> None:
    await fleet.announced_by("claw-1", BUTTON, AGENTS)
    fleet.api.begin(BUTTON, 9)
    fleet.discord.away = True
    await fleet.passes(30)
    for run in (7, 8, 9):
        fleet.api.end(run, "failure")
    await fleet.passes(1800, step=60)
    fleet.discord.away = False
    await fleet.passes(400, step=30)

    assert len(fleet.told) == len(fleet.discord.messages) == 3
    assert fleet.discord.called == [CALLED] * 3
