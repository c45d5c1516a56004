"""Whatever is asked leaves its line in the log, also where nothing comes of it."""

import json
import logging
from typing import Any

import pytest

from sandbox.telegram_api.history import Json, group, private, user
from tests.audit_line import audit
from tests.telegram.scene import OPERATOR, TelegramScene, labels

DEPLOY = "/fleet@fleet_bot deploy claw-2"
STRANGE = group(-1005550000000, "elsewhere")
FORWARDED = {"forward_origin": {"type": "user", "date": 1, "sender_user": user(5)}}
FOREIGN = user(9009, "helper", is_bot=True)


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.mark.parametrize(
    ("who", "chat", "more", "caller"),
    [
        (OPERATOR, "fleet", {"date": -121}, ("operator", "")),
        (OPERATOR, "fleet", FORWARDED, ("unknown", "a forwarded message")),
        (3003, "fleet", FORWARDED, ("unknown", "somebody who is not answered")),
        (9009, "fleet", {}, ("unknown", "somebody who is not answered")),
        (3003, "fleet", {"date": -121}, ("instance", "claw-1")),
        (OPERATOR, "strange", {}, ("operator", "")),
        (2002, "alone", {}, ("person", "")),
    ],
    ids=["old", "forwarded", "by-claw", "bot", "old-claw", "strange", "stranger"],
)
async def test_an_ask_of_which_nothing_comes_leaves_its_line(
    scene: TelegramScene,
    who: int,
    chat: str,
    more: dict[str, Any],
    caller: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await scene.start()
    people = {OPERATOR: scene.operator, 2002: scene.visitor, 3003: scene.claw, 9009: FOREIGN}
    chats = {"fleet": scene.fleet, "strange": STRANGE, "alone": private(2002)}
    if "date" in more:
        more = {"date": int(scene.clock.now()) + more["date"]}
    await scene.people.say(chats[chat], people[who], DEPLOY, **more)
    await scene.settled()
    (line,) = (one for one in audit(caplog) if one.what != "help")
    assert (line.account, (line.caller, line.known_as)) == (f"telegram:{who}", caller)
    assert line.what == "deploy claw-2"
    assert scene.api.count("deploy") == 0


async def test_each_of_a_stranger_s_asks_alone_with_it_leaves_one_line(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    scene.api.released.clear()
    for page in (2, 3, 4):
        await scene.people.say(private(2002), scene.visitor, f"/fleet status {page}")
    scene.api.released.set()
    await scene.settled()
    said = [line.what for line in audit(caplog) if line.account == "telegram:2002"]
    assert said == ["status 2", "dropped: status 3", "dropped: status 4"]


async def test_an_ask_that_is_doubted_leaves_its_line(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.api.registry = json.dumps({})
    await scene.start()
    refusal = await scene.reply_to(await scene.say(DEPLOY, scene.operator))
    assert "I have not seen the registry yet" in refusal["text"]
    (line,) = audit(caplog)
    assert (line.account, line.caller) == ("telegram:1001", "operator")
    assert line.what == "deploy claw-2"


async def _question(scene: TelegramScene) -> tuple[Json, Json]:
    asked = await scene.say("/fleet@fleet_bot deploy all", scene.operator)
    return asked, await scene.reply_to(asked)


@pytest.mark.parametrize("how", ["changed", "gone", "strange", "not shown", "unread"])
async def test_a_press_of_which_nothing_comes_leaves_its_line(
    scene: TelegramScene, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    asked, reply = await _question(scene)
    data = reply["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    message = reply
    match how:
        case "changed":
            await scene.people.edit(asked, DEPLOY)
        case "gone":
            data = "fleet:s:0"
        case "unread":
            data = "fleet:q:0"
        case "strange":
            message = scene.people.write(STRANGE, scene.telegram.history.bot, "x")
        case "not shown":
            message = {"chat": reply["chat"], "message_id": reply["message_id"], "date": 0}
    before = len(audit(caplog))
    await scene.answered(await scene.people.send_data(message, scene.visitor, data))
    (line,) = audit(caplog)[before:]
    assert (line.account, line.caller) == ("telegram:2002", "person")
    assert line.what == f"press {data}"
    assert labels(reply) == ["Confirm", "Cancel"]


async def test_a_yes_of_somebody_else_leaves_its_line(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    _, reply = await _question(scene)
    await scene.answered(await scene.press(reply, "Confirm", scene.visitor))
    assert audit(caplog)[-1].account == "telegram:2002"
    assert audit(caplog)[-1].what == "yes to deploy all"
