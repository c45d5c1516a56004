"""Where a deploy is told now is said wherever it was told before, and once."""

import pytest

from clawbot.fleet_channel.pointers import Pointers
from clawbot.replies import GoesOn
from fleet_control.announcement import Announcement
from fleet_control.ledger import Run
from tests.clawbot.control_api import run
from tests.clawbot.told_fleet import Platform, Standing, ToldChannel
from tests.clock import TurnedClock

HERE, ELSEWHERE = run(1, request_id="discord.claw-2.900.5"), run(1, request_id="discord.claw-2.7.5")
BUTTONS = run(1, request_id="")
SEEN = Announcement("", "demo")
THERE = GoesOn("Deploy claw-2", "discord:900", "77")


@pytest.fixture
def discord() -> Platform:
    """On which the dead reply 55 of another bot stands, and nothing else."""
    platform = Platform("discord")
    platform.messages["55"] = Standing("claw-2", "discord:7", "")
    return platform


@pytest.fixture
def pointers(discord: Platform, clock: TurnedClock) -> Pointers:
    return Pointers(ToldChannel(discord, "demo"), "demo", clock)


@pytest.mark.parametrize(
    ("run_", "dead", "earlier", "answered"),
    [
        (HERE, "55", (), "55"),
        (HERE, "55", (("claw-2", "61"),), "55"),
        (HERE, "", (("claw-2", "61"), ("claw-3", "62")), "62"),
        (ELSEWHERE, "55", (), ""),
        (ELSEWHERE, "55", (("claw-2", "61"), ("demo", "62")), "61"),
        (BUTTONS, "", (("demo", "62"),), ""),
    ],
)
def test_what_is_told_anew_answers_the_dead_reply_here_or_what_another_bot_told_last(
    pointers: Pointers, run_: Run, dead: str, earlier: tuple[tuple[str, str], ...], answered: str
) -> None:
    assert pointers.answered(run_, SEEN._replace(dead_reply=dead, earlier=earlier)) == answered


async def test_a_dead_reply_is_answered_once(pointers: Pointers, discord: Platform) -> None:
    for to in ("", "77", "77", "78"):
        await pointers.say(ELSEWHERE, SEEN._replace(dead_reply="55"), to)

    assert discord.pointed == [("55", "77")]


@pytest.mark.parametrize(
    ("run_", "seen"),
    [
        (ELSEWHERE, SEEN),
        (HERE, SEEN._replace(dead_reply="55")),
        (ELSEWHERE, SEEN._replace(dead_reply="55", message="77")),
        (ELSEWHERE, SEEN._replace(dead_reply="55", earlier=(("claw-3", "61"),))),
    ],
    ids=["none", "it is answered by the message itself", "it was before", "another bot did"],
)
async def test_a_dead_reply_is_left_alone_where_there_is(
    pointers: Pointers, discord: Platform, run_: Run, seen: Announcement
) -> None:
    await pointers.say(run_, seen, "77")

    assert discord.pointed == []


async def test_a_dead_reply_that_can_t_be_answered_costs_nothing(pointers: Pointers) -> None:
    await pointers.say(ELSEWHERE, SEEN._replace(dead_reply="of a message that is gone"), "77")


async def test_our_messages_point_on_and_once_for_each_place(
    pointers: Pointers, discord: Platform
) -> None:
    earlier = (("demo", "61"), ("claw-3", "62"), ("demo", "77"))
    pointers.left(BUTTONS, "63")
    pointers.left(run(2), "64")
    for to in ("77", "77", "78"):
        await pointers.say(BUTTONS, SEEN._replace(earlier=earlier), to)

    on = GoesOn(THERE.what, THERE.channel, "78")
    shown = {id_: one.shown for id_, one in discord.messages.items() if one.author == "demo"}
    assert shown == {"61": [THERE, on], "63": [THERE, on], "77": [on]}
