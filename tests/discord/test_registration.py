"""One command is upserted; nobody else's is touched."""

import logging

import pytest

from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES, deploying
from tests.discord.scene import DiscordScene


def written(scene: DiscordScene) -> list[str]:
    return [
        method
        for method, path in scene.discord.asked
        if path.endswith("/commands") and method != "GET"
    ]


async def test_other_commands_of_the_application_stay(scene: DiscordScene) -> None:
    scene.app.commands["ask"] = {"id": "1", "name": "ask", "description": "the agent's", "type": 1}
    await scene.start()
    assert written(scene) == ["POST"]
    assert list(scene.app.commands) == ["ask", "fleet"]
    assert scene.app.commands["fleet"]["default_member_permissions"] == str(1 << 11)


async def test_it_is_not_sent_again_while_it_says_the_same(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await scene.start()
    await scene.until(lambda: caplog.text.count("discord.serving") == 1)
    await scene.stop()
    await scene.start()
    await scene.until(lambda: caplog.text.count("discord.serving") == 2)
    assert written(scene) == ["POST"]


async def test_it_is_sent_once_discord_is_back(scene: DiscordScene) -> None:
    scene.discord.refuse_next("GET", "/commands", 503, {"message": "upstream", "code": 0})
    scene.run("demo", scene.app)
    await scene.until(lambda: "fleet" in scene.app.commands)
    assert written(scene) == ["POST"]


async def test_what_was_left_is_finished_whatever_becomes_of_the_command(
    scene: DiscordScene,
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    scene.discord.refuse_next("GET", "/commands", 503, {"message": "upstream", "code": 0})
    scene.run("demo", scene.app)
    await scene.until(lambda: "done" in reply.text)


async def test_a_list_that_is_full_is_one_sentence(scene: DiscordScene) -> None:
    full = {"message": "Maximum number of\napplication commands reached (100)", "code": 30032}
    scene.discord.refuse_next("POST", "/commands", 400, full)
    scene.run("demo", scene.app)
    await scene.until(lambda: scene.told)
    assert "Maximum number of application commands" in scene.told[0]
    await scene.until(lambda: "fleet" in scene.app.commands)  # once there is room


async def test_it_is_sent_again_when_it_changed(scene: DiscordScene) -> None:
    await scene.start()
    await scene.stop()
    scene.app.commands["fleet"]["options"][0]["description"] = "as an older version had it"
    await scene.start()
    await scene.until(lambda: written(scene) == ["POST", "POST"])
    description = scene.app.commands["fleet"]["options"][0]["description"]
    assert description == "Every instance, its host, and what is wrong"
