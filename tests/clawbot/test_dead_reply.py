"""Another bot's dead reply is answered once with where its deploy is told now, whoever is killed.

Once more only where a bot is killed between a platform's taking that and our noting it.
"""

import pytest

from clawbot.replies import GoesOn
from tests.clawbot.told_fleet import ASKED_IN, DISCORD, SAM, ToldFleet
from tests.clawbot.told_platform import ON_CALL

HERE = DISCORD.partition(":")[2]
# Of the bot that announces: its message was taken, the dead reply is answered, that was taken; the
# same of the end's edit and its call follow.
SENT, POINTS, POINTED, ENDED, CALLED = 2, 3, 4, 6, 8
MOMENTS = range(1, CALLED + 1)


def _answered(fleet: ToldFleet, dead: str) -> list[str]:
    """The messages that the dead reply was answered with, or by."""
    by = [id_ for id_, one in fleet.discord.messages.items() if one.answers == dead]
    return [*by, *(to for reply, to in fleet.discord.pointed if reply == dead)]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("fatal", MOMENTS)
async def test_whenever_its_announcer_is_killed_a_dead_reply_is_answered_once(
    fleet: ToldFleet, fatal: int, again: bool
) -> None:
    """Another bot takes over, or the same one comes back."""
    fleet.discord.fatal = "claw-1", fatal
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    fleet.api.end(run, "failure")
    await fleet.passes(45)
    assert fleet.discord.frozen == {"claw-1"}
    await fleet.start("claw-1" if again else "claw-3")
    await fleet.passes(360)

    answers = _answered(fleet, dead)
    assert len(answers) == (2 if fatal == POINTED else 1)
    assert {*answers} <= fleet.discord.messages.keys()
    assert len(fleet.told) == (2 if fatal >= ENDED and not again else 1)
    assert len(fleet.discord.called) == (2 if fatal == CALLED else 1)


@pytest.mark.parametrize("fatal", [SENT, SENT + 1])
async def test_one_that_stands_in_the_fleet_s_channel_is_answered_by_its_first_announcement(
    fleet: ToldFleet, fatal: int
) -> None:
    """And that by the next one: each names what it goes on from."""
    fleet.discord.fatal = "claw-1", fatal
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2", HERE)
    await fleet.passes(345)
    fleet.api.end(run)
    await fleet.passes(45)
    assert fleet.discord.frozen == {"claw-1"}
    await fleet.start("claw-3")
    await fleet.passes(360)

    _, first, second = fleet.discord.messages
    answers = [fleet.discord.messages[one].answers for one in (first, second)]
    assert answers == ([dead, dead] if fatal == SENT else [dead, first])
    assert fleet.discord.pointed == []
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_it_is_answered_no_more_by_who_takes_over_later(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    for gone, comes in (("claw-1", "claw-3"), ("claw-3", "claw-4"), ("claw-4", "claw-1")):
        await fleet.kill(gone)
        await fleet.start(comes)
        await fleet.passes(345)
    fleet.api.end(run)
    await fleet.passes(60)

    assert len(_answered(fleet, dead)) == 1
    assert fleet.discord.called == [(DISCORD, (SAM,))]


async def test_of_two_bots_at_once_one_answers_it(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", "claw-2", "claw-3", "claw-4")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(400)
    fleet.api.end(run)
    await fleet.passes(60)

    assert len(_answered(fleet, dead)) == 1


async def test_another_platform_s_channel_leaves_it_to_its_own(fleet: ToldFleet) -> None:
    await fleet.start("claw-1", platforms=("telegram",))
    await fleet.start("claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    assert fleet.telegram.tried == []
    await fleet.start("claw-3")
    await fleet.passes(200)
    fleet.api.end(run)
    await fleet.passes(60)

    assert len(_answered(fleet, dead)) == len(fleet.telegram.messages) == 1
    assert fleet.telegram.tried == []


async def test_where_it_can_not_be_answered_any_more_that_is_tried_once(fleet: ToldFleet) -> None:
    """It was deleted, or its channel is closed to us."""
    fleet.discord.gone = {ASKED_IN}
    await fleet.start("claw-1", "claw-2")
    run, _ = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    await fleet.kill("claw-1")
    await fleet.start("claw-3")
    await fleet.passes(345)
    fleet.api.end(run, "failure")
    await fleet.passes(60)

    assert fleet.discord.tried == [ASKED_IN]
    assert fleet.discord.called == [(DISCORD, (SAM, ON_CALL["discord"]))]


@pytest.mark.parametrize("dies", [False, True])
async def test_where_its_channel_takes_nothing_for_now_it_is_answered_once_that_does(
    fleet: ToldFleet, dies: bool
) -> None:
    """The deploy may have ended meanwhile, which nobody waits with for that."""
    fleet.discord.silent = {ASKED_IN}
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    fleet.api.end(run, "failure")
    await fleet.passes(60)
    assert fleet.discord.called == [(DISCORD, (SAM, ON_CALL["discord"]))]
    if dies:
        await fleet.kill("claw-1")
        await fleet.start("claw-1")
    fleet.discord.silent = set()
    await fleet.passes(900)

    assert len(_answered(fleet, dead)) == len(fleet.told) == len(fleet.discord.called) == 1
    assert len(fleet.discord.tried) <= 4


async def test_it_is_answered_after_the_table_was_away_and_is_back(fleet: ToldFleet) -> None:
    fleet.discord.fatal = "claw-1", SENT + 1
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    assert fleet.discord.frozen == {"claw-1"}
    fleet.api.lose_table()
    await fleet.start("claw-1")
    await fleet.passes(600, step=60)
    assert _answered(fleet, dead) == []
    fleet.api.find_table()
    await fleet.passes(345)
    fleet.api.end(run)
    await fleet.passes(60)

    assert len(_answered(fleet, dead)) == len(fleet.told) == 1


async def test_what_an_older_control_api_noted_of_it_may_be_answered_once_more(
    fleet: ToldFleet,
) -> None:
    """Its rows do not say whether that was done."""
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    table, name = fleet.api.client_of_table(), fleet.api.environ["CONTROL_TABLE"]
    key = {"pk": {"S": f"told#discord.claw-2.{ASKED_IN}.1"}}
    table.update_item(TableName=name, Key=key, UpdateExpression="REMOVE answered")
    await fleet.kill("claw-1")
    for comes in ("claw-3", "claw-1"):
        await fleet.start(comes)
        await fleet.passes(345)
    fleet.api.end(run)
    await fleet.passes(60)

    assert len(_answered(fleet, dead)) == 2


async def test_its_author_does_not_say_of_itself_that_it_is_away(fleet: ToldFleet) -> None:
    """Where it announces the deploy that it was asked for, its own reply says where: here in the
    message of the bot that was killed, which its own message answers."""
    fleet.discord.fatal = "claw-1", POINTS
    await fleet.start("claw-1", "claw-2")
    run, dead = await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)
    await fleet.start("claw-2")
    await fleet.passes(345)
    fleet.api.end(run)
    await fleet.passes(60)

    _, left, _ = fleet.discord.messages
    (told,) = fleet.told
    assert fleet.discord.messages[dead].shown[-1] == GoesOn("Deploy claw-2", DISCORD, left)
    assert (told.author, told.answers) == ("claw-2", left)
    assert _answered(fleet, dead) == []
