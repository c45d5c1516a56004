"""The fleet's channel is told once of each deploy that no living reply tells."""

import pytest

from clawbot.fleet_channel.telling import is_failure
from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying
from fleet_control.ledger import Entry
from tests.clawbot.told_fleet import AGENTS, ASKED_IN, BUTTON, CALLED, DISCORD, SAM, ToldFleet
from tests.clawbot.told_platform import CHANNELS, ON_CALL


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
    run, _ = await fleet.ask_who_dies("claw-2")
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


async def test_one_run_that_the_table_has_in_an_unknown_form_silences_no_other(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1", "claw-2")
    table = fleet.api.client_of_table()
    row = {"pk": {"S": f"announce#7#{DISCORD}"}, "earlier": {"S": "later"}}
    table.put_item(TableName=fleet.api.environ["CONTROL_TABLE"], Item=row)
    fleet.api.begin(BUTTON, 7)
    fleet.api.begin(BUTTON, 8)
    await fleet.ask_who_dies("claw-2")
    await fleet.passes(345)

    assert [one.is_of(8) for one in fleet.discord.messages.values()].count(True) == 1
    assert len(fleet.discord.messages) == 3


@pytest.mark.parametrize("host", HostStage)
def test_those_on_call_are_called_where_it_failed_or_is_not_known(host: HostStage) -> None:
    """Whoever stopped a roll between two hosts, or cancelled before any was touched, meant to."""
    hosts = (
        HostProgress("claw-1", "ami-1", "ami-2", HostStage.UNTOUCHED),
        HostProgress("claw-2", "ami-1", "ami-2", host),
    )
    over = {
        stage: is_failure(Progress(stage, "all", hosts=hosts))
        for stage in (Stage.DONE, Stage.FAILED, Stage.CANCELLED, Stage.STOPPED, Stage.UNKNOWN)
    }

    assert over == {
        Stage.DONE: False,
        Stage.FAILED: True,
        Stage.CANCELLED: host is not HostStage.UNTOUCHED,
        Stage.STOPPED: False,
        Stage.UNKNOWN: True,
    }


async def test_an_agents_deploy_that_a_person_cancelled_while_it_waited_calls_nobody(
    fleet: ToldFleet,
) -> None:
    await fleet.start("claw-1")
    fleet.api.begin(AGENTS, 7)
    await fleet.passes(30)
    fleet.api.end(7, "cancelled")
    await fleet.passes(60)

    assert len(fleet.told) == 1
    assert fleet.discord.called == []
