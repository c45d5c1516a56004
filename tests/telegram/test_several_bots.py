"""More bots than one in the groups of the Bot API on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from telegram import Bot
from telegram.error import BadRequest, Forbidden

from sandbox.telegram_api.history import group
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi
from tests.telegram.library_bot import library_bot
from tests.telegram.scene import FLEET, OPERATOR, TOKEN, TelegramScene

OTHER_TOKEN = "700200:AAtestTokenOfAnotherBotInTestsOnly"
SMALL = -4004


@pytest.fixture
async def other(scene: TelegramScene) -> AsyncIterator[BotApi]:
    other = BotApi(OTHER_TOKEN, scene.clock, "other_bot", beside=scene.telegram)
    await other.start()
    yield other
    await other.stop()


@pytest.fixture
async def bots(scene: TelegramScene, other: BotApi) -> AsyncIterator[tuple[Bot, Bot]]:
    async with AsyncExitStack() as stack:
        one = library_bot(TOKEN, scene.telegram.url)
        two = library_bot(OTHER_TOKEN, other.url)
        yield await stack.enter_async_context(one), await stack.enter_async_context(two)


async def test_in_a_supergroup_they_have_the_same_numbers(
    scene: TelegramScene, bots: tuple[Bot, Bot]
) -> None:
    one, two = bots
    first = await one.send_message(FLEET, "mine")
    second = await two.send_message(FLEET, "an answer", reply_to_message_id=first.message_id)
    assert second.message_id == first.message_id + 1
    assert second.reply_to_message is not None
    assert second.reply_to_message.text == "mine"
    with pytest.raises(BadRequest, match="can't be edited"):
        await two.edit_message_text("mine too", FLEET, first.message_id)
    assert [said["text"] for said in scene.telegram.history.shown(FLEET)] == ["mine"]


async def test_in_a_basic_group_each_has_numbers_of_its_own(
    scene: TelegramScene, bots: tuple[Bot, Bot]
) -> None:
    one, two = bots
    scene.telegram.history.chats[SMALL] = group(SMALL)
    first = await one.send_message(SMALL, "mine")
    with pytest.raises(BadRequest, match="replied not found"):
        await two.send_message(SMALL, "an answer", reply_to_message_id=first.message_id)
    second = await two.send_message(SMALL, "theirs")
    assert second.message_id > first.message_id + 1000
    await two.edit_message_text("edited", SMALL, second.message_id)
    assert [said["text"] for said in scene.telegram.history.messages.values()] == ["mine", "edited"]


async def test_alone_with_somebody_each_is_alone(
    scene: TelegramScene, other: BotApi, bots: tuple[Bot, Bot]
) -> None:
    one, two = bots
    await one.send_message(OPERATOR, "mine")
    with pytest.raises(BadRequest, match="Chat not found"):
        await two.send_message(OPERATOR, "theirs")
    await People(other).say(scene.alone, scene.operator, "/start")
    await two.send_message(OPERATOR, "theirs")
    assert [said["text"] for said in other.history.shown(OPERATOR)] == ["theirs"]
    assert [said["text"] for said in scene.telegram.history.shown(OPERATOR)] == ["mine"]


async def test_one_that_is_put_out_leaves_the_other_in(
    scene: TelegramScene, bots: tuple[Bot, Bot]
) -> None:
    one, two = bots
    await scene.people.put_out(scene.fleet)
    with pytest.raises(Forbidden):
        await one.send_message(FLEET, "mine")
    await two.send_message(FLEET, "theirs")


async def test_each_hears_in_a_group_what_telegram_lets_it_hear(
    scene: TelegramScene, other: BotApi, bots: tuple[Bot, Bot]
) -> None:
    said = await scene.say("to nobody", scene.visitor)
    to_other = await scene.say("/fleet@other_bot help", scene.visitor)
    theirs = await bots[1].send_message(FLEET, "theirs", reply_to_message_id=said["message_id"])
    known = other.history.messages[FLEET, theirs.message_id]
    answer = await scene.say("thanks", scene.visitor, reply_to_message=known)
    heard = [update["message"]["message_id"] for update in other.updates.waiting]
    assert heard == [to_other["message_id"], answer["message_id"]]
    other.hears_all = True
    await scene.say("to nobody", scene.visitor)
    await scene.say("of a bot", scene.claw)
    await scene.people.put_out(scene.fleet)
    assert len(other.updates.waiting) == 3
    await People(other).put_out(scene.fleet)
    await scene.say("/fleet@other_bot help", scene.visitor)
    assert len([one for one in other.updates.waiting if "message" in one]) == 3


async def test_what_another_bot_said_may_be_hidden_from_it(
    other: BotApi, bots: tuple[Bot, Bot]
) -> None:
    other.history.sees_bots = False
    first = await bots[0].send_message(FLEET, "mine")
    with pytest.raises(BadRequest, match="replied not found"):
        await bots[1].send_message(FLEET, "an answer", reply_to_message_id=first.message_id)
    own = await bots[1].send_message(FLEET, "theirs")
    more = await bots[1].send_message(FLEET, "more", reply_to_message_id=own.message_id)
    assert more.reply_to_message is not None


async def test_all_are_told_that_a_group_moved(scene: TelegramScene, other: BotApi) -> None:
    small = scene.telegram.history.chats[SMALL] = group(SMALL)
    await scene.people.upgrade(small, -1009999999999)
    for api in (scene.telegram, other):
        assert api.updates.waiting[-1]["message"]["migrate_to_chat_id"] == -1009999999999
