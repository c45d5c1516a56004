"""Where a deploy is told now is said wherever this bot told it before, and once."""

import pytest

from clawbot.fleet_channel.pointers import Pointers
from clawbot.replies import GoesOn
from fleet_control.announcement import Announcement
from tests.clawbot.control_api import run
from tests.clawbot.told_platform import Platform, ToldChannel
from tests.clock import TurnedClock

BUTTONS = run(1, request_id="")
SEEN = Announcement("", "demo")
THERE = GoesOn("Deploy claw-2", "discord:900", "77")


@pytest.fixture
def discord() -> Platform:
    return Platform("discord")


@pytest.fixture
def pointers(discord: Platform, clock: TurnedClock) -> Pointers:
    return Pointers(ToldChannel(discord, "demo"), "demo", clock)


async def test_our_messages_point_on_and_once_for_each_place(
    pointers: Pointers, discord: Platform
) -> None:
    earlier = (("demo", "61"), ("claw-3", "62"), ("demo", "77"))
    pointers.left(BUTTONS, "63")
    pointers.left(run(2), "64")
    for to in ("77", "77", "78"):
        await pointers.say(BUTTONS, SEEN._replace(earlier=earlier), to)

    on = GoesOn(THERE.what, THERE.channel, "78")
    shown = {id_: one.shown for id_, one in discord.messages.items()}
    assert shown == {"61": [THERE, on], "63": [THERE, on], "77": [on]}


async def test_where_we_told_nothing_nothing_points_on(
    pointers: Pointers, discord: Platform
) -> None:
    await pointers.say(BUTTONS, SEEN, "77")

    assert discord.messages == {}
