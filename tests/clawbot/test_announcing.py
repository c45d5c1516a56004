"""The fleet's channel is told once of each deploy that no living reply tells."""

from collections.abc import AsyncIterator
from random import Random

import pytest

from clawbot.fleet_channel.telling import CALLED_FOR
from clawbot.progress import Stage
from clawbot.replies import Deploying, GoesOn
from fleet_control.ledger import Entry
from tests.clawbot.told_fleet import ASKED_IN, CHANNELS, ON_CALL, SAM, ToldFleet, told_fleet

DISCORD = CHANNELS["discord"]
CALLED = (DISCORD, (ON_CALL["discord"],))
BUTTON = Entry()
AGENTS = Entry("agent.claw-2.cli.41", target="claw-1", caller="claw-2")


@pytest.fixture
async def fleet() -> AsyncIterator[ToldFleet]:
    async with told_fleet() as one:
        yield one


@pytest.mark.parametrize("entry", [BUTTON, AGENTS])
async def test_what_nobody_asked_for_in_a_chat_is_told_at_once_by_one_bot(
    fleet: ToldFleet, entry: Entry
) -> None:
    await fleet.start("claw-1", "claw-2", "claw-3")
    fleet.api.begin(entry, 7)
    await fleet.passes(60)
    (told,) = fleet.discord.messages.values()
    assert isinstance(told.shown[-1], Deploying)
    assert told.shown[-1].progress.stage is Stage.QUEUED

    fleet.api.end(7, "failure")
    await fleet.passes(60)

    assert fleet.told == [told]
    assert fleet.discord.called == [CALLED]


async def test_one_that_ended_well_calls_nobody_who_did_not_ask(fleet: ToldFleet) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(30)
    fleet.api.end(7)
    await fleet.passes(60)

    assert len(fleet.told) == 1
    assert fleet.discord.called == []


async def test_each_platform_s_channel_is_told_and_calls_its_own(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2", platforms=("discord", "telegram"))
    run = await fleet.ask("claw-2")
    await fleet.kill("claw-2")
    await fleet.passes(340)
    fleet.api.end(run, "failure")
    await fleet.passes(60)

    assert len(fleet.told) == len(fleet.telegram.told(CHANNELS["telegram"])) == 1
    assert fleet.discord.called == [(DISCORD, (SAM, ON_CALL["discord"]))]
    assert fleet.telegram.called == [(CHANNELS["telegram"], (ON_CALL["telegram"],))]


async def test_what_a_living_reply_tells_is_told_nowhere_else(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2")
    await fleet.passes(420)
    fleet.api.end(run)
    await fleet.passes(400)

    assert fleet.told == []
    assert [one.is_final for one in fleet.discord.messages.values()] == [True]
    assert fleet.discord.called == [(f"discord:{ASKED_IN}", (SAM,))]


@pytest.mark.parametrize("asked_in", [ASKED_IN, "900"])
async def test_a_reply_whose_bot_never_returns_is_answered_with_where_it_goes_on(
    fleet: ToldFleet, asked_in: str
) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2", channel=asked_in)
    (dead,) = fleet.discord.messages
    await fleet.kill("claw-2")
    await fleet.passes(290)
    assert len(fleet.discord.messages) == 1
    await fleet.passes(50)
    fleet.api.end(run)
    await fleet.passes(60)

    (told,) = fleet.told
    (to,) = (id_ for id_, one in fleet.discord.messages.items() if one is told)
    here = asked_in == "900"
    assert told.answers == (dead if here else "")
    assert fleet.discord.pointed == ([] if here else [(dead, to)])
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_one_that_returns_within_five_minutes_goes_on_itself(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2")
    await fleet.kill("claw-2")
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
    run = await fleet.ask("claw-2")
    (dead,) = fleet.discord.messages.values()
    await fleet.kill("claw-2")
    await fleet.passes(360)
    if ends_before:
        fleet.api.end(run)
        await fleet.passes(60)
    await fleet.start("claw-2")
    await fleet.passes(30)
    fleet.api.end(run)
    await fleet.passes(60)

    (told,) = fleet.told
    (to,) = (id_ for id_, one in fleet.discord.messages.items() if one is told)
    assert dead.shown[-1] == GoesOn("Deploy claw-2", DISCORD, to)
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_whoever_takes_over_tells_it_anew_and_the_first_points_there_once_it_is_back(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    (first,) = fleet.discord.messages.values()
    await fleet.start("claw-2")
    await fleet.kill("claw-1")
    await fleet.passes(345)
    assert len(fleet.discord.messages) == 2
    await fleet.start("claw-1")
    await fleet.passes(60)
    fleet.api.end(7, "cancelled")
    await fleet.passes(300)

    (told,) = fleet.told
    (to,) = (id_ for id_, one in fleet.discord.messages.items() if one is told)
    assert told.author == "claw-2"
    assert first.shown[-1] == GoesOn("Deploy", DISCORD, to)
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


async def test_what_ended_while_all_were_away_is_told_at_once(fleet: ToldFleet) -> None:
    fleet.api.begin(BUTTON, 7)
    fleet.api.end(7, "failure")
    await fleet.clock.turn(3600)
    await fleet.start("claw-1", "claw-2")
    await fleet.passes(60)

    (told,) = fleet.told
    assert len(told.shown) == 1
    assert fleet.discord.called == [CALLED]


async def test_twenty_at_once_have_a_message_each(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    for run in range(20):
        fleet.api.begin(BUTTON, 7 + run)
    await fleet.passes(60)
    assert len(fleet.discord.messages) == 20
    for run in range(20):
        fleet.api.end(7 + run, "failure")
    await fleet.passes(60)

    assert len(fleet.told) == len(fleet.discord.messages) == 20
    assert fleet.discord.called == [CALLED] * 20


async def test_what_began_before_the_channel_was_told_at_all_stays_untold(
    fleet: ToldFleet,
) -> None:
    """An upgrade tells no old runs."""
    fleet.api.begin(BUTTON, 7, created_at="2026-09-21T13:00:00Z")
    fleet.api.end(7)
    await fleet.start("claw-1", "claw-2")
    await fleet.passes(90)

    assert fleet.discord.messages == {}
    assert fleet.api.count("announce") == 2


@pytest.mark.parametrize("table", [False, True])
async def test_an_hour_without_the_control_api_or_its_table_gives_up_no_reply_that_lives(
    fleet: ToldFleet, table: bool
) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(60)
    before = set(fleet.discord.messages)
    _lose(fleet, table)
    await fleet.passes(3600, step=120)
    _find(fleet)
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
    _lose(fleet, table)
    await fleet.kill("claw-3")
    fleet.api.end(7, "failure")
    fleet.api.begin(AGENTS, 8)
    fleet.api.end(8, "failure")
    await fleet.passes(3600, step=120)
    fleet.api.end(run)
    _find(fleet)
    await fleet.passes(400)

    assert len(fleet.told) == 3
    assert sorted(fleet.discord.called) == sorted([CALLED, CALLED, (DISCORD, (SAM,))])


async def test_whoever_has_just_begun_leaves_a_dead_reply_for_two_minutes(
    fleet: ToldFleet,
) -> None:
    """It can't know whether the other bot had been as blind as itself until now."""
    await fleet.start("claw-2")
    await fleet.ask("claw-2")
    await fleet.kill("claw-2")
    await fleet.clock.turn(400)
    await fleet.start("claw-1")
    await fleet.passes(118)
    assert len(fleet.discord.messages) == 1
    await fleet.passes(30)

    assert len(fleet.discord.messages) == 2


async def test_it_looks_twice_a_minute_and_asks_no_more_about_what_is_settled(
    fleet: ToldFleet,
) -> None:
    fleet.api.begin(BUTTON, 7)
    fleet.api.end(7)
    await fleet.start("claw-1", "claw-2")
    await fleet.passes(240)
    listed, asked = fleet.api.count("runs"), fleet.api.count("announce")
    await fleet.passes(300)

    assert (fleet.api.count("runs") - listed, fleet.api.count("announce") - asked) == (20, 0)


async def test_a_bot_that_can_not_speak_there_leaves_it_to_another(fleet: ToldFleet) -> None:
    await fleet.start("claw-1")
    fleet.discord.shut_out = {"claw-1"}
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    await fleet.start("claw-2")
    await fleet.passes(240)

    assert [one.author for one in fleet.discord.messages.values()] == ["claw-2"]


async def test_where_another_run_turns_out_to_be_the_deploy_the_same_message_tells_it(
    fleet: ToldFleet,
) -> None:
    """An ask may come to two runs, of which the older was cancelled while it waited."""
    await fleet.start("claw-1", "claw-2")
    fleet.api.begin(AGENTS, 7)
    fleet.api.begin(AGENTS, 8)
    await fleet.passes(45)
    fleet.api.end(7, "cancelled")
    await fleet.passes(60)
    fleet.api.end(8, "failure")
    await fleet.passes(90)

    assert [*fleet.discord.messages.values()] == fleet.told
    assert fleet.told[0].is_of(8)
    assert fleet.discord.called == [CALLED]


@pytest.mark.parametrize("dies_at_first", [False, True])
async def test_whoever_took_the_younger_run_for_a_duplicate_tells_it_once_it_is_the_deploy(
    fleet: ToldFleet, dies_at_first: bool
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(AGENTS, 7)
    fleet.api.begin(AGENTS, 8)
    await fleet.passes(45)
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


async def test_a_bot_that_alone_lost_sight_says_no_end_that_another_told_meanwhile(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    await fleet.start("claw-2")
    await fleet.passes(45)
    fleet.api.cut_off = {"claw-1"}
    await fleet.passes(240)
    fleet.api.end(7, "failure")
    await fleet.passes(60)
    fleet.api.cut_off = set()
    await fleet.passes(210)

    (told,) = fleet.told
    (to,) = (id_ for id_, one in fleet.discord.messages.items() if one is told)
    (first,) = (one for one in fleet.discord.messages.values() if one is not told)
    assert (told.author, first.shown[-1]) == ("claw-2", GoesOn("Deploy", DISCORD, to))
    assert fleet.discord.called == [CALLED]


@pytest.mark.parametrize("is_muted", [False, True])
async def test_one_that_is_put_out_of_the_channel_leaves_the_end_to_another(
    fleet: ToldFleet, is_muted: bool
) -> None:
    """One that is muted can still show the end, but calls nobody."""
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
    await fleet.start("claw-2")
    out = fleet.discord.muted if is_muted else fleet.discord.put_out
    out.add("claw-1")
    fleet.api.end(7, "failure")
    await fleet.passes(360)

    assert [one.author for one in fleet.told] == ["claw-2"]
    assert fleet.discord.called == [CALLED]


async def test_one_run_that_the_table_has_in_an_unknown_form_silences_no_other(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1", "claw-2")
    table = fleet.api.client_of_table()
    row = {"pk": {"S": f"announce#7#{DISCORD}"}, "earlier": {"S": "later"}}
    table.put_item(TableName=fleet.api.environ["CONTROL_TABLE"], Item=row)
    fleet.api.begin(BUTTON, 7)
    fleet.api.begin(BUTTON, 8)
    await fleet.ask("claw-2")
    await fleet.kill("claw-2")
    await fleet.passes(345)

    assert [one.is_of(8) for one in fleet.discord.messages.values()].count(True) == 1
    assert len(fleet.discord.messages) == 3


@pytest.mark.parametrize("again", [False, True])
async def test_whom_their_own_reply_told_late_nobody_calls_again(
    fleet: ToldFleet, again: bool
) -> None:
    await fleet.start("claw-1", "claw-2")
    run = await fleet.ask("claw-2")
    await fleet.kill("claw-2")
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


def test_those_on_call_are_called_where_it_failed_was_cancelled_or_is_not_known() -> None:
    """Whoever stopped a roll between two hosts meant to."""
    over = {Stage.DONE, Stage.FAILED, Stage.CANCELLED, Stage.STOPPED, Stage.UNKNOWN}

    assert over - {*CALLED_FOR} == {Stage.DONE, Stage.STOPPED}


async def test_a_platform_that_is_away_is_told_of_the_end_once_it_is_back(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    fleet.api.begin(AGENTS, 8)
    await fleet.passes(45)
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


def _lose(fleet: ToldFleet, table: bool) -> None:
    if table:
        fleet.api.lose_table()
    else:
        fleet.api.away = True


def _find(fleet: ToldFleet) -> None:
    """Everything is there again."""
    fleet.api.away = fleet.discord.away = False
    fleet.api.find_table()


def _end_any(fleet: ToldFleet, chance: Random, runs: tuple[int, ...]) -> None:
    run = chance.choice(runs)
    if not any(one["id"] == run and one["conclusion"] for one in fleet.api.github.runs):
        fleet.api.end(run, "failure")


MOMENTS = range(1, 7)
SENT, CALLED_AT = 2, 6


@pytest.mark.parametrize("fatal", MOMENTS)
async def test_a_bot_killed_at_any_moment_of_its_telling_is_followed_by_another(
    fleet: ToldFleet, fatal: int
) -> None:
    """It is killed before or after its message, its end or its call was taken."""
    fleet.discord.fatal = "claw-1", fatal
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
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
    await fleet.start("claw-1")
    fleet.api.begin(BUTTON, 7)
    await fleet.passes(45)
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
            _lose(fleet, table=what == "table")
        elif what == "platform":
            fleet.discord.away = True
        elif what == "back":
            _find(fleet)
        elif what == "end":
            _end_any(fleet, chance, (7, asked))
        await fleet.passes(chance.choice((30, 90, 240)), step=30)
    _find(fleet)
    await fleet.start(*{"claw-1", "claw-2"} - fleet.running.keys())
    await fleet.passes(400, step=30)
    for _ in range(20):
        _end_any(fleet, chance, (7, asked))
    await fleet.passes(900, step=30)

    for run in (7, asked):
        told = [one for one in fleet.discord.messages.values() if one.is_final and one.is_of(run)]
        assert 1 <= len(told) <= 1 + unnoted
    assert 2 <= len(fleet.discord.called) <= 2 + unnoted
