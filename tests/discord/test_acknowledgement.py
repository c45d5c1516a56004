"""What Discord tells of the message that a first answer made: its id, or less, or nothing."""

import pytest

from sandbox.discord_api.payload import Callback
from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES, pings
from tests.discord.scene import DiscordScene

LESS = [one for one in Callback if one is not Callback.FULL]


@pytest.mark.parametrize("told", LESS)
async def test_a_command_is_answered_and_its_button_is_ours(
    scene: DiscordScene, told: Callback, caplog: pytest.LogCaptureFixture
) -> None:
    scene.discord.callback = told
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.until(lambda: asked.message and "queued" in asked.message.text)
    assert asked.message is not None
    assert scene.api.runs[0].reply == asked.message.id
    cancel = asked.message.buttons["Cancel"]
    pressed = await scene.discord.press(scene.app, scene.operator, asked.message, cancel)
    await scene.until(lambda: pressed.whispers)
    assert "is being cancelled" in pressed.whispers[0].text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("told", LESS)
async def test_a_yes_counts_and_its_asker_is_called(scene: DiscordScene, told: Callback) -> None:
    scene.discord.callback = told
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="all")
    await scene.until(lambda: asked.message and asked.message.buttons)
    reply = await scene.replied(asked)
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text


@pytest.mark.parametrize("told", LESS)
async def test_one_that_asks_elsewhere_is_told_so_once(
    scene: DiscordScene, told: Callback, caplog: pytest.LogCaptureFixture
) -> None:
    scene.discord.callback = told
    await scene.start()
    lobby = scene.discord.channel("lobby")
    asked = await scene.discord.command(scene.app, scene.visitor, "status", lobby)
    await scene.until(lambda: asked.whispers)
    await scene.discord.typing(scene.app, scene.visitor, "deploy", "target", target="c")
    answered = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.until(lambda: answered.message and not answered.message.loading)
    assert [one.text for one in asked.whispers] == [f"I answer in <#{scene.discord.fleet.id}>."]
    assert "Traceback" not in caplog.text
