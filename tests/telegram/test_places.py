"""Where our messages go: where they were asked for, and elsewhere once that place is closed."""

from collections.abc import Callable

import pytest

from sandbox.telegram_api.history import Json, group
from sandbox.telegram_api.refusal import BotApiRefusal
from tests.clawbot.control_api import job
from tests.clawbot.test_policy_in_chat import moment
from tests.discord.dialogue import MOVES
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene

RUNNING = job(MOVES, None, "in_progress")
DONE = "Your deploy of claw-2: done"


@pytest.fixture
def topic(scene: TelegramScene) -> Json:
    """A topic of the fleet's group, which is a forum: what a message in it has."""
    scene.fleet = group(FLEET, is_forum=True)
    scene.telegram.history.chats[FLEET] = scene.fleet
    scene.people.write(scene.fleet, scene.visitor, "hello")  # the first number is the General one's
    return scene.people.topic(scene.fleet, "deploys")


async def asked_in(scene: TelegramScene, topic: Json) -> tuple[Json, Json]:
    """An operator's deploy there, and the reply, once its run is known."""
    await scene.start()
    asked = await scene.say("/fleet@fleet_bot deploy claw-2", scene.operator, **topic)
    reply = await scene.reply_to(asked)
    await scene.until(lambda: "queued" in reply["text"])
    return asked, reply


def said(scene: TelegramScene, words: str, chat: int = FLEET) -> list[Json]:
    return [one for one in scene.telegram.history.shown(chat) if words in one["text"]]


def thread(message: Json) -> int | None:
    number: int | None = message.get("message_thread_id")
    return number


async def ended(scene: TelegramScene, chat: int = FLEET) -> tuple[Json, Json]:
    """What tells the end, and what calls its asker."""
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: said(scene, DONE, chat))
    (told,), (called,) = said(scene, "Deploy claw-2: done", chat), said(scene, DONE, chat)
    return told, called


async def test_in_a_topic_every_message_goes_into_it(scene: TelegramScene, topic: Json) -> None:
    _, reply = await asked_in(scene, topic)
    told, called = await ended(scene)
    assert told is reply
    assert thread(reply) == thread(called) == topic["message_thread_id"]


async def test_in_a_topic_a_reply_to_what_was_deleted_goes_into_it(
    scene: TelegramScene, topic: Json
) -> None:
    asked, reply = await asked_in(scene, topic)
    scene.people.delete(asked)
    scene.people.delete(reply)
    told, called = await ended(scene)
    assert thread(told) == thread(called) == topic["message_thread_id"]


async def test_in_a_topic_a_whisper_that_is_too_late_goes_into_it(
    scene: TelegramScene, topic: Json
) -> None:
    _, reply = await asked_in(scene, topic)
    scene.telegram.weather.refuse(
        "answerCallbackQuery", 400, "Bad Request: query is too old", times=2
    )
    await scene.press(reply, "Cancel", scene.operator)
    await scene.until(lambda: said(scene, "is being cancelled"))
    (whisper,) = said(scene, "is being cancelled")
    assert thread(whisper) == topic["message_thread_id"]


async def test_in_the_general_topic_no_thread_is_named(scene: TelegramScene, topic: Json) -> None:
    assert topic
    _, reply = await asked_in(scene, {})
    _, called = await ended(scene)
    assert thread(reply) is thread(called) is None


async def test_in_a_group_s_thread_answers_land_in_it(scene: TelegramScene) -> None:
    first = await scene.people.say(scene.fleet, scene.visitor, "about claw-2")
    _, reply = await asked_in(scene, {"message_thread_id": first["message_id"]})
    _, called = await ended(scene)
    assert thread(reply) == thread(called) == first["message_id"]


async def test_a_successor_s_call_goes_into_the_topic(scene: TelegramScene, topic: Json) -> None:
    _, reply = await asked_in(scene, topic)
    await scene.stop()
    await scene.start()
    told, called = await ended(scene)
    assert told is reply
    assert thread(called) == topic["message_thread_id"]


async def test_a_successor_s_message_goes_into_the_topic_though_its_reply_is_deleted(
    scene: TelegramScene, topic: Json
) -> None:
    asked, reply = await asked_in(scene, topic)
    await scene.stop()
    scene.people.delete(reply)
    await scene.start()
    told, called = await ended(scene)
    assert thread(told) == thread(called) == topic["message_thread_id"]
    assert told["reply_to_message"] is asked


async def test_a_successor_s_new_message_goes_into_the_topic(
    scene: TelegramScene, topic: Json
) -> None:
    await asked_in(scene, topic)
    await scene.stop()
    scene.telegram.weather.refuse("editMessageText", 400, "Bad Request: message can't be edited", 1)
    await scene.start()
    told, _ = await ended(scene)
    assert thread(told) == topic["message_thread_id"]


def closed(scene: TelegramScene, topic: Json) -> None:
    scene.people.close(scene.fleet, topic["message_thread_id"])


def deleted(scene: TelegramScene, topic: Json) -> None:
    scene.people.delete_topic(scene.fleet, topic["message_thread_id"])


@pytest.mark.parametrize("shut", [closed, deleted])
async def test_where_a_topic_is_shut_the_general_one_has_the_rest(
    scene: TelegramScene, topic: Json, shut: Callable[[TelegramScene, Json], None]
) -> None:
    await asked_in(scene, topic)
    shut(scene, topic)
    scene.telegram.weather.refuse("editMessageText", 400, "Bad Request: TOPIC_CLOSED")
    scene.api.running(1, RUNNING)
    await scene.until(lambda: said(scene, "replacing"))
    told, called = await ended(scene)
    assert thread(told) is thread(called) is None
    assert called["reply_to_message"] is told
    assert len(said(scene, "Deploy claw-2: ")) == 1 + (shut is closed)


REFUSALS = [
    (400, "Bad Request: message to edit not found"),
    (400, "Bad Request: message can't be edited"),
    (400, "Bad Request: MESSAGE_ID_INVALID"),
    (400, "Bad Request: message thread not found"),
    (400, "Bad Request: TOPIC_CLOSED"),
    (400, "Bad Request: CHAT_RESTRICTED"),
    (400, "Bad Request: something that nobody has seen yet"),
    (403, "Forbidden: bot is not a member of the supergroup chat"),
]


@pytest.mark.parametrize(("status", "why"), REFUSALS)
async def test_whatever_telegram_refuses_an_edit_for_a_new_message_has_the_rest(
    scene: TelegramScene, status: int, why: str
) -> None:
    await scene.start()
    asked = await scene.say("/fleet deploy claw-2")
    reply = await scene.reply_to(asked)
    await scene.until(lambda: "queued" in reply["text"])
    scene.telegram.weather.refuse("editMessageText", status, why)
    told, called = await ended(scene, OPERATOR)
    assert told is not reply
    assert told["reply_to_message"] is asked
    assert called["reply_to_message"] is told


OUT = [
    (403, "Forbidden: bot was kicked from the supergroup chat"),
    (400, "Bad Request: chat not found"),
    (400, "Bad Request: not enough rights to send text messages to the chat"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
    (400, "Bad Request: group chat was upgraded to a supergroup chat"),
]


def shut_out(scene: TelegramScene, chat: int, status: int, why: str) -> None:
    scene.telegram.history.shut[chat] = BotApiRefusal(status, why)


@pytest.mark.parametrize(("status", "why"), OUT)
async def test_where_the_group_is_closed_to_us_the_asker_alone_has_the_rest(
    scene: TelegramScene, status: int, why: str
) -> None:
    await asked_in(scene, {})
    shut_out(scene, FLEET, status, why)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: said(scene, "replacing", OPERATOR))
    told, called = await ended(scene, OPERATOR)
    assert called["reply_to_message"] is told
    assert len(said(scene, "", OPERATOR)) == 2


async def test_where_nothing_is_open_the_run_is_followed_and_its_end_told_once_it_is(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    _, reply = await asked_in(scene, {})
    await scene.people.put_out(scene.fleet)
    await scene.people.put_out(scene.alone)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: "I am not let write" in caplog.text)
    scene.api.done(1, job(MOVES))
    await scene.clock.turn(3 * 3600)
    assert caplog.text.count("I am not let write") == 1
    assert "Traceback" not in caplog.text
    await scene.people.let_in(scene.fleet)
    await scene.until(lambda: "done" in reply["text"], each=30.0)
    await scene.until(lambda: said(scene, DONE), each=30.0)


@pytest.mark.parametrize(("status", "why"), OUT)
async def test_a_deploy_that_can_not_be_announced_where_it_was_asked_is_not_begun(
    scene: TelegramScene, status: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    shut_out(scene, FLEET, status, why)
    await scene.say("/fleet@fleet_bot deploy claw-2", scene.operator)
    await scene.until(lambda: "I am not let write where that was asked" in caplog.text)
    await scene.reply_to(await scene.say("/fleet help"))
    assert why.partition(": ")[2].lower() in caplog.text.lower()
    assert "two minutes" not in caplog.text
    assert "Traceback" not in caplog.text
    assert scene.api.count("deploy") == 0
    assert said(scene, "Deploy", OPERATOR) == []


@pytest.mark.parametrize("asker", [f"discord:{OPERATOR}", "telegram:olga"])
async def test_who_has_no_account_here_is_neither_written_to_nor_called(
    scene: TelegramScene, asker: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A person may fill the form on GitHub with anything."""
    _, reply = await asked_in(scene, {})
    await scene.stop()
    scene.api.change(1, requested_by=f"{asker} Olga")
    await scene.people.put_out(scene.fleet)
    await scene.start()
    scene.api.done(1)
    await scene.until(lambda: "I am not let write" in caplog.text)
    await scene.people.let_in(scene.fleet)
    await scene.until(lambda: "done" in reply["text"], each=30.0)
    await scene.settled()
    assert said(scene, "Your deploy") == []
    assert said(scene, "Deploy", OPERATOR) == said(scene, "Your", OPERATOR) == []


NO = (409, {"ok": False, "code": "queue_full", "error": "Too many deploys wait."})


async def test_a_refusal_that_can_be_told_nowhere_any_more_is_let_go(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands is true by itself; a stop would wait in vain."""
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    scene.api.next.append(NO)
    await scene.people.put_out(scene.alone)
    await scene.until(lambda: "I am not let write" in caplog.text)
    began = scene.clock.monotonic()
    await scene.stop()
    assert scene.clock.monotonic() - began < 15
    assert "asking" in reply["text"]


@pytest.mark.parametrize(("ended_ago", "anew"), [(600.0, True), (1200.0, False)])
async def test_of_what_ended_before_it_began_a_bot_says_the_latest_only_anew(
    scene: TelegramScene, ended_ago: float, anew: bool
) -> None:
    """A reply that somebody deleted once it was read does not come back at each start."""
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    await scene.stop()
    begun, over = scene.clock.now(), scene.clock.now() + 60
    scene.api.change(1, created=moment(begun), started=moment(begun), updated=moment(over))
    scene.api.done(1)
    scene.people.delete(reply)
    await scene.clock.turn(60 + ended_ago)
    await scene.start()
    await scene.until(lambda: scene.telegram.called("editMessageText")[1:])
    await scene.settled()
    assert len(said(scene, "Deploy claw-2: done", OPERATOR)) == anew
