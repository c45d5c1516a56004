"""A bot with a fleet's channel, from its settings to what its group reads."""

import pytest
from telegram.ext import ApplicationBuilder

from clawbot.settings import load
from clawbot.telegram import add_fleet
from fleet_control.error import SettingsError
from sandbox.telegram_api.history import Json, group
from tests.clawbot.control_api import run
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene

SECOND = -1005555555555


def named(place: object, *calls: int) -> dict[str, str]:
    return {
        "CLAWBOT_TELEGRAM_FLEET_CHAT": str(place),
        "CLAWBOT_TELEGRAM_FLEET_CALLS": ",".join(map(str, calls)),
    }


@pytest.fixture
def forum(scene: TelegramScene) -> Json:
    """The fleet's group has topics; the fields of what is said in the second one."""
    scene.fleet = group(FLEET, is_forum=True)
    scene.telegram.history.chats[FLEET] = scene.fleet
    scene.people.write(scene.fleet, scene.operator, "hello")
    return scene.people.topic(scene.fleet, "fleet")


async def preflight(scene: TelegramScene) -> str:
    """The line of a preflight that tells of the fleet's channel, and what to do."""
    asked = await scene.say("/fleet preflight")

    def line() -> str:
        answer = scene.answer_to(asked)
        _, _, found = (answer or {"text": ""})["text"].partition("fleet's channel · ")
        return str(found)

    await scene.until(line)
    return " ".join(part.strip() for part in line().splitlines()[:2])


@pytest.mark.parametrize("place", [SECOND, f"{SECOND}/5", "fleet", f"{FLEET}/x"])
def test_what_is_no_group_of_the_fleet_s_is_refused_at_the_start(
    scene: TelegramScene, place: object
) -> None:
    with pytest.raises(SettingsError, match="CLAWBOT_TELEGRAM_FLEET_CHAT is ") as refused:
        load(scene.environ("demo") | named(place))
    assert len(refused.value.problems) == 1


async def test_a_preflight_tells_where_the_fleet_is_told_of_and_who_is_called(
    scene: TelegramScene, forum: Json
) -> None:
    topic = forum["message_thread_id"]
    await scene.start("demo", 0.1, **named(f"{FLEET}/{topic}", OPERATOR))
    assert (await preflight(scene)).startswith(
        f"In Telegram the bot tells the topic {topic} of the chat {FLEET}, and calls Olga for fail"
    )


async def test_of_none_named_a_preflight_says_by_which_setting_one_is(
    scene: TelegramScene,
) -> None:
    await scene.start()
    told = "No channel is told of the fleet in Telegram. Name one in CLAWBOT_TELEGRAM_FLEET_CHAT."
    assert await preflight(scene) == told


async def test_a_topic_that_there_is_not_is_told_in_the_log_and_in_a_preflight(
    scene: TelegramScene, forum: Json, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start("demo", 0.1, **named(f"{FLEET}/99"))
    right = "set CLAWBOT_TELEGRAM_FLEET_CHAT to one that it has."
    said = f"telegram.fleet_chat said=The chat {FLEET} has no topic 99: {right}"
    await scene.until(lambda: said in caplog.text)
    assert await preflight(scene) == f"The chat {FLEET} has no topic 99. S{right[1:]}"
    assert forum


async def test_a_topic_that_is_closed_while_nothing_is_told_is_heard_of(
    scene: TelegramScene, forum: Json, caplog: pytest.LogCaptureFixture
) -> None:
    topic = forum["message_thread_id"]
    await scene.start("demo", 0.1, **named(f"{FLEET}/{topic}"))
    await scene.people.say(scene.fleet, scene.operator, "", forum_topic_closed={}, **forum)
    await scene.until(lambda: "is closed: open it" in caplog.text)
    assert (await preflight(scene)).startswith(f"The topic {topic} of the chat {FLEET} is closed.")
    await scene.people.say(scene.fleet, scene.operator, "", forum_topic_reopened={}, **forum)
    await scene.until(lambda: "can be told again" in caplog.text)
    other = scene.people.topic(scene.fleet, "other")
    await scene.people.say(scene.fleet, scene.operator, "", forum_topic_closed={}, **other)
    await scene.settled()
    assert (await preflight(scene)).startswith("In Telegram the bot tells the topic")


async def test_a_deploy_that_no_reply_tells_is_told_there_and_its_failure_calls(
    scene: TelegramScene, forum: Json
) -> None:
    topic = forum["message_thread_id"]
    await scene.start("demo", 0.1, **named(f"{FLEET}/{topic}", OPERATOR))
    await scene.asked_for("watch", 1)
    scene.api.runs = [run(1, "in_progress", target="claw-2", request_id="", reply="")]
    await scene.until(lambda: told(scene))
    scene.api.change(1, status="completed", conclusion="failure")
    await scene.until(lambda: told(scene)[1:])
    announced, call = told(scene)
    assert announced["text"].startswith("🔴 Deploy claw-2: failed")
    assert call["text"].endswith(" Olga.")
    assert call["reply_to_message"]["message_id"] == announced["message_id"]
    assert {one["message_thread_id"] for one in (announced, call)} == {topic}
    asked = next(one for one in scene.api.asked if one["action"] == "announce")
    assert asked["channel"] == f"telegram:{FLEET}/{topic}"


async def test_in_an_application_of_somebody_s_it_is_told_too(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    builder = ApplicationBuilder().token(scene.environ("demo")["CLAWBOT_TELEGRAM_TOKEN"])
    application = builder.base_url(f"{scene.telegram.url}/bot").build()
    add_fleet(application, scene.environ("demo") | named(FLEET, OPERATOR))
    scene.api.runs = [run(1, "in_progress", target="claw-2", request_id="", reply="")]
    async with application:
        await application.start()
        await scene.until(lambda: told(scene) and scene.api.count("watch"), each=0.01)
        await application.stop()
    assert f"{OPERATOR} is not in the chat {FLEET}" in caplog.text


def told(scene: TelegramScene) -> list[Json]:
    """What the bot said in the fleet's group."""
    return scene.telegram.history.shown(FLEET)
