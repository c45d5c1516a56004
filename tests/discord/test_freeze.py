"""A frozen fleet in Discord: its status says so, and one button overrides it, once."""

import pytest

from tests.clawbot.control_api import run
from tests.discord.dialogue import whispered
from tests.discord.scene import DiscordScene

SENTENCE = "The fleet is frozen by kim in Telegram until 2026-09-21 15:13 UTC: a move."


@pytest.fixture
def frozen(scene: DiscordScene) -> DiscordScene:
    """Frozen from Telegram."""
    told = {"by": "telegram:7 kim", "reason": "a move", "since": 1_790_000_000}
    scene.api.freeze = {**told, "until": 1_790_003_600}
    return scene


async def test_the_status_says_so(frozen: DiscordScene) -> None:
    await frozen.start()
    asked = await frozen.discord.command(frozen.app, frozen.visitor, "status")
    reply = await frozen.replied(asked)
    await frozen.until(lambda: "2 instances" in reply.text)
    assert f"🟡 {SENTENCE}" in reply.text


async def test_pressed_twice_by_two_it_is_overridden_once(frozen: DiscordScene) -> None:
    await frozen.start()
    asked = await frozen.discord.command(frozen.app, frozen.operator, "deploy", target="claw-2")
    reply = await frozen.replied(asked)
    await frozen.until(lambda: SENTENCE in reply.text)
    assert "(`frozen`) A yes overrides that, for this once." in reply.text
    assert list(reply.buttons) == ["Override", "Leave it"]
    id_ = reply.buttons["Override"]

    others = await frozen.discord.press(frozen.app, frozen.owner, reply, id_)
    assert "Only the one who asked" in await whispered(frozen, others)
    await frozen.discord.press(frozen.app, frozen.operator, reply, id_)
    again = await frozen.discord.press(frozen.app, frozen.operator, reply, id_)
    assert "answered already, with a yes" in await whispered(frozen, again)
    await frozen.until(lambda: "queued" in reply.text)

    assert "Deploy claw-2, overriding the freeze" in reply.text
    sent = [one for one in frozen.api.asked if one["action"] == "deploy"]
    assert [(one["target"], one["override"]) for one in sent] == [("claw-2", "freeze")]


async def test_a_roll_under_way_is_stopped_by_a_button_below_the_freeze_and_no_other_is(
    scene: DiscordScene,
) -> None:
    scene.api.runs.append(run(1, target="all"))
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.operator, "freeze", reason="a move")
    reply = await scene.replied(asked)
    await scene.until(lambda: "Frozen by" in reply.text)
    assert "A roll is under way, and goes on" in reply.text
    id_ = reply.buttons["Stop the roll"]

    visitors = await scene.discord.press(scene.app, scene.visitor, reply, id_)
    assert "Only operators may" in await whispered(scene, visitors)
    await scene.discord.press(scene.app, scene.owner, reply, id_)
    await scene.until(lambda: any("Run 1 was told." in one.text for one in scene.channel()))
    scene.api.runs[:] = [run(1, "completed", "success"), run(2)]
    late = await scene.discord.press(scene.app, scene.operator, reply, id_)
    assert "That roll is over: nothing was stopped." in await whispered(scene, late)
    assert scene.api.count("stop") == 1
    assert "Frozen by" in reply.text
