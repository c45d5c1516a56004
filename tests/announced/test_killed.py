"""Three bots on two platforms, any of which is killed at any moment of a deploy.

Whatever happens, each channel ends with one final message of each deploy and one call. What a
platform has taken from a bot that was killed before it heard so may be said once more.

A moment is one at which another world would be left than at the one before: a call that shows or
writes something arrives, or all has come of it but the answer. Whoever dies while it only reads
leaves the world of its last such moment.
"""

from itertools import count

import pytest

from tests.announced.killing import Killing, Return
from tests.announced.three_bots import ThreeBots
from tests.announced.verdict import AskedDeploy

# Where its bot is given up, a run lasts longer than that takes.
LASTS = {
    Return.AFTER_A_MINUTE: 150.0,
    Return.AFTER_SIX_MINUTES: 420.0,
    Return.NEVER: 420.0,
}
# Spread over the 48 of the shorter run and the 58 of the longer, by turns one at which a call has
# come to nothing yet and one at which it has: 21 together.
ASKED = {
    Return.AFTER_A_MINUTE: (1, 9, 16, 24, 31, 39, 46),
    Return.AFTER_SIX_MINUTES: (2, 11, 20, 30, 39, 48, 57),
    Return.NEVER: (4, 12, 21, 29, 38, 46, 55),
}
# Of 30 and of 40, each another one; first the one behind the end, while no bot looks after what an
# earlier kill left.
ANNOUNCED = {
    Return.AFTER_A_MINUTE: (29, 1, 10, 20),
    Return.AFTER_SIX_MINUTES: (36, 5, 15, 26),
    Return.NEVER: (39, 8, 18, 31),
}


@pytest.mark.parametrize("comes", Return)
async def test_what_a_bot_was_asked_is_told_once_whenever_it_dies(
    bots: ThreeBots, comes: Return
) -> None:
    """Bot one was asked on both platforms at once."""
    bots.runs.lasts = {"claw-2": 60.0, "claw-3": LASTS[comes]}
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
    killing = Killing(bots, deploys, (bots.one,), ask)
    wrong = [one for moment in ASKED[comes] for one in await killing.at(moment, comes)]
    assert not wrong, "\n".join(wrong)
    assert killing.untold == [], "no moment lies behind the end of these"


@pytest.mark.parametrize("comes", Return)
async def test_what_nobody_asked_for_in_a_chat_is_told_once_whichever_announcer_dies(
    bots: ThreeBots, comes: Return
) -> None:
    """An agent's deploy and the button's at once, announced by the only bot that each platform has
    then; both are killed, and a third one serves both platforms from there.

    They die at twelve moments, spread over all that they tell: before and after they take it upon
    them, say so, tell the end, call and note that. At each single one of these an announcer alone
    is killed in `tests/clawbot`; here the whole programs do the same.
    """
    bots.runs.lasts = {"claw-4": 60.0, "claw-5": LASTS[comes]}
    bots.runs.ill = {"claw-4"}
    asked = count(1)

    async def ask() -> None:
        await bots.agent_asks("claw-4", str(next(asked)))
        bots.runs.press("claw-5")

    deploys = (AskedDeploy("claw-4", fails=True), AskedDeploy("claw-5"))
    await bots.start(bots.two, bots.three)
    await bots.pass_time(30)
    victims = (bots.two, bots.three)
    killing = Killing(bots, deploys, victims, ask, stands_by=bots.one)
    wrong = [one for moment in ANNOUNCED[comes] for one in await killing.at(moment, comes)]
    assert not wrong, "\n".join(wrong)
    assert killing.untold == [], "no moment lies behind the end of these"
