"""Whether a reply lives: its bot says so, until somebody announces the deploy instead."""

import json
from collections.abc import AsyncIterator

import pytest

from fleet_control.announcement import ReplyLife
from fleet_control.ledger import Entry
from fleet_control.table_item import Item, written
from tests.lambda_fn.told_channels import (
    ASKED,
    AUTHOR,
    DISCORD,
    PERSONS,
    RUN,
    TELEGRAM,
    ToldChannels,
    told_channels,
)

GIVEN_UP, LEASED = 300.0, 180.0
KEPT = 40 * 24 * 3600
LIVES, DEAD = ReplyLife(lives=True), ReplyLife(lives=False)
IN_A_TERMINAL = f"terminal.{AUTHOR}.1.2"


@pytest.fixture
async def channels() -> AsyncIterator[ToldChannels]:
    async with told_channels() as one:
        yield one


async def test_whoever_was_asked_says_so_and_the_end_that_was_noted_stays(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    await channels.note_told("done")
    await channels.clock.turn(60)

    assert await channels.living() == LIVES
    assert await channels.told() == "done"
    row = channels.row(f"told#{ASKED}")
    now = channels.clock.now()
    assert float(row["seen"]["N"]) == now
    assert float(row["expires"]["N"]) == now + KEPT


async def test_a_reply_that_no_row_is_of_lives_from_the_first_word_of_it(
    channels: ToldChannels,
) -> None:
    channels.api.begin(PERSONS, RUN)
    await channels.clock.turn(GIVEN_UP)

    assert await channels.living() == LIVES
    assert (await channels.announce("claw-2")).silence == "living"


async def test_the_row_of_an_earlier_version_is_read(channels: ToldChannels) -> None:
    await channels.deploy()
    expires = int(channels.clock.now())
    for end in ("", "done"):
        old: Item = {"pk": f"told#{ASKED}", "expires": expires, "end": end}
        channels.api.client_of_table().put_item(
            TableName=channels.api.environ["CONTROL_TABLE"], Item=written(old)
        )
        assert await channels.told() == end
        assert await channels.living() == LIVES
        assert await channels.told() == end


async def test_who_comes_back_before_anybody_took_it_lives_on(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(2 * GIVEN_UP)

    assert await channels.living() == LIVES
    assert (await channels.announce("claw-2")).silence == "living"


async def test_once_given_up_it_never_lives_again(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await channels.announce("claw-2")

    given_up = channels.row(f"told#{ASKED}")
    await channels.clock.turn(1)
    before = await channels.living()
    assert channels.row(f"told#{ASKED}") == given_up
    await channels.announce("claw-2", message="5")
    row = channels.row(f"told#{ASKED}")
    assert (row["given_up"], row["end_in"]) == (given_up["given_up"], {"S": ""})
    after = await channels.living()
    await channels.clock.turn(LEASED)
    await channels.announce("claw-3", message="6")

    assert before == DEAD
    assert after == DEAD._replace(goes_on=f"{DISCORD}#5")
    assert await channels.living() == DEAD._replace(goes_on=f"{DISCORD}#6")
    # Not by its bot's word, nor by its silence.
    assert (await channels.announce("claw-3")).silence == ""


async def test_its_asker_is_sent_to_their_own_platform_if_it_is_told_there(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await channels.announce("claw-2", TELEGRAM, message="5")
    elsewhere = await channels.living()
    await channels.announce("claw-2", DISCORD, message="6")
    own = await channels.living()
    await channels.announce("claw-2", TELEGRAM, message="7")

    assert elsewhere.goes_on == f"{TELEGRAM}#5"
    assert own.goes_on == (await channels.living()).goes_on == f"{DISCORD}#6"
    links = channels.row(f"told#{ASKED}")["goes_on"]["S"]
    assert set(links.split()) == {f"{DISCORD}#6", f"{TELEGRAM}#7"}


async def test_a_reply_in_a_terminal_goes_on_wherever_it_is_told(channels: ToldChannels) -> None:
    await channels.deploy(Entry(IN_A_TERMINAL, "3", "claw-2", requested_by="terminal:1 sam"))
    await channels.clock.turn(GIVEN_UP)
    taken = await channels.announce("claw-2", message="5", end="done")

    await channels.announce("claw-2", TELEGRAM, message="6")

    assert taken.dead_reply == ""
    assert (await channels.living(IN_A_TERMINAL)).goes_on == f"{DISCORD}#5"
    assert await channels.told(IN_A_TERMINAL) == ""


async def test_its_request_id_is_in_the_log_of_all_who_speak_of_it(
    channels: ToldChannels, capfd: pytest.CaptureFixture[str]
) -> None:
    await channels.deploy()
    await channels.living()
    await channels.announce("claw-2")
    await channels.note_told("done")

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    told = {line["action"]: line["request_id"] for line in lines if line["action"] != "watch"}
    actions = ("deploy", "living", "announce", "told")
    assert {action: told[action] for action in actions} == dict.fromkeys(actions, ASKED)
