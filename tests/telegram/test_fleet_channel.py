"""The fleet's channel in Telegram: what is told there, where that goes, and whom it calls."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from telegram.error import TimedOut

from clawbot.living_reply import NoPlace
from clawbot.progress import Progress, Stage
from clawbot.replies import Notice, WatchReport
from fleet_control.fault import Problem
from fleet_control.finding import Finding
from sandbox.telegram_api.history import Json, group
from sandbox.telegram_api.server import BotApi
from tests.telegram.fleet import OTHER_TOKEN, ServedFleet, deploying, serving_fleet
from tests.telegram.scene import FLEET, OPERATOR, VISITOR, TelegramScene

SMALL, GROWN, SECOND = -4004, -1009999999999, -1005555555555
WRONG = (Finding("claw-2", Problem.MISSING, "no host", "Ask: `/fleet deploy claw-2`."),)


@pytest.fixture
def forum(scene: TelegramScene) -> Json:
    """The fleet's group has topics; the fields of what is said in the second one."""
    scene.fleet = group(FLEET, is_forum=True)
    scene.telegram.history.chats[FLEET] = scene.fleet
    scene.people.write(scene.fleet, scene.visitor, "hello")
    return scene.people.topic(scene.fleet, "fleet")


@pytest.fixture
async def fleet(scene: TelegramScene) -> AsyncIterator[ServedFleet]:
    scene.people.write(scene.fleet, scene.operator, "hello")
    async with serving_fleet(scene.telegram, scene.clock, calls=(OPERATOR,)) as served:
        yield served


@pytest.fixture
async def other(scene: TelegramScene) -> AsyncIterator[ServedFleet]:
    """Another bot in the same groups."""
    api = BotApi(OTHER_TOKEN, scene.clock, "other_bot", beside=scene.telegram)
    await api.start()
    async with serving_fleet(api, scene.clock, token=OTHER_TOKEN, chats=(SMALL,)) as served:
        yield served
    await api.stop()


def shown(scene: TelegramScene, chat: int = FLEET) -> list[Json]:
    """What bots said there."""
    said = scene.telegram.history.messages.values()
    of_bots = (one for one in said if one.get("from", {}).get("is_bot"))
    return [one for one in of_bots if one["chat"]["id"] == chat]


def called_in(message: Json) -> list[int]:
    urls = [one.get("url", "") for one in message.get("entities", [])]
    return [int(url.partition("=")[2]) for url in urls if url.startswith("tg://user?id=")]


async def turned(scene: TelegramScene, doing: Coroutine[Any, Any, object]) -> object:
    """What it gives, once so much time has passed as it takes."""
    task = asyncio.create_task(doing)
    await scene.until(task.done)
    return task.result()


# -- messages ----------------------------------------------------------------------------------


async def test_what_is_told_is_one_message_that_lives_however_often_its_bot_begins_anew(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    id_ = await fleet.tell(deploying(Stage.QUEUED))
    assert await fleet.tell(deploying(), id_) == id_
    (only,) = shown(scene)
    assert (str(only["message_id"]), only["text"]) == (id_, "🔵 Deploy claw-2: planning")


async def test_it_stands_in_the_topic_and_answers_what_it_is_to_answer(
    scene: TelegramScene, forum: Json
) -> None:
    asked = scene.people.write(scene.fleet, scene.claw, "deploy", **forum)
    named = f"{FLEET}/{forum['message_thread_id']}"
    async with serving_fleet(scene.telegram, scene.clock, named) as fleet:
        assert fleet.channel.name == f"telegram:{named}"
        await fleet.tell(deploying(), answers=str(asked["message_id"]))
        await fleet.tell(deploying())
    first, second = scene.telegram.history.shown(FLEET)
    assert first["reply_to_message"]["message_id"] == asked["message_id"]
    assert {one["message_thread_id"] for one in (first, second)} == {forum["message_thread_id"]}


async def test_in_a_group_where_each_bot_has_its_own_numbers_it_answers_no_other_bot_s(
    scene: TelegramScene,
) -> None:
    small = scene.telegram.history.chats[SMALL] = group(SMALL)
    async with serving_fleet(scene.telegram, scene.clock, str(SMALL)) as fleet:
        first = await fleet.tell(deploying())
        await fleet.tell(deploying(), answers=first)
        await scene.people.upgrade(small, GROWN)
        again = await fleet.tell(deploying(), answers=first)
        await fleet.tell(deploying(), answers=again)
    said = [*shown(scene, SMALL), *shown(scene, GROWN)]
    assert [one.get("reply_to_message") for one in said] == [None] * 4


async def test_the_first_topic_of_a_forum_may_be_named(scene: TelegramScene, forum: Json) -> None:
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/1") as fleet:
        await fleet.tell(deploying())
        assert fleet.channel.name == f"telegram:{FLEET}/1"
        assert "tells the chat" in (await fleet.check()).told
    assert "message_thread_id" not in scene.telegram.history.shown(FLEET)[0]
    assert forum


async def test_one_that_was_deleted_is_said_anew_unless_it_was_over_long_ago(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    id_ = await fleet.tell(deploying())
    scene.people.delete(scene.telegram.history.shown(FLEET)[0])
    again = await fleet.tell(deploying(), id_)
    assert again not in ("", id_)
    scene.people.delete(scene.telegram.history.shown(FLEET)[0])
    ended = Progress(Stage.DONE, "claw-2", began=scene.clock.now() - 5000, took=60)
    await fleet.tell(replace(deploying(), progress=ended), again)
    assert scene.telegram.history.shown(FLEET) == []


async def test_a_group_that_moved_keeps_its_name_and_is_told_in_its_new_place(
    scene: TelegramScene,
) -> None:
    small = scene.telegram.history.chats[SMALL] = group(SMALL)
    async with serving_fleet(scene.telegram, scene.clock, str(SMALL)) as fleet:
        before = await fleet.tell(deploying(Stage.QUEUED))
        await scene.people.upgrade(small, GROWN)
        after = await fleet.tell(deploying(), before)
        assert [one["text"] for one in shown(scene, GROWN)] == ["🔵 Deploy claw-2: planning"]
        assert fleet.channel.name == f"telegram:{SMALL}"
    async with serving_fleet(scene.telegram, scene.clock, str(SMALL)) as fleet:
        await fleet.place.begin(scene.clock)
        assert await fleet.tell(deploying(Stage.DONE), after) == after
    assert [one["text"] for one in shown(scene, GROWN)] == [
        "🟢 Deploy claw-2: done after 1 min 0 s"
    ]


# -- what keeps it from being told -------------------------------------------------------------


async def test_a_topic_that_is_closed_is_told_of_and_nothing_is_said_elsewhere(
    scene: TelegramScene, forum: Json, caplog: pytest.LogCaptureFixture
) -> None:
    topic = forum["message_thread_id"]
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/{topic}") as fleet:
        scene.people.close(scene.fleet, topic)
        for _ in range(2):
            with pytest.raises(NoPlace):
                await fleet.tell(deploying(asker=f"telegram:{OPERATOR}"))
        said = (
            f"The topic {topic} of the chat {FLEET} is closed: open it, or let "
            "CLAWBOT_TELEGRAM_FLEET_CHAT name another."
        )
        assert caplog.text.count(said) == 1
        found = await fleet.check()
        assert (found.name, found.outcome) == ("fleet's channel", "wrong")
        assert f"{found.told[:-1]}: {found.advice[0].lower()}{found.advice[1:]}" == said
        scene.people.close(scene.fleet, topic, is_open=True)
        await fleet.tell(deploying())
        assert "can be told again" in caplog.text
        assert (await fleet.check()).outcome == "ok"
    assert len(scene.telegram.history.shown(FLEET)) == 1
    assert scene.telegram.history.shown(OPERATOR) == []


async def test_of_a_topic_that_there_is_not_the_beginning_tells_without_a_word_in_the_group(
    scene: TelegramScene, forum: Json, caplog: pytest.LogCaptureFixture
) -> None:
    said = "has no topic 99: set CLAWBOT_TELEGRAM_FLEET_CHAT to one that it has."
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/99") as fleet:
        await fleet.place.begin(scene.clock)
        assert f"The chat {FLEET} {said}" in caplog.text
        assert (await fleet.check()).told == f"The chat {FLEET} has no topic 99."
        with pytest.raises(NoPlace):
            await fleet.tell(deploying())
    topic = forum["message_thread_id"]
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/{topic}") as fleet:
        assert (await fleet.check()).outcome == "ok"
        scene.people.delete_topic(scene.fleet, topic)
        assert (await fleet.check()).told == f"The chat {FLEET} has no topic {topic}."
    assert scene.telegram.history.shown(FLEET) == []


async def test_a_message_that_telegram_puts_into_the_first_topic_is_told_of(
    scene: TelegramScene, forum: Json
) -> None:
    """It may do so for a topic that is gone."""
    topic = forum["message_thread_id"]
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/{topic}") as fleet:
        stray = scene.telegram.history.add(scene.fleet, scene.telegram.history.bot, "x")
        scene.telegram.weather.instead["sendMessage"] = stray
        await fleet.tell(deploying())
        assert f"has no topic {topic}" in fleet.place.trouble


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("put_out", f"I am not in the chat {FLEET}."),
        ("silence", f"I may not write in the chat {FLEET}."),
    ],
)
async def test_one_that_may_not_speak_there_says_so(
    scene: TelegramScene, fleet: ServedFleet, act: str, told: str
) -> None:
    await getattr(scene.people, act)(scene.fleet)
    with pytest.raises(NoPlace):
        await fleet.tell(deploying(asker=f"telegram:{OPERATOR}"))
    found = await fleet.check()
    assert (found.outcome, found.told) == ("wrong", told)
    await scene.people.let_in(scene.fleet)
    assert (await fleet.check()).outcome == "ok"


async def test_a_token_that_is_refused_hides_the_channel(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    scene.telegram.weather.refuse("*", 401, "Unauthorized")
    assert (await fleet.check()).outcome == "unseen"


async def test_the_beginning_waits_until_telegram_answers(
    scene: TelegramScene, fleet: ServedFleet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    scene.telegram.weather.bad_gateway(times=2)
    began = scene.clock.monotonic()
    await turned(scene, fleet.place.begin(scene.clock))
    assert caplog.text.count("telegram.fleet_chat_not_seen") == 2
    assert 15 <= scene.clock.monotonic() - began < 60


async def test_whoever_is_to_be_called_is_named_and_missed(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    told = f"In Telegram the bot tells the chat {FLEET}, and calls Olga for failures."
    assert (await fleet.check()).told == told
    await fleet.tell(deploying())
    left = {"status": "left", "user": scene.operator}
    scene.telegram.history.members[FLEET, OPERATOR] = left
    found = await fleet.check()
    assert (found.outcome, found.told) == ("wrong", f"{OPERATOR} is not in the chat {FLEET}.")
    assert found.advice == "Add them, or take them out of CLAWBOT_TELEGRAM_FLEET_CALLS."
    await fleet.tell(deploying())
    assert (await fleet.check()).outcome == "wrong"
    async with serving_fleet(scene.telegram, scene.clock, calls=()) as silent:
        assert "calls nobody" in (await silent.check()).told


async def test_silence_that_telegram_asks_for_is_kept_and_nothing_is_lost(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    scene.telegram.weather.flood("sendMessage", 60)
    began = scene.clock.monotonic()
    await turned(scene, fleet.tell(deploying()))
    assert 60 <= scene.clock.monotonic() - began < 120
    assert len(scene.telegram.history.shown(FLEET)) == 1


async def test_a_report_is_not_said_later_than_whoever_tells_it_will_wait(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    """Its watch is another bot's by then."""
    scene.telegram.weather.flood("sendMessage", 90)
    with pytest.raises(TimedOut):
        await turned(scene, fleet.channel.message().show(WatchReport(WRONG), 60.0))
    assert len(scene.telegram.called("sendMessage")) == 1


async def test_an_announcement_goes_before_what_others_asked_for_like_a_deploy(
    fleet: ServedFleet,
) -> None:
    announced, watched, said = (fleet.channel.message() for _ in range(3))
    await announced.show(deploying(), None)
    await watched.show(WatchReport(WRONG), None)
    await said.show(Notice(("Nothing.",)), None)
    assert [one.first for one in (announced, watched, said)] == [True, False, False]


# -- whom it calls -----------------------------------------------------------------------------


async def test_one_message_calls_the_asker_and_all_others_each_once(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    end = deploying(Stage.FAILED, asker=f"telegram:{OPERATOR}")
    others = tuple(f"telegram:{one}" for one in (VISITOR, OPERATOR, VISITOR))
    message = fleet.channel.message()
    await message.show(end, None)
    await message.call(replace(end, calls=(*others, "discord:5", "discord:&6")))
    _, call = shown(scene)
    assert called_in(call) == [OPERATOR, VISITOR]
    assert call["text"] == f"🔴 Your deploy of claw-2: failed. {VISITOR}."
    assert str(call["reply_to_message"]["message_id"]) == message.id


async def test_who_asked_elsewhere_is_not_called_here_and_for_nobody_there_is_no_message(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    await fleet.check()  # learns their names
    message = fleet.channel.message()
    await message.call(deploying(Stage.DONE, asker="discord:801"))
    await message.call(deploying(Stage.FAILED, asker="discord:801", calls=fleet.channel.calls))
    message.calls = False
    await message.call(deploying(Stage.FAILED, calls=fleet.channel.calls))
    (call,) = shown(scene)
    assert call["text"] == "🔴 Deploy claw-2: failed. Olga."
    assert called_in(call) == [OPERATOR]


async def test_a_watch_report_calls_in_its_own_message_for_what_is_wrong_alone(
    scene: TelegramScene, fleet: ServedFleet
) -> None:
    calls = fleet.channel.calls
    for report in (
        WatchReport(WRONG, calls=calls),
        WatchReport(flapping=WRONG, calls=calls),
        WatchReport(well=WRONG, calls=calls),
    ):
        await fleet.tell(replace(report, taken=scene.clock.now()))
    wrong, flapping, well = shown(scene)
    assert called_in(wrong) == called_in(flapping) == [OPERATOR]
    assert called_in(well) == []


# -- where a dead reply goes on ----------------------------------------------------------------


async def test_a_dead_reply_is_answered_with_where_it_goes_on(
    scene: TelegramScene, fleet: ServedFleet, other: ServedFleet
) -> None:
    dead = await fleet.tell(deploying())
    goes_on = await other.tell(deploying())
    assert await other.channel.point(str(FLEET), dead, goes_on)
    answer = shown(scene)[-1]
    assert answer["reply_to_message"]["message_id"] == int(dead)
    said = "The bot that was asked here is away. Its deploy goes on in the fleet's channel."
    assert answer["text"] == said
    assert answer["entities"][0]["url"] == f"https://t.me/c/1234567890/{goes_on}"


async def test_the_link_names_the_topic(scene: TelegramScene, forum: Json) -> None:
    topic = forum["message_thread_id"]
    async with serving_fleet(scene.telegram, scene.clock, f"{FLEET}/{topic}") as fleet:
        dead = scene.people.write(scene.fleet, scene.claw, "dead")
        await fleet.channel.point(str(FLEET), str(dead["message_id"]), "77")
    (pointed,) = scene.telegram.history.shown(FLEET)
    assert pointed["entities"][0]["url"] == f"https://t.me/c/1234567890/{topic}/77"


async def test_to_a_bot_that_may_not_see_the_dead_reply_the_words_stand_for_themselves(
    scene: TelegramScene, fleet: ServedFleet, other: ServedFleet
) -> None:
    dead = await fleet.tell(deploying())
    scene.telegram.all[-1].history.sees_bots = False
    await other.channel.point(str(FLEET), dead, "77")
    assert "reply_to_message" not in shown(scene)[-1]
    assert shown(scene)[-1]["text"].startswith("The bot that was asked here is away.")


async def test_in_a_group_where_each_bot_has_its_own_numbers_no_wrong_message_is_answered(
    scene: TelegramScene, other: ServedFleet
) -> None:
    scene.telegram.history.chats[SMALL] = group(SMALL)
    scene.people.write(scene.telegram.history.chats[SMALL], scene.visitor, "hello")
    await other.channel.point(str(SMALL), "1", "77")  # from elsewhere, by its link
    assert "reply_to_message" not in shown(scene, SMALL)[-1]
    assert shown(scene, SMALL)[-1]["entities"][0]["url"].endswith("/77")
    async with serving_fleet(
        scene.telegram.all[-1], scene.clock, str(SMALL), token=OTHER_TOKEN, chats=(FLEET,)
    ) as there:
        id_ = await there.tell(deploying())
        await there.channel.point(str(SMALL), "1", id_)
        await there.channel.point(str(FLEET), "1", id_)
    told = shown(scene, SMALL)[-1]
    assert told["reply_to_message"]["text"] == "🔵 Deploy claw-2: planning"
    assert told["text"].endswith("Its deploy goes on in the message that this answers.")
    assert shown(scene)[-1]["text"].endswith("Its deploy goes on in the fleet's channel.")


@pytest.mark.parametrize("asked_in", [str(OPERATOR), str(SECOND), "x", "", "-"])
async def test_what_was_asked_where_we_are_not_is_left(
    scene: TelegramScene, fleet: ServedFleet, asked_in: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert await fleet.channel.point(asked_in, "1", "77")
    assert "telegram.not_pointed" in caplog.text
    assert scene.telegram.called("sendMessage") == []


@pytest.mark.parametrize(("silent", "pointed"), [(100, 1), (140, 0)])
async def test_where_a_dead_reply_goes_on_is_worth_two_minutes(
    scene: TelegramScene, fleet: ServedFleet, silent: int, pointed: int
) -> None:
    scene.telegram.weather.flood("sendMessage", silent)
    is_over = await turned(scene, fleet.channel.point(str(FLEET), "1", "77"))
    assert len(shown(scene)) == pointed == is_over


async def test_where_we_were_put_out_nothing_is_pointed_at(
    scene: TelegramScene, fleet: ServedFleet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await scene.people.put_out(scene.fleet)
    assert await fleet.channel.point(str(FLEET), "1", "77")
    assert "telegram.not_pointed" in caplog.text


async def test_after_a_group_moved_an_older_number_is_answered_by_nobody(
    scene: TelegramScene,
) -> None:
    small = scene.telegram.history.chats[SMALL] = group(SMALL)
    async with serving_fleet(scene.telegram, scene.clock, str(SMALL)) as fleet:
        new = await scene.people.upgrade(small, GROWN)
        await fleet.place.begin(scene.clock)
        scene.people.write(new, scene.visitor, "hello")
        to = await fleet.tell(deploying())
        await fleet.channel.point(str(SMALL), "1", to)
    pointed = shown(scene, GROWN)[-1]
    assert str(pointed["reply_to_message"]["message_id"]) == to
    assert pointed["entities"][0]["url"] == f"https://t.me/c/9999999999/{to}"
