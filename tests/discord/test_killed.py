"""A bot that is killed at any moment of a deploy, and what its replies say at last.

Its successor makes each reply final that a run answers to. One that was left before the dispatch
stays "asking …", and is true by itself: it says what to do if it has not changed in two minutes
(`tests.killed_deploys.untrue`).
"""

import pytest

from tests.clock import TurnedClock
from tests.discord.dialogue import pings, said
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.killed_deploys import KilledDeploys
from tests.timed_control_api import TimedControlApi


@pytest.mark.parametrize(
    ("by_mention", "lag"),
    [(False, 0), (False, 6), (False, 12), (True, 12)],
    ids=["0", "6", "12", "12, by mention"],
)
async def test_each_reply_that_a_run_answers_to_ends_final_and_each_other_is_true(
    ec2: FakeEc2, by_mention: bool, lag: float
) -> None:
    rolling = TimedControlApi(clock=TurnedClock(), lag=lag)
    scene = DiscordScene(rolling.clock, ec2)
    scene.api = rolling

    async def ask() -> str:
        here = scene.discord.fleet
        if by_mention:
            return (await said(scene, scene.operator, "/fleet deploy claw-2")).id
        asked = await scene.discord.command(
            scene.app, scene.operator, "deploy", here, target="claw-2"
        )
        # Discord gives three seconds for that, and the clock stands still for it.
        await scene.until(lambda: asked.answers or scene.line.is_cut, each=0.0)
        return asked.id

    def replies(asked: str) -> dict[str, str]:
        return {one.id: one.text for one in scene.channel() if int(one.id) > int(asked)}

    def calls(asked: str) -> int:
        return sum(int(one.id) > int(asked) for one in pings(scene))

    async def say_again() -> bool:
        # Discord tells nobody of what was said while they were away; a mention can be read, though.
        return by_mention and not replies(killing.asked)

    async with scene:
        killing = KilledDeploys(
            scene, rolling, scene.start, ask, replies, say_again, calls, calls_once=True
        )
        assert await killing.at_each_moment() == {}
