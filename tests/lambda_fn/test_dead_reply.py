"""Whose part it is to answer a dead reply, and until when: the control table knows."""

import json
from collections.abc import AsyncIterator

import pytest

from fleet_control.announcement import GIVEN_UP_SECONDS, LEASED_SECONDS
from fleet_control.error import ControlApiRefused
from tests.lambda_fn.told_channels import (
    ASKED,
    AUTHOR,
    DISCORD,
    PERSONS,
    REPLY,
    RUN,
    TELEGRAM,
    ToldChannels,
    told_channels,
)


@pytest.fixture
async def dead() -> AsyncIterator[ToldChannels]:
    """A person asked in Discord, and nobody keeps the reply up to date."""
    async with told_channels() as channels:
        await channels.deploy()
        await channels.clock.turn(GIVEN_UP_SECONDS)
        yield channels


async def test_it_is_whose_lease_it_is_until_they_say_that_they_did(
    dead: ToldChannels, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await dead.announce("claw-2", message="5")
    other = await dead.announce("claw-3")
    said = await dead.announce("claw-2", answered=True)
    again = await dead.announce("claw-2")

    assert [one.dead_reply for one in (first, other, said, again)] == [REPLY, "", "", ""]
    assert dead.row(f"told#{ASKED}")["answered"] == {"N": str(int(dead.clock.now()))}
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["bot"] for one in written if one.get("answered")] == ["claw-2"]


@pytest.mark.parametrize("answered", [False, True])
async def test_whoever_takes_over_answers_it_where_nobody_did(
    dead: ToldChannels, answered: bool
) -> None:
    await dead.announce("claw-2", message="5")
    await dead.announce("claw-2", answered=answered)
    await dead.clock.turn(LEASED_SECONDS)

    assert (await dead.announce("claw-3")).dead_reply == ("" if answered else REPLY)


async def test_its_own_author_says_it_in_the_reply_itself(dead: ToldChannels) -> None:
    own = await dead.announce(AUTHOR, message="5")
    await dead.clock.turn(LEASED_SECONDS)

    assert own.dead_reply == ""
    assert (await dead.announce("claw-2")).dead_reply == REPLY


async def test_one_that_says_so_too_late_is_believed(dead: ToldChannels) -> None:
    await dead.announce("claw-2", message="5")
    await dead.clock.turn(LEASED_SECONDS)
    taken = await dead.announce("claw-3")
    await dead.announce("claw-2", answered=True)

    assert (taken.dead_reply, (await dead.announce("claw-3")).dead_reply) == (REPLY, "")


async def test_whoever_told_the_end_without_it_may_do_so_yet(dead: ToldChannels) -> None:
    await dead.announce("claw-2", message="5")
    await dead.announce("claw-2", end="failed")
    await dead.clock.turn(LEASED_SECONDS)
    other, own = await dead.announce("claw-3"), await dead.announce("claw-2")

    assert (other.silence, other.dead_reply) == ("told", "")
    assert (own.silence, own.dead_reply) == ("told", REPLY)


async def test_another_platform_s_channel_answers_it_neither_nor_says_so(
    dead: ToldChannels,
) -> None:
    said = await dead.announce("claw-2", TELEGRAM, message="5", answered=True)

    assert said.dead_reply == ""
    assert (await dead.announce("claw-2", DISCORD)).dead_reply == REPLY


async def test_a_second_channel_of_the_platform_has_nothing_left_to_answer(
    dead: ToldChannels,
) -> None:
    other = "discord:902"
    await dead.watch("claw-9", other)
    await dead.deploy(PERSONS._replace(request_id=f"{ASKED}1"), RUN + 1)
    await dead.clock.turn(GIVEN_UP_SECONDS)
    both = [
        (await dead.announce("claw-2", one, RUN + 1, answered=bool(number))).dead_reply
        for number, one in enumerate((DISCORD, other))
    ]

    assert both == [REPLY, ""]
    assert (await dead.announce("claw-2", DISCORD, RUN + 1)).dead_reply == ""


async def test_one_whose_own_reply_told_the_end_after_all_is_not_answered(
    dead: ToldChannels,
) -> None:
    await dead.announce("claw-2", message="5")
    await dead.note_told("done")

    assert (await dead.announce("claw-2")).dead_reply == ""


async def test_a_row_of_before_nobody_could_say_so_is_one_that_nobody_answered(
    dead: ToldChannels,
) -> None:
    await dead.announce("claw-2", message="5")
    table, name = dead.api.client_of_table(), dead.api.environ["CONTROL_TABLE"]
    key = {"pk": {"S": f"told#{ASKED}"}}
    table.update_item(TableName=name, Key=key, UpdateExpression="REMOVE answered")

    assert (await dead.announce("claw-2")).dead_reply == REPLY
    assert (await dead.announce("claw-2", answered=True)).dead_reply == ""


async def test_that_it_was_answered_is_true_or_false(dead: ToldChannels) -> None:
    with pytest.raises(ControlApiRefused) as refused:
        await dead.announce("claw-2", answered="yes")

    assert refused.value.code == "bad_request"
