"""A frozen fleet in Telegram: its status says so, and one button overrides it, once."""

import pytest

from tests.clawbot.control_api import run
from tests.telegram.scene import TelegramScene, labels

SENTENCE = "The fleet is frozen by sam in Discord until 2026-09-21 15:13 UTC: a move."


@pytest.fixture
def frozen(scene: TelegramScene) -> TelegramScene:
    """Frozen from Discord."""
    told = {"by": "discord:8 sam", "reason": "a move", "since": 1_790_000_000}
    scene.api.freeze = {**told, "until": 1_790_003_600}
    return scene


async def test_the_status_says_so(frozen: TelegramScene) -> None:
    await frozen.start()
    status = await frozen.reply_to(await frozen.say("/fleet status"))
    assert f"\n🟡 {SENTENCE}\n" in status["text"]


async def test_pressed_twice_by_two_it_is_overridden_once(frozen: TelegramScene) -> None:
    await frozen.start()
    asked = await frozen.say("/fleet@fleet_bot deploy claw-2", frozen.operator)
    reply = await frozen.reply_to(asked)
    assert f"{SENTENCE} (frozen) A yes overrides that, for this once." in reply["text"]
    assert labels(reply) == ["Override", "Cancel"]

    others = await frozen.press(reply, "Override", frozen.visitor)
    assert await frozen.answered(others) == "Only the one who asked may answer that."
    await frozen.press(reply, "Override")
    await frozen.until(lambda: "queued" in reply["text"])

    assert "Deploy claw-2, overriding the freeze" in reply["text"]
    sent = [one for one in frozen.api.asked if one["action"] == "deploy"]
    assert [(one["target"], one["override"]) for one in sent] == [("claw-2", "freeze")]


async def test_a_button_that_asks_is_overridden_by_its_own_question(
    frozen: TelegramScene,
) -> None:
    await frozen.start()
    choice = await frozen.reply_to(await frozen.say("/fleet deploy"))
    await frozen.press(choice, "claw-2")
    await frozen.until(lambda: "With which image" in choice["text"])
    await frozen.press(choice, "the newest")
    await frozen.until(lambda: "Override" in labels(choice))
    await frozen.press(choice, "Override")
    await frozen.until(lambda: "queued" in choice["text"])
    sent = [one for one in frozen.api.asked if one["action"] == "deploy"]
    assert [(one["target"], one["override"]) for one in sent] == [("claw-2", "freeze")]


async def test_a_roll_under_way_is_stopped_by_a_button_below_the_freeze_and_no_other_is(
    scene: TelegramScene,
) -> None:
    scene.api.runs.append(run(1, target="all"))
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet freeze a move"))
    assert "A roll is under way, and goes on" in reply["text"]
    assert labels(reply) == ["Stop the roll"]

    await scene.press(reply, "Stop the roll")
    shown = scene.telegram.history.shown
    chat = reply["chat"]["id"]
    await scene.until(lambda: any("Run 1 was told." in one["text"] for one in shown(chat)))
    scene.api.runs[:] = [run(1, "completed", "success"), run(2)]
    late = await scene.press(reply, "Stop the roll")
    assert "That roll is over" in await scene.answered(late)
    assert scene.api.count("stop") == 1
    assert "Frozen by" in reply["text"]
