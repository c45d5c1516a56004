"""Who watches the fleet for a channel: one bot at a time, and what it saw goes on to the next."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fleet_control.announcement import WatchLease
from tests.lambda_fn.told_channels import DISCORD, TELEGRAM, ToldChannels, told_channels

LEASED = 180.0
KEPT = 40 * 24 * 3600
NEW = "discord:902"
MINE, ANOTHERS = WatchLease(mine=True), WatchLease(mine=False)


@pytest.fixture
async def channels() -> AsyncIterator[ToldChannels]:
    async with told_channels() as one:
        yield one


async def test_one_bot_watches_a_channel_for_three_minutes_since_it_renewed_that(
    channels: ToldChannels,
) -> None:
    assert await channels.watch("claw-1", NEW) == MINE
    for _ in range(2):
        await channels.clock.turn(LEASED - 1)
        assert await channels.watch("claw-2", NEW) == ANOTHERS
        assert await channels.watch("claw-1", NEW) == MINE
    await channels.clock.turn(LEASED)

    assert await channels.watch("claw-2", NEW) == MINE
    assert await channels.watch("claw-1", NEW) == ANOTHERS
    expires = channels.row(f"watch#{NEW}")["expires"]["N"]
    assert float(expires) == channels.clock.now() + KEPT


async def test_what_it_saw_goes_on_to_the_next(channels: ToldChannels) -> None:
    written = await channels.watch("claw-1", NEW, state='{"ill": "claw-3"}')
    await channels.clock.turn(LEASED)
    taken = await channels.watch("claw-2", NEW)

    assert written == WatchLease(True, '{"ill": "claw-3"}', 1)
    assert taken == written
    seen = await channels.watch("claw-1", NEW, state="late", version=1)
    assert seen == written._replace(mine=False)
    assert await channels.watch("claw-2", NEW, state="", version=1) == WatchLease(True, "", 2)


@pytest.mark.parametrize("version", [0, 2])
async def test_a_state_of_another_version_is_not_written_over(
    channels: ToldChannels, version: int
) -> None:
    await channels.watch("claw-1", NEW, state="first")
    await channels.clock.turn(LEASED - 1)

    assert await channels.watch("claw-1", NEW, state="second", version=version) == WatchLease(
        True, "first", 1
    )
    # But it renewed its lease.
    await channels.clock.turn(LEASED - 1)
    assert not (await channels.watch("claw-2", NEW)).mine


async def test_each_channel_is_watched_by_itself(channels: ToldChannels) -> None:
    await channels.watch("claw-1", NEW, state="discord")

    assert await channels.watch("claw-2", "telegram:7") == MINE


async def test_the_first_watch_of_a_channel_opens_it_and_no_later_one(
    channels: ToldChannels,
) -> None:
    since = channels.row(f"channel#{DISCORD}")["since"]
    await channels.clock.turn(LEASED)
    await channels.watch("claw-1")

    assert channels.row(f"channel#{DISCORD}")["since"] == since
    assert channels.row(f"channel#{TELEGRAM}")["since"] == since


async def test_of_eight_bots_at_once_one_watches(channels: ToldChannels) -> None:
    bots = [f"claw-{number}" for number in range(1, 9)]
    clients = [await channels.bot(name) for name in bots]

    answers = await asyncio.gather(
        *(one.watch(NEW, name, name) for one, name in zip(clients, bots, strict=True))
    )

    (winner,) = (name for name, one in zip(bots, answers, strict=True) if one.mine)
    assert await channels.watch(winner, NEW) == WatchLease(True, winner, 1)
