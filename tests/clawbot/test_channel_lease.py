"""Whether telling a channel of a run is ours, by what the Control API says, and what it answers."""

import asyncio

import pytest

from clawbot.fleet_channel.dead_reply import DeadReply
from clawbot.fleet_channel.lease import ChannelLease
from fleet_control.announcement import Announcement
from fleet_control.control_api import ControlApi
from tests.clawbot.control_api import Api, run
from tests.clawbot.test_announcer import UNKNOWN
from tests.clawbot.told_platform import Platform, Standing, ToldChannel
from tests.clock import TurnedClock

Outside = tuple[Api, ControlApi]


TAKEN = Announcement("", "demo")


def _lease(outside: Outside, clock: TurnedClock, taken: Announcement = TAKEN) -> ChannelLease:
    return ChannelLease(outside[1], run(7), "discord:900", "demo", clock, taken)


@pytest.fixture
def lease(outside: Outside, clock: TurnedClock) -> ChannelLease:
    return _lease(outside, clock)


async def renewed(lease: ChannelLease, clock: TurnedClock) -> bool | None:
    """What it says; None where it asks again later."""
    asking = asyncio.create_task(lease.renew())
    later = asyncio.create_task(clock.asleep(1))
    await asyncio.wait((asking, later), return_when=asyncio.FIRST_COMPLETED)
    later.cancel()
    if not asking.done():
        asking.cancel()
        return None
    return asking.result()


@pytest.mark.parametrize(
    ("silence", "by", "ours"),
    [
        ("", "demo", True),
        ("", "claw-2", False),
        ("told", "", True),
        ("told", "claw-2", False),
        ("duplicate", "demo", True),
        ("leased", "claw-2", False),
        ("living", "", False),
        ("earlier", "", False),
    ],
)
async def test_it_is_ours_where_nobody_else_tells_of_it(
    lease: ChannelLease, outside: Outside, clock: TurnedClock, silence: str, by: str, ours: bool
) -> None:
    outside[0].announced = {"silence": silence, "by": by}

    assert await renewed(lease, clock) is ours


async def test_it_stays_ours_while_the_run_is_not_known_yet_and_asks_again_at_any_other_trouble(
    lease: ChannelLease, outside: Outside, clock: TurnedClock
) -> None:
    outside[0].refused["announce"] = UNKNOWN
    assert await renewed(lease, clock) is True

    status, said = UNKNOWN
    outside[0].refused["announce"] = status, {**said, "code": "table_unreachable"}
    assert await renewed(lease, clock) is None


async def test_what_was_taken_just_now_is_certain(lease: ChannelLease) -> None:
    certain = asyncio.create_task(lease.certain())
    for _ in range(5):
        await asyncio.sleep(0)

    assert certain.done()


async def test_an_end_that_we_told_ourselves_was_told_by_nobody_else(
    lease: ChannelLease, outside: Outside
) -> None:
    outside[0].announced = {"silence": "told", "end": "failed"}
    told = []
    for doing in (lease.renew(), lease.ended("failed")):
        await doing
        told.append(lease.was_told)

    assert told == [True, False]
    assert outside[0].asked[-1]["end"] == "failed"


async def test_which_run_is_the_deploy_is_noted_where_it_is_another(
    lease: ChannelLease, outside: Outside
) -> None:
    await lease.is_of(7)
    assert outside[0].asked == []
    await lease.is_of(8)

    assert [one["run_id"] for one in outside[0].asked] == [8]


@pytest.mark.parametrize(
    ("earlier", "told_before"),
    [
        ((), ""),
        ((("demo", "60"),), ""),
        ((("claw-2", "61"), ("claw-3", "62")), "62"),
        ((("claw-2", "61"), ("demo", "62")), "61"),
    ],
)
def test_what_another_bot_told_it_in_last_is_what_a_new_message_answers(
    outside: Outside, clock: TurnedClock, earlier: tuple[tuple[str, str], ...], told_before: str
) -> None:
    taken = TAKEN._replace(earlier=earlier)

    assert _lease(outside, clock, taken=taken).told_before == told_before


def _dead_reply(lease: ChannelLease, channel: str, discord: Platform) -> DeadReply:
    """That of another bot, in this channel of Discord's."""
    discord.messages["55"] = Standing("claw-2", f"discord:{channel}", "")
    asked = run(7, request_id=f"discord.claw-2.{channel}.5")
    return DeadReply(asked, lease, ToldChannel(discord, "demo"))


@pytest.mark.parametrize(
    ("channel", "dead", "pointed"), [("7", "55", 1), ("900", "55", 0), ("7", "", 0)]
)
async def test_a_dead_reply_is_answered_once_and_here_by_the_message_itself(
    outside: Outside, clock: TurnedClock, channel: str, dead: str, pointed: int
) -> None:
    discord = Platform("discord")
    lease = _lease(outside, clock, taken=TAKEN._replace(dead_reply=dead))
    reply = _dead_reply(lease, channel, discord)
    assert reply.id_here == ("55" if channel == "900" else "")
    for _ in range(2):
        await reply.answer("77")

    assert discord.pointed == [("55", "77")] * pointed
    assert [one["answered"] for one in outside[0].asked] == [True] * bool(dead)
    assert lease.dead_reply == ""


@pytest.mark.parametrize("is_shut_out", [False, True])
async def test_a_dead_reply_that_can_t_be_answered_for_now_is_left_to_the_next_time(
    outside: Outside, clock: TurnedClock, is_shut_out: bool
) -> None:
    discord = Platform("discord")
    if is_shut_out:
        discord.put_out = {"demo"}
    else:
        discord.silent = {"7"}
    lease = _lease(outside, clock, taken=TAKEN._replace(dead_reply="55"))
    await _dead_reply(lease, "7", discord).answer("77")

    assert lease.dead_reply == "55"
    assert outside[0].asked == []


async def test_what_nobody_asked_for_has_no_dead_reply_here(
    outside: Outside, clock: TurnedClock
) -> None:
    button = run(7, request_id="")
    lease = _lease(outside, clock)

    assert DeadReply(button, lease, ToldChannel(Platform("discord"), "demo")).id_here == ""
