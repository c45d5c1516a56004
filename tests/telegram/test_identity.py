"""Who may make the bot act: every way of not being who one seems."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import Chat, Message, User

from clawbot.settings import load
from clawbot.telegram.speaker import author, person
from fleet_control.caller import Human, Unknown
from sandbox.telegram_api.history import group, private, user
from sandbox.telegram_api.people import ANONYMOUS_ADMIN, CHANNEL_BOT
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene, labels

DEPLOY = "/fleet@fleet_bot deploy claw-2"
CHANNEL = {"id": -1009876543210, "type": "channel", "title": "news"}
FOREIGN_BOT = user(9009, "helper", is_bot=True, username="helper_bot")


@pytest.mark.parametrize(
    ("sender", "more", "told"),
    [
        (
            None,
            {"forward_origin": {"type": "user", "date": 1, "sender_user": user(5)}},
            "a forwarded message",
        ),
        (None, {"via_bot": FOREIGN_BOT}, "a message sent through another bot"),
        (ANONYMOUS_ADMIN, {"sender_chat": group(FLEET)}, "an anonymous admin"),
        (CHANNEL_BOT, {"sender_chat": CHANNEL}, "a channel"),
        (CHANNEL_BOT, {}, "an anonymous admin"),
    ],
    ids=["forwarded", "via-bot", "anonymous-admin", "channel", "mask-alone"],
)
async def test_words_that_are_not_the_senders_own_are_refused(
    scene: TelegramScene, sender: dict[str, Any] | None, more: dict[str, Any], told: str
) -> None:
    await scene.start()
    asked = await scene.people.say(scene.fleet, sender or scene.operator, DEPLOY, **more)
    reply = await scene.reply_to(asked)
    assert reply["text"] == f"✋ I don't take orders from {told}."
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(
    ("sender", "more"),
    [
        (FOREIGN_BOT, {}),
        (None, {"business_connection_id": "b1"}),
        (None, {"sender_business_bot": FOREIGN_BOT}),
        (None, {"guest_query_id": "g1"}),
        (None, {"guest_bot_caller_user": user(5)}),
        (None, {"guest_bot_caller_chat": CHANNEL}),
        (None, {"is_automatic_forward": True}),
        (None, {"edit_date": 1_790_000_000}),
        (user(777000, "Telegram"), {"is_automatic_forward": True, "sender_chat": CHANNEL}),
        ("claw", {"forward_origin": {"type": "user", "date": 1, "sender_user": user(5)}}),
    ],
    ids=[
        "foreign-bot",
        "business",
        "business-bot",
        "guest-query",
        "guest-caller",
        "guest-caller-chat",
        "linked-channel",
        "edited",
        "linked-channel-post",
        "forwarded-by-an-instance",
    ],
)
async def test_whoever_must_not_be_answered_is_not(
    scene: TelegramScene, sender: Any, more: dict[str, Any]
) -> None:
    await scene.start()
    who = scene.claw if sender == "claw" else sender or scene.operator
    asked = await scene.people.say(scene.fleet, who, DEPLOY, **more)
    await scene.settled()
    assert scene.answer_to(asked) is None
    assert scene.api.count("deploy") == 0


class OlderMessage(Message):
    """As python-telegram-bot had it before it knew of guests: they are no attributes of it."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("guest_"):
            raise AttributeError(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("more", "heard"),
    [
        ({}, True),
        ({"guest_query_id": "g1"}, False),
        ({"guest_bot_caller_user": user(5)}, False),
        ({"guest_bot_caller_chat": CHANNEL}, False),
    ],
)
async def test_an_older_library_is_served_and_guests_are_not(
    scene: TelegramScene, more: dict[str, Any], heard: bool
) -> None:
    message = OlderMessage(
        1,
        datetime.now(UTC),
        Chat(FLEET, "supergroup"),
        User(OPERATOR, "Olga", False),
        api_kwargs=more,
    )

    assert (author(message, load(scene.environ("demo")), None) is not None) == heard


async def test_an_edited_message_says_nothing_anew(scene: TelegramScene) -> None:
    await scene.start()
    scene.telegram.updates.allowed = None  # as where other handlers want every kind of update
    asked = scene.people.write(scene.fleet, scene.operator, "good morning")
    await scene.people.edit(asked, DEPLOY)
    for kind in ("channel_post", "edited_channel_post", "business_message", "guest_message"):
        await scene.telegram.updates.put(kind, dict(asked))
    await scene.settled()
    assert scene.answer_to(asked) is None
    assert scene.api.count("deploy") == 0


async def test_only_messages_and_presses_are_asked_for(scene: TelegramScene) -> None:
    await scene.start()
    assert scene.telegram.updates.allowed == ["message", "callback_query", "my_chat_member"]


async def test_a_person_who_is_no_operator_may_look_and_not_deploy(scene: TelegramScene) -> None:
    await scene.start()
    refusal = await scene.reply_to(await scene.say(DEPLOY, scene.visitor))
    assert "Only operators may deploy" in refusal["text"]
    status = await scene.reply_to(await scene.say("/fleet@fleet_bot status", scene.visitor))
    assert "2 instances" in status["text"]


async def test_a_name_makes_nobody_an_operator(scene: TelegramScene) -> None:
    await scene.start()
    twin = user(4004, "Olga", username="telegram:1001")
    refusal = await scene.reply_to(await scene.say(DEPLOY, twin))
    assert "Only operators may deploy" in refusal["text"]


async def test_an_account_of_the_registry_speaks_as_its_instance(scene: TelegramScene) -> None:
    await scene.start()
    own = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy claw-1", scene.claw))
    assert "claw-1 may not deploy itself" in own["text"]
    await scene.reply_to(await scene.say(DEPLOY, scene.claw))
    await scene.asked_for("deploy", 1)
    sent = next(one for one in scene.api.asked if one["action"] == "deploy")
    assert (sent["caller"], sent["requested_by"]) == ("claw-1", "")


async def test_where_the_registry_can_not_be_had_no_bot_is_known(scene: TelegramScene) -> None:
    scene.api.registry = "not JSON"
    await scene.start()
    asked = await scene.say(DEPLOY, scene.claw)
    await scene.settled()
    assert scene.answer_to(asked) is None


async def test_an_account_of_the_registry_is_no_person_even_among_the_operators(
    scene: TelegramScene,
) -> None:
    await scene.start(CLAWBOT_OPERATORS="telegram:1001,telegram:3003")
    person = user(3003, "claw as a user account")
    refusal = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy all", person))
    assert "may not deploy `all`".replace("`", "") in refusal["text"]


async def test_an_account_of_the_registry_presses_as_its_instance(scene: TelegramScene) -> None:
    await scene.start(CLAWBOT_OPERATORS="telegram:1001,telegram:3003")
    person = user(3003, "claw as a user account")
    choice = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy", person))
    await scene.press(choice, "claw-1", person)
    await scene.until(lambda: "the newest" in labels(choice))
    query = await scene.press(choice, "the newest", person)
    assert "claw-1 may not deploy itself" in await scene.answered(query)
    assert scene.api.count("deploy") == 0


async def test_before_any_registry_was_seen_no_operator_is_believed(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy all", scene.operator))
    begun = await scene.reply_to(await scene.say(DEPLOY, scene.operator))
    await scene.until(lambda: "Cancel" in labels(begun))
    await scene.stop()
    readable, scene.api.registry = scene.api.registry, "not JSON"
    await scene.start()
    refusal = await scene.reply_to(await scene.say(DEPLOY, scene.operator))
    assert "I have not seen the registry yet" in refusal["text"]
    status = await scene.reply_to(await scene.say("/fleet@fleet_bot status", scene.operator))
    assert "see what /fleet status says of it" in refusal["text"]
    assert "it is not JSON" in status["text"]
    for message, label in ((asked, "Confirm"), (begun, "Cancel")):
        query = await scene.press(message, label, scene.operator)
        assert "I have not seen the registry yet" in await scene.answered(query)
    help_ = await scene.reply_to(await scene.say("/fleet@fleet_bot help", scene.operator))
    assert "every instance" in help_["text"]
    assert (scene.api.count("deploy"), scene.api.count("cancel")) == (1, 0)
    scene.api.registry = readable
    await scene.press(asked, "Confirm", scene.operator)
    await scene.asked_for("deploy", 2)


async def test_a_strange_group_gets_no_answer(scene: TelegramScene) -> None:
    await scene.start()
    strange = group(-1005550000000, "elsewhere")
    asked = await scene.people.say(strange, scene.operator, DEPLOY)
    await scene.settled()
    assert scene.answer_to(asked) is None


async def test_a_stranger_alone_with_the_bot_is_told_their_id_and_nothing_else(
    scene: TelegramScene,
) -> None:
    await scene.start()
    asked = await scene.people.say(private(2002), scene.visitor, "/fleet status")
    reply = await scene.reply_to(asked)
    assert "telegram:2002 is not among CLAWBOT_OPERATORS" in reply["text"]
    assert "claw-1" not in reply["text"]


async def test_a_message_older_than_two_minutes_is_too_old(scene: TelegramScene) -> None:
    old = await scene.say("/fleet deploy claw-2", date=int(scene.clock.now()) - 121)
    young = await scene.say("/fleet status", date=int(scene.clock.now()) - 90)
    await scene.start()
    assert "too old. Say it again." in (await scene.reply_to(old))["text"]
    assert "2 instances" in (await scene.reply_to(young))["text"]
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("/fleet status", False),
        ("/fleet@other_bot status", False),
        ("/fleet@FLEET_bot status", True),
        ("/fleets@fleet_bot status", False),
        ("please /fleet@fleet_bot status", False),
        ("> /fleet@fleet_bot status", False),
        ("\ufeff/fleet@fleet_bot, status.", True),
        ("“/Fleet@fleet_bot `status`”", True),
        ("／fleet@fleet_bot\u00a0status", True),  # noqa: RUF001  (a full-width slash)
        ("fleet@fleet_bot status", False),
        ("@fleet_bot /fleet status", True),
        ("@Fleet_bot, fleet status", True),
        ("@other_bot /fleet status", False),
        ("@fleet_bot status", True),
        ("@fleet_bot, /status", True),
        ("@Fleet_bot", True),
        ("@fleet_bot: hello", True),
        ("@fleet_bot /fleet@other_bot status", False),
        ("hello @fleet_bot", False),
        ("@fleet_bots", False),
        ("@other_bot", False),
        ("fleet status", False),
    ],
)
async def test_in_a_group_only_what_names_the_bot_is_for_it(
    scene: TelegramScene, text: str, answered: bool
) -> None:
    await scene.start()
    asked = await scene.say(text, scene.operator)
    await scene.settled()
    assert (scene.answer_to(asked) is not None) == answered


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fleet status", "2 instances"),
        ("Fleet, status!", "2 instances"),
        ("`/fleet` “status”", "2 instances"),
        ("\u200b/fleet\nstatus", "2 instances"),
        ("fleet", "every instance"),
        ("/fleet.status", "every instance"),
        ("fleet is well", "I don't know is"),
    ],
)
async def test_alone_with_it_the_slash_may_be_left_out(
    scene: TelegramScene, text: str, told: str
) -> None:
    await scene.start()
    assert told in (await scene.reply_to(await scene.say(text)))["text"]


async def test_an_instance_has_to_say_the_slash_or_two_programs_could_talk_for_ever(
    scene: TelegramScene,
) -> None:
    await scene.start()
    for who in (scene.claw, user(3003, "claw as a user account")):
        loose = await scene.say("@fleet_bot fleet is well", who)
        looser = await scene.say("@fleet_bot /deploy claw-2", who)
        alone = await scene.people.say(private(3003), who, "fleet status")
        strict = await scene.say("@fleet_bot /fleet status", who)
        assert "2 instances" in (await scene.reply_to(strict))["text"]
        await scene.settled()
        assert [scene.answer_to(one) for one in (loose, looser, alone)] == [None] * 3


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@fleet_bot", "every instance"),
        ("@fleet_bot hello, how are you?", "I don't know hello."),
        ("@fleet_bot Status.", "2 instances"),
    ],
)
async def test_whoever_names_it_is_answered_as_in_discord(
    scene: TelegramScene, said: str, told: str
) -> None:
    await scene.start()
    assert told in (await scene.reply_to(await scene.say(said, scene.visitor)))["text"]


async def test_a_question_to_words_after_its_name_can_be_answered(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.reply_to(await scene.say("@fleet_bot deploy all", scene.operator))
    await scene.press(asked, "Confirm")
    await scene.until(lambda: [run.target for run in scene.api.runs] == ["all"])


@pytest.mark.parametrize("target", ["`claw-2`", "“claw-2”", "claw-2.", "claw-2,", "<claw-2>"])
async def test_a_target_in_quotes_is_that_target(scene: TelegramScene, target: str) -> None:
    await scene.start()
    await scene.say(f"/fleet deploy {target}")
    await scene.until(lambda: scene.api.runs)
    assert [run.target for run in scene.api.runs] == ["claw-2"]


async def test_a_question_to_quoted_words_can_be_answered(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.reply_to(await scene.say("`/Fleet` Deploy “all”."))
    await scene.press(asked, "Confirm")
    await scene.until(lambda: [run.target for run in scene.api.runs] == ["all"])


async def test_in_a_group_a_reply_to_the_bot_is_for_it(scene: TelegramScene) -> None:
    await scene.start()
    ours = await scene.reply_to(await scene.say("/fleet@fleet_bot help", scene.operator))
    theirs = scene.people.write(scene.fleet, scene.visitor, "hello")
    to_us = await scene.say("/fleet status", scene.operator, reply_to_message=ours)
    to_them = await scene.say("/fleet status", scene.operator, reply_to_message=theirs)
    assert "2 instances" in (await scene.reply_to(to_us))["text"]
    await scene.settled()
    assert scene.answer_to(to_them) is None


async def test_a_group_that_became_a_supergroup_is_followed(scene: TelegramScene) -> None:
    small = group(-4004)
    scene.telegram.history.chats[-4004] = small
    await scene.start(CLAWBOT_TELEGRAM_CHATS="-4004")
    reply = await scene.reply_to(
        await scene.people.say(small, scene.operator, "/fleet@fleet_bot deploy claw-2")
    )
    await scene.asked_for("deploy", 1)
    new = await scene.people.upgrade(small, -1007770000000)
    status = await scene.people.say(new, scene.operator, "/fleet@fleet_bot status")
    assert "2 instances" in (await scene.reply_to(status))["text"]
    scene.api.done(1)
    shown = scene.telegram.history.shown
    await scene.until(lambda: any("Deploy claw-2: done" in one["text"] for one in shown(new["id"])))
    assert "done" not in reply["text"]


async def test_a_group_that_moved_while_nobody_was_there_is_found(scene: TelegramScene) -> None:
    small = group(-4004)
    scene.telegram.history.chats[-4004] = small
    new = await scene.people.upgrade(small, -1007770000000)
    scene.telegram.updates.waiting.clear()
    await scene.start(CLAWBOT_TELEGRAM_CHATS="-4004")
    await scene.until(lambda: str(new["id"]) in str(scene.telegram.called("setMyCommands")))
    asked = await scene.people.say(new, scene.operator, "/fleet@fleet_bot status")
    assert labels(await scene.reply_to(asked)) == ["Refresh"]


async def test_once_the_registry_was_seen_its_accounts_are_instances_and_no_persons(
    scene: TelegramScene,
) -> None:
    await scene.start()
    await scene.reply_to(await scene.say("/fleet@fleet_bot status", scene.operator))
    person = user(3003, "claw as a user account")
    refusal = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy claw-1", person))
    assert "claw-1 may not deploy itself" in refusal["text"]


async def test_a_read_that_hangs_keeps_nobody_waiting_for_ever(scene: TelegramScene) -> None:
    await scene.start()
    scene.api.released.clear()
    helps = await scene.say("/fleet@fleet_bot help", scene.visitor)
    await scene.api.until("registry", 1)
    await scene.clock.turn(4.9)
    assert scene.answer_to(helps) is None
    await scene.clock.turn(0.2)
    assert "every instance" in (await scene.reply_to(helps))["text"]
    deploys = await scene.say(DEPLOY, scene.operator)
    await scene.until(lambda: scene.answer_to(deploys))
    assert "I have not seen the registry yet" in (await scene.reply_to(deploys))["text"]
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(("age", "instance"), [(4, False), (6, True)])
async def test_an_operator_s_account_of_a_merge_just_now_is_its_instance(
    scene: TelegramScene, age: float, instance: bool
) -> None:
    known = json.loads(scene.api.registry)
    await scene.start()
    await scene.reply_to(await scene.say("/fleet@fleet_bot help", scene.visitor))
    known["claw-1"]["telegramUserId"] = str(OPERATOR)
    scene.api.registry = json.dumps(known)
    await scene.clock.turn(age)
    reply = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy claw-1", scene.operator))
    assert ("claw-1 may not deploy itself" in reply["text"]) == instance


async def test_a_program_s_account_of_a_merge_just_now_is_its_instance(
    scene: TelegramScene,
) -> None:
    known = json.loads(scene.api.registry)
    await scene.start()
    await scene.reply_to(await scene.say("/fleet@fleet_bot help", scene.visitor))
    known["claw-2"]["telegramUserId"] = "4004"
    scene.api.registry = json.dumps(known)
    await scene.clock.turn(6)
    claw = user(4004, "claw", is_bot=True, username="claw_2_bot")
    asked = await scene.say("/fleet@fleet_bot deploy claw-2", claw)
    assert "claw-2 may not deploy itself" in (await scene.reply_to(asked))["text"]


@pytest.mark.parametrize("label", ["Confirm", "Cancel"])
async def test_a_press_is_whose_the_account_is_just_now(scene: TelegramScene, label: str) -> None:
    known = json.loads(scene.api.registry)
    await scene.start()
    target = {"Confirm": "all", "Cancel": "claw-2"}[label]
    text = f"/fleet@fleet_bot deploy {target}"
    message = await scene.reply_to(await scene.say(text, scene.operator))
    await scene.until(lambda: label in labels(message))
    before = scene.api.count("deploy")
    known["claw-1"]["telegramUserId"] = str(OPERATOR)
    scene.api.registry = json.dumps(known)
    await scene.clock.turn(6)
    query = await scene.press(message, label, scene.operator)
    told = {"Confirm": "claw-1 may not deploy", "Cancel": "Only operators may cancel"}[label]
    await scene.until(
        lambda: told in message["text"] or told in str(scene.telegram.methods.answers.get(query))
    )
    assert (scene.api.count("deploy"), scene.api.count("cancel")) == (before, 0)


async def test_what_nobody_said_is_ignored(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await scene.start()
    said = {**scene.people.write(scene.fleet, scene.operator, DEPLOY)}
    del said["from"]
    await scene.telegram.updates.put("message", said)
    await scene.settled()
    assert f"telegram.ignored chat={FLEET} message_id={said['message_id']}" in caplog.text
    assert "telegram.not_answered" not in caplog.text


OLGA = User(OPERATOR, "Olga", is_bot=False)


@pytest.mark.parametrize(
    ("message", "who"),
    [
        (Message(1, datetime.now(UTC), Chat(FLEET, "supergroup"), OLGA), Human),
        (
            Message(
                1,
                datetime.now(UTC),
                Chat(FLEET, "supergroup"),
                OLGA,
                sender_chat=Chat(FLEET, "group"),
            ),
            Unknown,
        ),
        (Message(1, datetime.now(UTC), Chat(-1009876543210, "channel"), OLGA), type(None)),
    ],
)
async def test_where_and_for_whom_it_is_said_counts_whoever_the_sender_is(
    scene: TelegramScene, message: Message, who: type
) -> None:
    assert type(author(message, load(scene.environ("demo")), None)) is who


async def test_a_program_is_no_operator_though_its_account_is_listed(scene: TelegramScene) -> None:
    settings = load(scene.environ("demo"))
    assert person(OLGA, settings, None) == Human(f"telegram:{OPERATOR}", "Olga", operator=True)
    assert person(User(OPERATOR, "Olga", is_bot=True), settings, None) is None


@pytest.mark.parametrize(("off", "told"), [(600, "10 min behind"), (-600, "10 min ahead of")])
async def test_where_a_clock_is_wrong_that_is_why_an_ask_is_too_old(
    scene: TelegramScene, off: float, told: str
) -> None:
    await scene.start()
    scene.api.off = off
    await scene.reply_to(await scene.say("/fleet status"))
    old = await scene.say("/fleet deploy claw-2", date=int(scene.clock.now()) - 121)
    said = (await scene.reply_to(old))["text"]
    assert f"This machine's clock is {told} AWS's clock." in said.replace("\\", "")
    assert scene.api.count("deploy") == 0


async def test_a_clock_that_is_wrong_is_told_in_words(scene: TelegramScene) -> None:
    await scene.start()
    scene.api.off = 600
    scene.api.next = [(403, {"Message": "Forbidden"})] * 2
    reply = await scene.reply_to(await scene.say("/fleet status"))
    await scene.until(lambda: "clock is 10 min behind AWS's clock" in reply["text"])
