"""Three bots on two platforms, any of which is killed at any moment of a deploy.

Whatever happens, each channel ends with one final message of each deploy and one call. What a
platform has taken from a bot that was killed before it heard so may be said once more.
"""

from itertools import count

import pytest

from tests.announced.killing import Killing, Return
from tests.announced.three_bots import ThreeBots
from tests.announced.verdict import AskedDeploy

FEWEST_MOMENTS = 20


@pytest.mark.parametrize("comes", Return)
async def test_what_a_bot_was_asked_is_told_once_whenever_it_dies(
    bots: ThreeBots, comes: Return
) -> None:
    """Bot one was asked on both platforms at once."""
    bots.runs.lasts = {"claw-2": 60.0, "claw-3": 420.0}
    bots.runs.ill = {"claw-3"}

    async def ask() -> None:
        await bots.asks_on_discord("claw-2")
        await bots.asks_on_telegram("claw-3")

    deploys = (
        AskedDeploy("claw-2", "discord", "ops"),
        AskedDeploy("claw-3", "telegram", "fleet", fails=True),
    )
    await bots.start()
    await bots.pass_time(30)
    wrong = await _at_moments(Killing(bots, deploys, (bots.one,), ask), comes, each=5)
    assert not wrong, wrong


@pytest.mark.parametrize("comes", Return)
async def test_what_nobody_asked_for_in_a_chat_is_told_once_whichever_announcer_dies(
    bots: ThreeBots, comes: Return
) -> None:
    """An agent's deploy and the button's at once, announced by the only bot that each platform has
    then; both are killed, and a third one serves both platforms from there."""
    bots.runs.lasts = {"claw-4": 60.0, "claw-5": 420.0}
    bots.runs.ill = {"claw-4"}
    asked = count(1)

    async def ask() -> None:
        await bots.agent_asks("claw-4", str(next(asked)))
        bots.runs.press("claw-5")

    deploys = (AskedDeploy("claw-4", fails=True), AskedDeploy("claw-5"))
    await bots.start(bots.two, bots.three)
    await bots.pass_time(30)
    victims = (bots.two, bots.three)
    wrong = await _at_moments(
        Killing(bots, deploys, victims, ask, stands_by=bots.one), comes, each=8
    )
    assert not wrong, wrong


async def _at_moments(killing: Killing, comes: Return, each: int) -> str:
    """What is wrong after a kill at each so manieth moment; the three ways to come back share the
    moments, and the last one is not killed any more."""
    wrong: list[str] = []
    ways = list(Return)
    for number in count(ways.index(comes), len(ways)):
        # By turns one at which a call has come to nothing yet, and one at which it has.
        moment = 1 + each * number + number % 2
        killed, found = await killing.at(moment, comes)
        wrong += [f"{moment}, {comes.name}, {killed}: {one}" for one in found]
        if not killed:
            assert number >= FEWEST_MOMENTS
            break
    return "\n".join(wrong)
