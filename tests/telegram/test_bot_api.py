"""The Bot API on loopback refuses what Telegram refuses, in its words."""

import json
from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from clawbot.telegram.chats import FleetChats
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.rate_limit import RateLimit
from sandbox.telegram_api.history import group
from tests.telegram.library_bot import library_bot
from tests.telegram.scene import FLEET, OPERATOR, TOKEN, TelegramScene


def button(data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data=data)]])


@pytest.fixture
async def bot(scene: TelegramScene) -> Any:
    async with library_bot(TOKEN, scene.telegram.url) as bot:
        yield bot


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<b>open", 'can\'t find end tag corresponding to start tag "b"'),
        ("a < b", None),
        ("<ami-1>", 'unsupported start tag "ami-1"'),
        ("</b>", 'unexpected end tag "b"'),
        ("<b><i>x</b></i>", 'unexpected end tag "b"'),
        ("x" * 4097, "message is too long"),
        ("🦞" * 2049, "message is too long"),
        (" ", "message text is empty"),
    ],
)
async def test_html_is_read_strictly(bot: Bot, text: str, said: str | None) -> None:
    if said is None:
        with pytest.raises(BadRequest, match="parse entities"):
            await bot.send_message(OPERATOR, text, parse_mode="HTML")
        return
    with pytest.raises(BadRequest) as refused:
        await bot.send_message(OPERATOR, text, parse_mode="HTML")
    assert said.lower() in str(refused.value).lower()


async def test_the_limit_counts_what_is_seen(bot: Bot) -> None:
    sent = await bot.send_message(OPERATOR, f"<b>{'&lt;' * 4096}</b>", parse_mode="HTML")
    assert sent.text == "<" * 4096


@pytest.mark.parametrize("data", ["x" * 65, "é" * 33])
async def test_a_button_carries_at_most_64_bytes(bot: Bot, data: str) -> None:
    with pytest.raises(BadRequest, match=r"(?i)button_data_invalid"):
        await bot.send_message(OPERATOR, "x", reply_markup=button(data))
    await bot.send_message(OPERATOR, "x", reply_markup=button("x" * 64))


async def test_an_edit_must_change_something(bot: Bot) -> None:
    sent = await bot.send_message(OPERATOR, "x", reply_markup=button("1"))
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_text("x", OPERATOR, sent.message_id, reply_markup=button("1"))
    await bot.edit_message_text("x", OPERATOR, sent.message_id)
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("x", OPERATOR, 999)


async def test_a_press_can_be_answered_once_soon_and_shortly(
    scene: TelegramScene, bot: Bot
) -> None:
    sent = scene.people.write(scene.alone, scene.telegram.history.bot, "x")
    query, late = [await scene.people.send_data(sent, scene.operator, "1") for _ in range(2)]
    with pytest.raises(BadRequest, match=r"(?i)too_long"):
        await bot.answer_callback_query(query, "x" * 201)
    await bot.answer_callback_query(query, "x" * 200)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query)
    await scene.clock.turn(16)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(late)


async def test_updates_come_again_until_an_offset_confirms_them(
    scene: TelegramScene, bot: Bot
) -> None:
    for text in ("one", "two"):
        await scene.people.say(scene.alone, scene.operator, text)
    first = await bot.get_updates()
    assert [update.update_id for update in await bot.get_updates()] == [100, 101]
    rest = await bot.get_updates(first[0].update_id + 1)
    assert [update.update_id for update in rest] == [101]
    assert await bot.get_updates(102) == ()
    assert scene.telegram.updates.confirmed == [100, 101]


async def test_with_a_webhook_there_is_no_polling(bot: Bot) -> None:
    await bot.set_webhook("https://hook.example/x", secret_token="s")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_trouble_comes_as_it_was_ordered(scene: TelegramScene, bot: Bot) -> None:
    scene.telegram.weather.flood("sendMessage", 7)
    with pytest.raises(RetryAfter):
        await bot.send_message(OPERATOR, "x")
    scene.telegram.weather.bad_gateway()
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(OPERATOR, "x")
    await bot.send_message(OPERATOR, "x")
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(42, "x")


async def test_another_token_is_not_known(scene: TelegramScene) -> None:
    with pytest.raises(InvalidToken):
        async with library_bot("1:other", scene.telegram.url):
            pass


async def test_menus_are_checked(bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)command_invalid"):
        await bot.set_my_commands([BotCommand("Fleet", "x")])
    with pytest.raises(BadRequest, match=r"(?i)too_much"):
        await bot.set_my_commands([BotCommand(f"c{number}", "x") for number in range(101)])


def test_commands_are_found_where_telegram_finds_them(scene: TelegramScene) -> None:
    said = scene.people.write(scene.fleet, scene.operator, "🦞 /fleet@fleet_bot and /help")
    assert (
        json.dumps([(e["offset"], e["length"]) for e in said["entities"]]) == "[[3, 16], [24, 5]]"
    )
    assert said["chat"]["id"] == FLEET


async def test_what_is_too_long_for_a_press_is_cut_to_what_it_may_have(
    scene: TelegramScene, bot: Bot
) -> None:
    outbox = Outbox(bot, scene.clock, RateLimit(scene.clock), FleetChats(frozenset({FLEET})))
    sent = scene.people.write(scene.alone, scene.telegram.history.bot, "x")
    query = await scene.people.send_data(sent, scene.operator, "1")
    assert await outbox.answer(query, "x" * 300)
    assert scene.telegram.methods.answers[query] == ("x" * 200, False)


async def test_a_topic_takes_what_names_it_or_answers_in_it(scene: TelegramScene, bot: Bot) -> None:
    forum = group(-1009999999999, is_forum=True)
    scene.people.write(forum, scene.operator, "in General")
    topic = scene.people.topic(forum, "deploys")
    thread = topic["message_thread_id"]
    asked = scene.people.write(forum, scene.operator, "x", **topic)
    named = await bot.send_message(forum["id"], "x", message_thread_id=thread)
    answered = await bot.send_message(forum["id"], "x", reply_to_message_id=asked["message_id"])
    loose = await bot.send_message(forum["id"], "x")
    shown = [(one.message_thread_id, one.is_topic_message) for one in (named, answered, loose)]
    assert shown == [(thread, True), (thread, True), (None, None)]
    for missing in (1, 77):
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(forum["id"], "x", message_thread_id=missing)
    scene.people.close(forum, thread)
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        await bot.send_message(forum["id"], "x", message_thread_id=thread)
    await named.edit_text("y")
    scene.people.delete_topic(forum, thread)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await named.edit_text("z")
    scene.people.close(forum, 1)
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        await bot.send_message(forum["id"], "x")


async def test_an_answer_in_a_supergroup_begins_a_thread(scene: TelegramScene, bot: Bot) -> None:
    asked = scene.people.write(scene.fleet, scene.operator, "x")["message_id"]
    answered = await bot.send_message(FLEET, "x", reply_to_message_id=asked)
    further = await bot.send_message(FLEET, "x", message_thread_id=asked)
    told = [(one.message_thread_id, one.is_topic_message) for one in (answered, further)]
    assert told == [(asked, None)] * 2
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(FLEET, "x", message_thread_id=77)


async def test_a_bot_that_is_put_out_may_neither_speak_nor_edit(
    scene: TelegramScene, bot: Bot
) -> None:
    sent = {chat["id"]: await bot.send_message(chat["id"], "x") for chat in chats(scene)}
    said = ("kicked from the supergroup chat", "blocked by the user")
    for chat, words in zip(chats(scene), said, strict=True):
        await scene.people.put_out(chat)
        for doing in (bot.send_message(chat["id"], "x"), sent[chat["id"]].edit_text("y")):
            with pytest.raises(Forbidden, match=f"bot was {words}"):
                await doing
        await scene.people.let_in(chat)
        await bot.send_message(chat["id"], "x")


async def test_a_bot_that_is_silenced_may_look_but_not_write(
    scene: TelegramScene, bot: Bot
) -> None:
    async def refused() -> None:
        with pytest.raises(BadRequest, match=r"(?i)not enough rights to send text messages"):
            await bot.send_message(FLEET, "x")

    await scene.people.silence(scene.fleet)
    await refused()
    assert (await bot.get_chat_member(FLEET, bot.id)).status == "restricted"
    await scene.people.let_in(scene.fleet)
    scene.people.mute(scene.fleet)
    await refused()
    scene.people.mute(scene.fleet, speak=True)
    await bot.send_message(FLEET, "x")
    changes = [one.my_chat_member for one in await bot.get_updates(timeout=0)]
    assert [one and one.new_chat_member.status for one in changes] == ["restricted", "member"]


def chats(scene: TelegramScene) -> tuple[dict[str, Any], ...]:
    return scene.fleet, scene.alone
