"""Whose bot dies is told by another one, and says where it goes on once it is back."""

import pytest

from clawbot.replies import GoesOn
from tests.clawbot.told_fleet import AGENTS, ASKED_IN, BUTTON, CALLED, DISCORD, SAM, ToldFleet


@pytest.mark.parametrize("asked_in", [ASKED_IN, "900"])
async def test_a_reply_whose_bot_never_returns_is_answered_with_where_it_goes_on(
    fleet: ToldFleet, asked_in: str
) -> None:
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2", asked_in)
    await fleet.passes(290)
    assert len(fleet.discord.messages) == 1
    await fleet.passes(50)
    fleet.api.end(run)
    await fleet.passes(60)

    (told,) = fleet.told
    here = asked_in == "900"
    assert told.answers == (dead if here else "")
    assert fleet.discord.pointed == ([] if here else [(dead, fleet.discord.id_of(told))])
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_one_that_returns_within_five_minutes_goes_on_itself(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    run, _ = await fleet.ask_who_dies("claw-2")
    await fleet.passes(120)
    await fleet.start("claw-2")
    await fleet.passes(600)
    fleet.api.end(run)
    await fleet.passes(60)

    assert [one.is_final for one in fleet.discord.messages.values()] == [True]
    assert fleet.discord.called == [(f"discord:{ASKED_IN}", (SAM,))]


@pytest.mark.parametrize("ends_before", [False, True])
async def test_one_that_returns_later_says_where_it_goes_on_and_calls_nobody(
    fleet: ToldFleet, ends_before: bool
) -> None:
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(360)
    if ends_before:
        fleet.api.end(run)
        await fleet.passes(60)
    await fleet.start("claw-2")
    await fleet.passes(30)
    fleet.api.end(run)
    await fleet.passes(60)

    (told,) = fleet.told
    assert fleet.discord.messages[dead].shown[-1] == GoesOn(
        "Deploy claw-2", DISCORD, fleet.discord.id_of(told)
    )
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_whoever_takes_over_tells_it_anew_and_the_first_points_there_once_it_is_back(
    fleet: ToldFleet,
) -> None:
    await fleet.announced_by("claw-1", BUTTON)
    (first,) = fleet.discord.messages.values()
    await fleet.start("claw-2")
    await fleet.kill("claw-1")
    await fleet.passes(345)
    assert len(fleet.discord.messages) == 2
    await fleet.start("claw-1")
    await fleet.passes(60)
    fleet.api.end(7, "failure")
    await fleet.passes(300)

    (told,) = fleet.told
    assert told.author == "claw-2"
    assert first.shown[-1] == GoesOn("Deploy", DISCORD, fleet.discord.id_of(told))
    assert [one for one in first.shown if isinstance(one, GoesOn)] == first.shown[-1:]
    assert fleet.discord.called == [CALLED]


async def test_a_bot_that_is_started_again_goes_on_in_its_message(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    (told,) = fleet.discord.messages.values()
    await fleet.kill(told.author)
    await fleet.passes(30)
    await fleet.start(told.author)
    await fleet.passes(240)
    fleet.api.end(7)
    await fleet.passes(60)

    assert [*fleet.discord.messages.values()] == fleet.told == [told]


async def test_whoever_has_just_begun_leaves_a_dead_reply_for_two_minutes(
    fleet: ToldFleet,
) -> None:
    """It can't know whether the other bot had been as blind as itself until now."""
    await fleet.start("claw-2")
    await fleet.ask_who_dies("claw-2")
    await fleet.clock.turn(400)
    await fleet.start("claw-1")
    await fleet.passes(118)
    assert len(fleet.discord.messages) == 1
    await fleet.passes(30)

    assert len(fleet.discord.messages) == 2


@pytest.mark.parametrize("dies_at_first", [False, True])
async def test_whoever_took_the_younger_run_for_a_duplicate_tells_it_once_it_is_the_deploy(
    fleet: ToldFleet, dies_at_first: bool
) -> None:
    await fleet.announced_by("claw-1", AGENTS, AGENTS)
    await fleet.start("claw-2")
    await fleet.passes(45)
    if dies_at_first:
        await fleet.kill("claw-1")
    fleet.api.end(7, "cancelled")
    await fleet.passes(60)
    if not dies_at_first:
        await fleet.kill("claw-1")
    fleet.api.end(8, "failure")
    await fleet.passes(300)

    assert [(one.author, one.is_of(8)) for one in fleet.told] == [("claw-2", True)]
    assert fleet.discord.called == [CALLED]


@pytest.mark.parametrize("again", [False, True])
async def test_whom_their_own_reply_told_late_nobody_calls_again(
    fleet: ToldFleet, again: bool
) -> None:
    await fleet.start("claw-1", "claw-2")
    run, _ = await fleet.ask_who_dies("claw-2")
    await fleet.passes(340)
    async with fleet.api.client("claw-2") as author:
        await author.note_told(f"discord.claw-2.{ASKED_IN}.1", "failed")
    if again:
        await fleet.kill("claw-1")
    fleet.api.end(run, "failure")
    if again:
        await fleet.start("claw-1")
    await fleet.passes(180)

    assert len(fleet.told) == 1
    assert fleet.discord.called == []
