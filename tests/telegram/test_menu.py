"""The command menu of the fleet's chats: added to, never overwritten."""

import json
from typing import Any

import pytest
from telegram import BotCommand

from clawbot.telegram.menu import FLEET as COMMAND
from clawbot.telegram.menu import merged
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene


def menu(scene: TelegramScene, scope: dict[str, Any]) -> list[str]:
    spelled = json.dumps(scope | {"language_code": ""}, sort_keys=True)
    return [command["command"] for command in scene.telegram.methods.menus.get(spelled, [])]


def put(scene: TelegramScene, scope: dict[str, Any], *names: str) -> None:
    spelled = json.dumps(scope | {"language_code": ""}, sort_keys=True)
    scene.telegram.methods.menus[spelled] = [
        {"command": name, "description": "theirs"} for name in names
    ]


async def test_the_menu_is_for_the_fleets_chats_only_and_keeps_what_is_there(
    scene: TelegramScene,
) -> None:
    put(scene, {"type": "default"}, "start", "help")
    put(scene, {"type": "chat", "chat_id": OPERATOR}, "mine")
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 2)
    assert menu(scene, {"type": "chat", "chat_id": FLEET}) == ["start", "help", "fleet"]
    assert menu(scene, {"type": "chat", "chat_id": OPERATOR}) == ["mine", "fleet"]
    assert menu(scene, {"type": "default"}) == ["start", "help"]


async def test_no_list_of_administrators_is_hidden(scene: TelegramScene) -> None:
    put(scene, {"type": "all_group_chats"}, "start")
    put(scene, {"type": "all_chat_administrators"}, "ban")
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 3)
    assert menu(scene, {"type": "chat", "chat_id": FLEET}) == ["start", "fleet"]
    administrators = {"type": "chat_administrators", "chat_id": FLEET}
    assert menu(scene, administrators) == ["ban", "fleet"]
    assert menu(scene, {"type": "all_chat_administrators"}) == ["ban"]
    chats = [json.loads(one.sent["scope"]) for one in scene.telegram.called("setMyCommands")]
    # In between, nobody misses anything.
    assert chats.index(administrators) < chats.index({"type": "chat", "chat_id": FLEET})


async def test_a_full_list_of_administrators_is_kept_though_ours_has_no_room(
    scene: TelegramScene,
) -> None:
    full = [f"c{number}" for number in range(100)]
    put(scene, {"type": "all_chat_administrators"}, *full)
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 3)
    assert menu(scene, {"type": "chat_administrators", "chat_id": FLEET}) == full


async def test_administrators_who_have_a_list_get_ours_in_it(scene: TelegramScene) -> None:
    put(scene, {"type": "chat_administrators", "chat_id": FLEET}, "pin")
    put(scene, {"type": "all_chat_administrators"}, "ban")
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 3)
    assert menu(scene, {"type": "chat_administrators", "chat_id": FLEET}) == ["pin", "fleet"]


async def test_administrators_who_saw_the_chats_own_list_still_do(scene: TelegramScene) -> None:
    put(scene, {"type": "chat", "chat_id": FLEET}, "start")
    put(scene, {"type": "all_chat_administrators"}, "ban")
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 2)
    assert menu(scene, {"type": "chat_administrators", "chat_id": FLEET}) == []
    assert menu(scene, {"type": "chat", "chat_id": FLEET}) == ["start", "fleet"]


async def test_a_menu_that_is_right_is_not_set_again(scene: TelegramScene) -> None:
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 2)
    await scene.stop()
    asked = len(scene.telegram.called("getMyCommands"))
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("getMyCommands")) == asked + 3)
    assert len(scene.telegram.called("setMyCommands")) == 2


async def test_a_menu_that_the_network_kept_from_us_is_set_later(scene: TelegramScene) -> None:
    scene.telegram.weather.bad_gateway("getMyCommands", times=3)
    scene.telegram.weather.flood("getMyCommands", retry_after=200)
    begun = scene.clock.now()
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 2)
    assert menu(scene, {"type": "chat", "chat_id": FLEET}) == ["fleet"]
    assert scene.clock.now() - begun >= 200


async def test_a_chat_that_is_not_there_is_not_asked_about_again(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await scene.start(CLAWBOT_TELEGRAM_CHATS=f"{FLEET},-77")
    await scene.until(lambda: "telegram.menu_not_set chat=-77" in caplog.text)
    await scene.until(lambda: len(scene.telegram.called("setMyCommands")) == 2)
    asked = len(scene.telegram.called("getMyCommands"))
    await scene.clock.turn(3600)
    await scene.settled()
    assert len(scene.telegram.called("getMyCommands")) == asked


def test_a_full_menu_is_left_alone() -> None:
    assert merged([BotCommand(f"c{number}", "theirs") for number in range(100)]) is None


def test_an_older_fleet_is_brought_up_to_date() -> None:
    theirs = BotCommand("help", "theirs")
    assert merged([BotCommand("fleet", "before"), theirs]) == (theirs, COMMAND)
