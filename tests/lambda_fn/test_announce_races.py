"""What bots decide at the same moment: of two writes in one place, one counts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from fleet_control.announcement import LEASED_SECONDS
from fleet_control.table_item import Item
from lambda_fn import told
from lambda_fn.failure import Failure
from lambda_fn.http_client import Budget
from lambda_fn.table import TRIES, Table
from tests.lambda_fn.told_channels import (
    ASKED,
    AUTHOR,
    BUTTON,
    DISCORD,
    PERSONS,
    RUN,
    ToldChannels,
    told_channels,
)

GIVEN_UP = 300.0
BOTS = [f"claw-{number}" for number in range(1, 9)]


@pytest.fixture
async def channels() -> AsyncIterator[ToldChannels]:
    async with told_channels() as one:
        for name in BOTS:
            await one.bot(name)
        yield one


class RivalledTable(Table):
    """Before each write another writes in the same place, as often as `rivals` has some."""

    def __init__(self, channels: ToldChannels) -> None:
        environ = channels.api.environ
        super().__init__(environ["CONTROL_TABLE"], environ, Budget(60))
        self.rivals: list[Callable[[], object]] = []

    def put(self, item: Item, instead_of: Item | None) -> Item | None:
        if self.rivals:
            self.rivals.pop(0)()
        return super().put(item, instead_of)


async def test_of_eight_bots_at_once_one_announces(channels: ToldChannels) -> None:
    for run_id in range(RUN, RUN + 3):
        channels.api.begin(BUTTON, run_id)
        answers = await asyncio.gather(*(channels.announce(one, run_id=run_id) for one in BOTS))

        (winner,) = (one.by for one in answers if not one.silence)
        assert Counter(one.silence for one in answers) == {"": 1, "leased": 7}
        assert {one.by for one in answers} == {winner}


async def test_of_eight_bots_one_takes_over_what_ran_out(channels: ToldChannels) -> None:
    channels.api.begin(BUTTON, RUN)
    await channels.announce("claw-9", message="5")
    await channels.clock.turn(LEASED_SECONDS)

    answers = await asyncio.gather(*(channels.announce(one) for one in BOTS))

    assert Counter(one.silence for one in answers) == {"": 1, "leased": 7}
    assert {one.earlier for one in answers} == {(("claw-9", "5"),)}


async def test_a_reply_that_comes_back_as_it_is_given_up_lives_or_is_announced(
    channels: ToldChannels,
) -> None:
    for number in range(5):
        request_id = f"discord.{AUTHOR}.11.{number}"
        await channels.deploy(PERSONS._replace(request_id=request_id), number + 1)
        await channels.clock.turn(GIVEN_UP)

        life, announced = await asyncio.gather(
            channels.living(request_id), channels.announce("claw-2", run_id=number + 1)
        )

        assert (life.lives, announced.silence) in ((True, "living"), (False, ""))


async def test_who_gives_up_a_reply_that_just_came_back_finds_it_living(
    channels: ToldChannels,
) -> None:
    await channels.deploy()
    created = channels.clock.now()
    now = created + GIVEN_UP
    table, plain = RivalledTable(channels), RivalledTable(channels)
    table.rivals = [lambda: told.live(plain, ASKED, now, 0)]

    row = await asyncio.to_thread(told.give_up, table, ASKED, created, now)

    assert (row.given_up, row.seen) == (0, now)


async def test_who_comes_back_as_it_is_given_up_is_dead(channels: ToldChannels) -> None:
    await channels.deploy()
    created = channels.clock.now()
    now = created + GIVEN_UP
    table, plain = RivalledTable(channels), RivalledTable(channels)
    table.rivals = [lambda: told.give_up(plain, ASKED, created, now)]

    life, _ = await asyncio.to_thread(told.live, table, ASKED, now, 0)

    assert life.lives is False


async def test_a_note_that_meets_another_keeps_what_that_wrote(channels: ToldChannels) -> None:
    await channels.deploy()
    created = channels.clock.now()
    now = created + GIVEN_UP
    table, plain = RivalledTable(channels), RivalledTable(channels)
    table.rivals = [lambda: told.give_up(plain, ASKED, created, now)]

    await asyncio.to_thread(told.note, table, ASKED, "done", now)

    row = channels.row(f"told#{ASKED}")
    assert (row["given_up"], row["end"]) == ({"N": str(int(now))}, {"S": "done"})


async def test_a_write_is_tried_five_times(channels: ToldChannels) -> None:
    table, plain = RivalledTable(channels), RivalledTable(channels)
    count = iter(range(100))

    def other() -> None:
        plain.change("x", lambda _: {"pk": "x", "by": next(count)})

    def added(item: Item | None) -> Item:
        return {**(item or {"pk": "x"}), "mine": 1}

    assert TRIES == 5
    table.rivals = [other] * (TRIES - 1)
    before, after = await asyncio.to_thread(table.change, "x", added)
    assert (before, after) == ({"pk": "x", "by": 3}, {"pk": "x", "by": 3, "mine": 1})
    table.rivals = [other] * TRIES
    with pytest.raises(Failure) as failed:
        await asyncio.to_thread(table.change, "x", added)
    # No refusal: whoever asks tries again, as where the table is away.
    assert (failed.value.code, failed.value.retry_after) == ("table_unreachable", 1)


async def test_what_dynamodb_forgot_meanwhile_is_written_anew(channels: ToldChannels) -> None:
    table = RivalledTable(channels)
    table.put({"pk": "x", "by": 1}, None)
    name = channels.api.environ["CONTROL_TABLE"]
    dynamodb = channels.api.client_of_table()
    table.rivals = [lambda: dynamodb.delete_item(TableName=name, Key={"pk": {"S": "x"}})]

    changed = await asyncio.to_thread(table.change, "x", lambda _: {"pk": "x", "by": 2})

    assert changed == (None, {"pk": "x", "by": 2})
    assert channels.row("x")["by"] == {"N": "2"}


async def test_two_channels_notes_of_one_ask_are_both_kept(channels: ToldChannels) -> None:
    await channels.deploy()
    await channels.clock.turn(GIVEN_UP)
    await asyncio.gather(
        channels.announce("claw-2", DISCORD, message="5"),
        channels.announce("claw-3", "telegram:-1009/5", message="6"),
    )

    links = channels.row(f"told#{ASKED}")["goes_on"]["S"]
    assert set(links.split()) == {f"{DISCORD}#5", "telegram:-1009/5#6"}
