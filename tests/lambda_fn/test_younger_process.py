"""Two processes of one bot's name: the one that began last has each lease, and has it at once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from fleet_control.announcement import Announcement, ReplyLife, WatchLease
from fleet_control.control_api import ControlApi
from fleet_control.signed_calls import SignedCalls
from tests.lambda_fn.events import CONTROL_TOKEN
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
from tests.real_control_api import access_key

GIVEN_UP, LEASED = 300.0, 180.0
LOG = "fleet.younger_process_at_work action="
BOT, WATCHED = AUTHOR, "discord:902"


@dataclass
class Process:
    """One of those that have this bot's name."""

    api: ControlApi

    async def announces(self, message: str = "", end: str = "") -> Announcement:
        return await self.api.announce(RUN, DISCORD, BOT, message, end)

    async def watches(self, state: str | None = None, version: int = 0) -> WatchLease:
        return await self.api.watch(WATCHED, BOT, state, version)

    async def lives(self) -> ReplyLife | None:
        return await self.api.living(ASKED)


@dataclass
class Twins:
    channels: ToldChannels
    elder: Process
    younger: Process


@pytest.fixture
async def twins() -> AsyncIterator[Twins]:
    """The younger one began a second later."""
    async with told_channels() as channels:
        channels.api.begin(BUTTON, RUN)
        async with channels.api.client(BOT) as elder:
            await channels.clock.turn(1)
            async with channels.api.client(BOT) as younger:
                yield Twins(channels, Process(elder), Process(younger))


async def test_the_younger_one_takes_over_at_once_message_and_all(twins: Twins) -> None:
    await twins.elder.announces("5")

    assert await twins.younger.announces() == Announcement("", BOT, "5")
    assert await twins.elder.announces("5") == Announcement("leased", BOT, "5")
    assert await twins.younger.announces("5") == Announcement("", BOT, "5")
    assert await twins.channels.announce("claw-3") == Announcement("leased", BOT, "5")


async def test_what_the_elder_one_notes_too_late_is_lost_to_nobody(twins: Twins) -> None:
    await twins.elder.announces()
    await twins.younger.announces("6")

    late = await twins.elder.announces("5", "failed")

    assert late == Announcement("leased", BOT, "6", "failed", ((BOT, "5"),))
    assert (await twins.younger.announces()).silence == "told"
    # It shows no end beside the younger one, either.
    assert (await twins.elder.announces()).silence == "leased"


async def test_it_takes_over_as_another_would_where_the_younger_one_is_gone(
    twins: Twins,
) -> None:
    await twins.younger.announces("5")
    await twins.younger.watches("seen")
    await twins.channels.clock.turn(LEASED - 1)
    assert (await twins.elder.announces()).silence == "leased"
    assert not (await twins.elder.watches()).mine
    await twins.channels.clock.turn(1)

    assert await twins.elder.announces() == Announcement("", BOT, "5")
    assert await twins.elder.watches() == WatchLease(True, "seen", 1)
    # It is the row's now: it can renew it, until the younger one is back.
    assert await twins.elder.announces() == Announcement("", BOT, "5")
    assert (await twins.younger.announces()).silence == ""
    assert (await twins.elder.announces()).silence == "leased"


async def test_the_younger_one_watches_and_goes_on_from_what_was_seen(twins: Twins) -> None:
    await twins.elder.watches("first")

    assert await twins.younger.watches() == WatchLease(True, "first", 1)
    assert await twins.elder.watches("late", 1) == WatchLease(False, "first", 1)
    assert await twins.younger.watches("second", 1) == WatchLease(True, "second", 2)


async def test_the_younger_one_keeps_the_reply(twins: Twins) -> None:
    assert (await twins.elder.lives(), await twins.younger.lives()) == (ReplyLife(True),) * 2
    assert await twins.elder.lives() is None
    await twins.channels.clock.turn(GIVEN_UP - 1)
    assert await twins.elder.lives() is None
    await twins.channels.clock.turn(1)

    assert await twins.elder.lives() == ReplyLife(True)


async def test_a_reply_that_was_given_up_is_no_processs(twins: Twins) -> None:
    twins.channels.api.begin(PERSONS, RUN + 1)
    await twins.younger.lives()
    await twins.channels.clock.turn(GIVEN_UP)
    await twins.channels.announce("claw-3", run_id=RUN + 1, message="6")

    gone = ReplyLife(lives=False, goes_on=f"{DISCORD}#6")
    assert (await twins.elder.lives(), await twins.younger.lives()) == (gone, gone)


async def test_a_bot_of_before_counts_as_the_oldest_and_is_answered_as_ever(
    twins: Twins,
) -> None:
    url, key = twins.channels.api.url, access_key(BOT)
    of_before = SignedCalls(url, CONTROL_TOKEN, key, "secret", "eu-central-1", 10.0)
    announce = {"action": "announce", "run_id": RUN, "channel": DISCORD, "bot": BOT}
    watch = {"action": "watch", "channel": WATCHED, "bot": BOT}
    ours = [await of_before.asked(one) for one in (announce, watch)]
    for doing in (twins.elder.announces, twins.elder.watches, twins.elder.lives):
        await doing()
    theirs = [await of_before.asked(one) for one in (announce, watch)]
    lives = await of_before.asked({"action": "living", "request_id": ASKED})
    await of_before.close()

    told = [(one["announcement"]["silence"], two["watch"]["mine"]) for one, two in (ours, theirs)]
    assert told == [("", True), ("leased", False)]
    # It would take a no for a reply that others tell of, and say so in it.
    assert lives == {"ok": True, "reply": {"lives": True, "goes_on": ""}}


async def test_the_elder_ones_log_says_once_why_it_keeps_silent(
    twins: Twins, caplog: pytest.LogCaptureFixture
) -> None:
    for one in (twins.elder, twins.younger):
        await one.announces()
        await one.watches()
        await one.lives()
    assert LOG not in caplog.text

    for _ in range(2):
        await twins.elder.watches()
        await twins.elder.announces()
        await twins.elder.lives()

    assert caplog.text.count(f"{LOG}watch") == caplog.text.count(LOG) == 1


async def test_what_another_bot_has_is_no_younger_process_s(
    twins: Twins, caplog: pytest.LogCaptureFixture
) -> None:
    await twins.channels.announce("claw-3", run_id=RUN)
    await twins.channels.watch("claw-3", WATCHED)

    assert (await twins.elder.announces()).silence == "leased"
    assert not (await twins.elder.watches()).mine
    assert LOG not in caplog.text
