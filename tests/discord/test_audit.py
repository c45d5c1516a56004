"""Whatever is asked leaves its line in the log, also where nothing comes of it."""

import logging
from typing import Any

import pytest

from tests.audit_line import AuditLine, audit
from tests.discord.dialogue import question, said, whispered
from tests.discord.scene import DiscordScene

TAKEN = {"message": "Interaction has already been acknowledged.", "code": 40060}
LATE = {"message": "Unknown interaction", "code": 10062}


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def row(id_: str) -> list[dict[str, Any]]:
    return [{"type": 1, "components": [{"type": 2, "style": 2, "label": "x", "custom_id": id_}]}]


async def last(scene: DiscordScene, caplog: pytest.LogCaptureFixture, count: int) -> AuditLine:
    await scene.until(lambda: len(audit(caplog)) == count)
    return audit(caplog)[-1]


@pytest.mark.parametrize(("status", "body"), [(400, TAKEN), (404, LATE)])
async def test_what_another_program_answered_or_came_too_late_leaves_its_line(
    scene: DiscordScene,
    status: int,
    body: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await scene.start()
    _, reply = await question(scene)
    by = f"discord:{scene.operator.id}", "operator"
    scene.discord.refuse_next("POST", "/callback", status, body)
    await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    line = await last(scene, caplog, 2)
    assert (line.account, line.caller) == by
    assert line.what == "deploy claw-2"
    scene.discord.refuse_next("POST", "/callback", status, body)
    id_ = reply.buttons["Deploy"]
    await scene.discord.press(scene.app, scene.operator, reply, id_)
    line = await last(scene, caplog, 3)
    assert (line.account, line.caller) == by
    assert line.what == f"press {id_}"
    assert scene.api.count("deploy") == 0


async def test_what_is_asked_elsewhere_leaves_its_line(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    lobby = scene.discord.channel("lobby")
    await scene.start()
    await scene.discord.command(scene.app, scene.operator, "deploy", lobby, target="claw-2")
    assert (await last(scene, caplog, 1)).what == "deploy claw-2"
    await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}> /fleet deploy all", lobby)
    assert (await last(scene, caplog, 2)).what == "deploy all"
    there = await scene.discord.say(scene.app.bot, "x", lobby)
    there.body["components"] = row("fleet:s:0:::abcdefgh")
    await scene.discord.press(scene.app, scene.operator, there, "fleet:s:0:::abcdefgh")
    assert (await last(scene, caplog, 3)).what == "press fleet:s:0:::abcdefgh"
    # What is said to the bot there and is no command is nobody's to read.
    await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}> status", lobby)
    await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}> /fleet help", lobby)
    assert (await last(scene, caplog, 4)).what == "help"


async def test_a_button_that_is_not_ours_or_not_theirs_leaves_its_line(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    _, reply = await question(scene)
    press, other = scene.discord.press, await scene.discord.say(scene.app.bot, "x")
    other.body["components"] = row("fleet:y:all,,1:1:1:abcdefgh")
    foreign = await press(scene.app, scene.owner, other, "fleet:y:all,,1:1:1:abcdefgh")
    assert "not one I made" in await whispered(scene, foreign)
    assert audit(caplog)[-1].what == "press fleet:y:all,,1:1:1:abcdefgh"
    await whispered(scene, await press(scene.app, scene.owner, reply, reply.buttons["Deploy"]))
    assert audit(caplog)[-1].what == "yes to deploy all"
    assert {line.account for line in audit(caplog)[-2:]} == {f"discord:{scene.owner.id}"}


async def test_what_a_program_says_that_is_not_answered_leaves_its_line(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = scene.discord.person("stranger", bot=True)
    await scene.start()
    await said(scene, stranger, "/fleet deploy all")
    content = f"<@{scene.app.bot.id}> /fleet deploy all"
    await scene.discord.say(scene.operator, content, webhook="1234567890")
    await scene.until(lambda: len(audit(caplog)) == 2)
    unknown = "unknown", "somebody who is not answered", "deploy all"
    assert [(one.account, one.caller, one.known_as, one.what) for one in audit(caplog)] == [
        (f"discord:{stranger.id}", *unknown),
        (f"discord:{scene.operator.id}", *unknown),
    ]
