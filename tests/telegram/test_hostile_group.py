"""One bad evening of a fleet's group, as its operator sees it."""

import pytest

from sandbox.telegram_api.history import Json, group, user
from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene

SECOND, FOREIGN = -200, -77
RUNNING = job(MOVES, None, "in_progress")
DONE = "Your deploy of claw-2: done"


@pytest.fixture
def topic(scene: TelegramScene) -> Json:
    """A topic of the fleet's group, which is a forum; the fleet has a second group."""
    scene.fleet = group(FLEET, is_forum=True)
    scene.telegram.history.chats.update({FLEET: scene.fleet, SECOND: group(SECOND)})
    scene.people.write(scene.fleet, scene.visitor, "hello")  # the first number is the General one's
    return scene.people.topic(scene.fleet, "deploys")


async def test_a_deploy_among_strangers_is_told_to_its_end_whatever_is_taken_from_the_bot(
    scene: TelegramScene, topic: Json, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start(CLAWBOT_TELEGRAM_CHATS=f"{FLEET},{SECOND}")
    await scene.until(lambda: scene.told == ["READY=1"])
    words = "/fleet@fleet_bot deploy claw-2"
    reply = await scene.reply_to(await scene.say(words, scene.operator, **topic))
    await scene.until(lambda: "queued" in reply["text"])
    await _everybody_wants_it_too(scene, reply, topic)

    scene.people.close(scene.fleet, topic["message_thread_id"])
    scene.api.running(1, RUNNING)
    await scene.until(lambda: "replacing" in _said(scene, FLEET, "Deploy claw-2")[-1]["text"])
    await _the_bot_is_silenced_for_a_while(scene)
    await _the_bot_is_put_out(scene)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: _said(scene, OPERATOR, DONE))

    await scene.people.let_in(scene.fleet)
    await scene.until(lambda: scene.told[-1] == "STATUS=")
    again = await scene.reply_to(await scene.say(words, scene.operator))
    await scene.until(lambda: "queued" in again["text"])
    assert _said(scene, FLEET, DONE) == []
    assert scene.api.count("deploy") == 2
    assert "Traceback" not in caplog.text


async def _everybody_wants_it_too(scene: TelegramScene, reply: Json, topic: Json) -> None:
    """In the topic and in a group of their own, then by the operator's button; the operator need
    not wait."""
    people, words = [user(5000 + number) for number in range(45)], "/fleet@fleet_bot deploy all"
    asked = [await scene.say(words, one, **topic) for one in people]
    for one in people:
        await scene.people.say(group(FOREIGN), one, words)
    await _status_in_the_second_group(scene)
    await scene.until(lambda: all(map(scene.answer_to, asked)), each=0.1)
    told = [one["text"] for one in map(scene.answer_to, asked) if one]
    pressed = [await scene.press(reply, "Cancel", one) for one in people]
    told += [await scene.answered(one) for one in pressed]
    assert [one for one in told if "operators" not in one] == []
    assert _said(scene, FOREIGN, "") == []
    assert scene.api.count("deploy") == 1


async def _the_bot_is_silenced_for_a_while(scene: TelegramScene) -> None:
    await scene.people.silence(scene.fleet)
    await scene.until(lambda: f"I may not write in the chat {FLEET}" in scene.told[-1])
    await scene.people.let_in(scene.fleet)
    await scene.until(lambda: scene.told[-1] == "STATUS=")


async def _the_bot_is_put_out(scene: TelegramScene) -> None:
    await scene.people.put_out(scene.fleet)
    await scene.until(lambda: f"I am not in the chat {FLEET}" in scene.told[-1])
    await _status_in_the_second_group(scene)


async def _status_in_the_second_group(scene: TelegramScene) -> None:
    asked = await scene.people.say(group(SECOND), scene.operator, "/fleet@fleet_bot status")
    await scene.until(lambda: scene.answer_to(asked), each=0.1)
    assert "2 instances" in str(scene.answer_to(asked))


def _said(scene: TelegramScene, chat: int, words: str) -> list[Json]:
    return [one for one in scene.telegram.history.shown(chat) if words in one["text"]]
