"""Who announces a deploy in a channel of the fleet: nobody where a reply lives, else one bot."""

from collections.abc import AsyncIterator

import pytest

from fleet_control.announcement import Announcement
from fleet_control.error import ControlApiRefused
from fleet_control.ledger import Entry
from tests.lambda_fn.small_github import job
from tests.lambda_fn.told_channels import (
    AGENTS,
    ASKED,
    BUTTON,
    DISCORD,
    PERSONS,
    REPLY,
    RUN,
    TELEGRAM,
    ToldChannels,
    told_channels,
)

# Seconds: after which a reply is given up, and for which a lease is one bot's.
GIVEN_UP, LEASED = 300.0, 180.0
DAY = 24 * 3600
# Of the runs: those of the last days, and what is older.
LISTS = 2
KEPT = 40 * DAY


@pytest.fixture
async def channels() -> AsyncIterator[ToldChannels]:
    async with told_channels() as one:
        yield one


@pytest.mark.parametrize(
    "entry", [BUTTON, AGENTS, PERSONS._replace(reply=""), PERSONS._replace(request_id="")]
)
async def test_what_no_reply_tells_is_announced_at_once_and_by_one(
    channels: ToldChannels, entry: Entry
) -> None:
    channels.api.begin(entry, RUN)

    first = await channels.announce("claw-2")
    other = await channels.announce("claw-3")

    assert first == Announcement("", "claw-2")
    assert other == Announcement("leased", "claw-2")
    assert not [key for key in channels.api.rows() if key.startswith("told#")]


async def test_each_channel_has_a_lease_of_its_own(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    channels.api.begin(BUTTON, RUN + 1)
    await channels.announce("claw-2")

    assert (await channels.announce("claw-3", TELEGRAM)).silence == ""
    assert (await channels.announce("claw-3", run_id=RUN + 1)).silence == ""


async def test_a_reply_lives_for_five_minutes_after_the_last_sign_of_it(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    before = channels.api.rows()
    await channels.clock.turn(GIVEN_UP - 1)
    asked = await channels.announce("claw-2")
    assert channels.api.rows() == before
    await channels.living()
    await channels.clock.turn(GIVEN_UP - 1)
    again = await channels.announce("claw-2")
    await channels.clock.turn(1)
    dead = await channels.announce("claw-2")

    assert asked == again == Announcement("living")
    assert dead == Announcement("", "claw-2", dead_reply=REPLY)


async def test_the_run_itself_is_the_first_sign_where_the_table_was_away(
    channels: ToldChannels,
) -> None:
    channels.api.begin(PERSONS, RUN)
    await channels.clock.turn(GIVEN_UP - 1)
    asked = await channels.announce("claw-2")
    await channels.clock.turn(1)

    assert asked.silence == "living"
    assert (await channels.announce("claw-2")).silence == ""


async def test_a_dead_reply_is_answered_on_its_own_platform_alone(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)

    assert (await channels.announce("claw-2", TELEGRAM)).dead_reply == ""
    assert (await channels.announce("claw-2", DISCORD)).dead_reply == REPLY
    assert (await channels.announce("claw-3", DISCORD)).dead_reply == ""


async def test_what_the_askers_reply_told_is_told(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.note_told("done")
    soon = await channels.announce("claw-2")
    await channels.clock.turn(GIVEN_UP)

    assert soon == await channels.announce("claw-2") == Announcement("told")
    assert (await channels.living()).lives


async def test_what_was_told_in_the_channel_is_told_there(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2", message="5")
    noted = await channels.announce("claw-2", end="failed")
    again = await channels.announce("claw-2", end="failed")
    told = Announcement("told", "claw-2", "5", "failed")

    assert noted == again == told._replace(silence="")
    assert await channels.announce("claw-2") == told
    assert await channels.announce("claw-3") == told
    await channels.clock.turn(LEASED)
    assert await channels.announce("claw-3") == told
    assert (await channels.announce("claw-3", TELEGRAM)).silence == ""


async def test_a_lease_is_its_bots_for_three_minutes_since_it_renewed_it(
    channels: ToldChannels,
) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2", message="5")
    for _ in range(2):
        await channels.clock.turn(LEASED - 1)
        before = channels.api.rows()
        assert (await channels.announce("claw-3")) == Announcement("leased", "claw-2", "5")
        assert channels.api.rows() == before
        assert (await channels.announce("claw-2")) == Announcement("", "claw-2", "5")
    await channels.clock.turn(LEASED)

    taken = await channels.announce("claw-3")

    assert taken == Announcement("", "claw-3", earlier=(("claw-2", "5"),))
    late = await channels.announce("claw-2")
    assert late == Announcement("leased", "claw-3", earlier=(("claw-2", "5"),))


async def test_nothing_stands_there_of_a_bot_that_sent_nothing(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2")
    await channels.clock.turn(LEASED)

    assert (await channels.announce("claw-3")).earlier == ()


@pytest.mark.parametrize("said", [False, True])
async def test_who_gets_it_back_goes_on_in_its_message_unless_another_told_it_since(
    channels: ToldChannels, said: bool
) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2", message="5")
    await channels.clock.turn(LEASED)
    await channels.announce("claw-3", message="6" if said else "")
    await channels.clock.turn(LEASED)

    back = await channels.announce("claw-2")
    both = (("claw-2", "5"), ("claw-3", "6"))
    assert (back.message, back.earlier) == (("", both) if said else ("5", ()))


async def test_a_bot_that_restarts_has_its_lease_and_its_message_again(
    channels: ToldChannels,
) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2", message="5")
    await channels.clock.turn(LEASED + 1)

    assert await channels.announce("claw-2") == Announcement("", "claw-2", "5")
    # Two of its lives may each have sent one: the last one noted is it.
    both = await channels.announce("claw-2", message="6")
    assert both == Announcement("", "claw-2", "6", earlier=(("claw-2", "5"),))


async def test_a_message_that_is_noted_too_late_stands_among_the_earlier_ones(
    channels: ToldChannels,
) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2")
    await channels.clock.turn(LEASED)
    await channels.announce("claw-3", message="6")

    late = [await channels.announce("claw-2", message="5") for _ in range(2)]

    assert late == [Announcement("leased", "claw-3", "6", earlier=(("claw-2", "5"),))] * 2
    await channels.clock.turn(LEASED)
    again = await channels.announce("claw-2", message="5")
    assert again == Announcement("", "claw-2", "5", earlier=(("claw-3", "6"),))


async def test_an_end_that_is_noted_too_late_counts_where_none_was(
    channels: ToldChannels,
) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2", message="5")
    await channels.clock.turn(LEASED)
    await channels.announce("claw-3", message="6")

    late = await channels.announce("claw-2", end="failed")
    again = await channels.announce("claw-2", end="done")

    assert (late.silence, late.by, late.message, late.end) == ("leased", "claw-3", "6", "failed")
    assert (again.silence, again.end) == ("told", "failed")
    told = await channels.announce("claw-3")
    assert (told.silence, told.message, told.end) == ("told", "6", "failed")


async def test_the_last_ten_messages_are_kept(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    for number in range(12):
        last = await channels.announce("claw-2", message=str(number))

    assert [message for _, message in last.earlier] == [str(one) for one in range(1, 11)]
    assert await channels.announce("claw-2") == last


async def test_what_began_before_the_channel_was_told_of_anything_is_not_announced(
    channels: ToldChannels,
) -> None:
    new, last = "discord:902", RUN + 2
    channels.api.begin(BUTTON, RUN)
    await channels.clock.turn(1)
    first = await channels.announce("claw-2", new)
    channels.api.begin(BUTTON, last)

    assert first == await channels.announce("claw-2", new) == Announcement("earlier")
    assert (await channels.announce("claw-2", new, last)).silence == ""
    await channels.clock.turn(LEASED)
    assert (await channels.announce("claw-2", new)).silence == "earlier"
    assert "expires" not in channels.row(f"channel#{new}")


async def test_a_channel_is_told_of_the_first_deploy_after_its_watch_began(
    channels: ToldChannels,
) -> None:
    await channels.watch("claw-2", "discord:902")
    await channels.clock.turn(DAY)
    channels.api.begin(BUTTON, RUN)
    await channels.clock.turn(30)

    assert (await channels.announce("claw-2", "discord:902")).silence == ""


@pytest.mark.parametrize(
    ("status", "conclusion"), [("in_progress", None), ("completed", "failure")]
)
async def test_of_the_runs_of_one_ask_the_first_is_announced(
    channels: ToldChannels, status: str, conclusion: str | None
) -> None:
    channels.api.begin(AGENTS, RUN, status=status, conclusion=conclusion)
    channels.api.begin(AGENTS, RUN + 1)

    assert (await channels.announce("claw-3", run_id=RUN + 1)) == Announcement("duplicate")
    assert (await channels.announce("claw-3", run_id=RUN)).silence == ""
    assert len(channels.api.github.asked) == LISTS


@pytest.mark.parametrize("began", [False, True])
async def test_one_that_was_cancelled_while_it_waited_leaves_the_deploy_to_the_next(
    channels: ToldChannels, began: bool
) -> None:
    steps = [{"name": "Replace", "status": "completed", "conclusion": "cancelled"}]
    ended = job(1, "plan", "completed", conclusion="cancelled", steps=steps if began else [])
    channels.api.github.jobs = {RUN: [ended]}
    channels.api.begin(AGENTS, RUN, status="completed", conclusion="cancelled")
    channels.api.begin(AGENTS, RUN + 1)

    first = await channels.announce("claw-3", run_id=RUN)
    second = await channels.announce("claw-3", run_id=RUN + 1)

    assert (first.silence, second.silence) == (("", "duplicate") if began else ("duplicate", ""))


async def test_a_lease_on_a_run_that_proves_to_be_no_deploy_says_so_and_keeps_its_message(
    channels: ToldChannels,
) -> None:
    channels.api.begin(AGENTS, RUN + 1)
    await channels.announce("claw-3", run_id=RUN + 1, message="5")
    channels.api.begin(AGENTS, RUN)
    await channels.clock.turn(5)

    found = await channels.announce("claw-3", run_id=RUN + 1, end="duplicate")

    assert found == Announcement("duplicate", "claw-3", "5", "duplicate")


async def test_the_askers_end_is_noted_where_they_were_called(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    for channel in (DISCORD, TELEGRAM):
        await channels.announce("claw-2", channel)
    await channels.announce("claw-2", TELEGRAM, end="done")
    elsewhere = await channels.told()
    await channels.announce("claw-2", DISCORD, end="failed")

    assert (elsewhere, await channels.told()) == ("", "failed")


async def test_a_call_in_one_channel_is_none_in_another(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await channels.announce("claw-2", DISCORD, end="done")

    assert (await channels.announce("claw-2", TELEGRAM)).silence == ""
    assert (await channels.announce("claw-2", "discord:902")).silence == "earlier"
    assert (await channels.announce("claw-2", DISCORD)).silence == "told"


async def test_what_the_asker_was_told_after_all_ends_the_announcement(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await channels.announce("claw-2", message="5")
    await channels.note_told("done")

    assert await channels.announce("claw-2") == Announcement("told", "claw-2", "5")
    row = channels.row(f"told#{ASKED}")
    assert row["given_up"] != {"N": "0"}
    assert row["goes_on"] == {"S": f"{DISCORD}#5"}
    assert (await channels.living()).lives is False
    await channels.announce("claw-2", end="failed")
    assert await channels.told() == "done"


async def test_github_is_asked_once_for_many_within_five_seconds(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    channels.api.begin(BUTTON, RUN + 1)
    await channels.announce("claw-2")
    await channels.clock.turn(4.9)
    await channels.announce("claw-3", run_id=RUN + 1)

    assert len(channels.api.github.asked) == LISTS


async def test_one_cancelled_run_of_an_ask_costs_no_more(channels: ToldChannels) -> None:
    channels.api.begin(AGENTS, RUN, status="completed", conclusion="cancelled")

    assert (await channels.announce("claw-2")).silence == ""
    assert len(channels.api.github.asked) == LISTS


async def test_a_run_that_nobody_knows_is_refused(channels: ToldChannels) -> None:
    with pytest.raises(ControlApiRefused) as refused:
        await channels.announce("claw-2")

    assert refused.value.code == "unknown_run"


async def test_a_run_that_is_older_than_the_list_is_asked_for(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.clock.turn(4 * DAY)
    for newer in range(1, 31):
        channels.api.begin(BUTTON, RUN + newer)

    assert (await channels.announce("claw-2")).silence == ""
    assert channels.api.github.paths()[-1] == f"GET /actions/runs/{RUN}"


async def test_a_bot_keeps_its_lease_though_github_shows_the_run_no_more(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await channels.announce("claw-2", message="5")
    channels.api.github.runs.clear()
    await channels.clock.turn(5)

    kept = await channels.announce("claw-2", end="unknown")

    assert kept == Announcement("", "claw-2", "5", "unknown", dead_reply=REPLY)
    assert await channels.told() == "unknown"
    with pytest.raises(ControlApiRefused) as refused:
        await channels.announce("claw-3")
    assert refused.value.code == "unknown_run"


async def test_what_is_known_of_it_outlives_every_run(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-2")

    expires = int(channels.row(f"announce#{RUN}#{DISCORD}")["expires"]["N"])
    assert expires == channels.clock.now() + KEPT


async def test_rows_of_another_version_have_fewer_fields_and_others(
    channels: ToldChannels,
) -> None:
    channels.api.begin(BUTTON, RUN)
    other = {"later": {"S": "x"}, "by": {"S": "claw-3"}}
    table, name = channels.api.client_of_table(), channels.api.environ["CONTROL_TABLE"]
    for key in (f"announce#{RUN}#{DISCORD}", f"watch#{DISCORD}"):
        table.put_item(TableName=name, Item={"pk": {"S": key}, **other})

    assert await channels.announce("claw-2") == Announcement("", "claw-2")
    assert (await channels.watch("claw-2")).mine
