"""Buttons: choices, pages, and a yes that only the asker can say, to what they asked."""

import re
from collections.abc import Callable

import pytest

from sandbox.telegram_api.history import Json, group
from tests.clawbot.bots import registry
from tests.clawbot.control_api import run
from tests.discord.ec2 import NEWEST, OLDER, Claw
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene, labels

ALL = "/fleet@fleet_bot deploy all"
Change = Callable[[Json], None]
AGAIN = "What was asked has been changed or deleted since. Ask again."


async def question(scene: TelegramScene) -> tuple[Json, Json]:
    """What was said, and the question it was answered with."""
    await scene.start()
    asked = await scene.say(ALL, scene.operator)
    return asked, await scene.reply_to(asked)


async def test_a_deploy_of_all_is_asked_about_first(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    assert labels(asked) == ["Confirm", "Cancel"]
    assert "This replaces every host of the fleet" in asked["text"]
    assert "Replaces: claw-1, claw-2" in asked["text"]
    assert scene.api.count("deploy") == 0


async def test_the_askers_yes_starts_it_in_the_same_message(scene: TelegramScene) -> None:
    said, asked = await question(scene)
    await scene.press(asked, "Confirm")
    await scene.until(lambda: "queued" in asked["text"])
    sent = next(one for one in scene.api.asked if one["action"] == "deploy")
    assert sent["request_id"] == f"telegram.demo.{FLEET}.{said['message_id']}"
    assert (sent["target"], sent["reply"]) == ("all", str(asked["message_id"]))
    assert labels(asked) == ["Cancel"]


async def test_a_no_leaves_everything(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    await scene.press(asked, "Cancel")
    await scene.until(lambda: "Nothing was deployed" in asked["text"])
    assert labels(asked) == []
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize("label", ["Confirm", "Cancel"])
async def test_nobody_else_can_answer(scene: TelegramScene, label: str) -> None:
    _, asked = await question(scene)
    query = await scene.press(asked, label, scene.visitor)
    assert await scene.answered(query) == "Only the one who asked may answer that."
    assert labels(asked) == ["Confirm", "Cancel"]
    assert scene.api.count("deploy") == 0


async def test_a_yes_after_two_minutes_does_not_count(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    await scene.clock.turn(121)
    await scene.press(asked, "Confirm")
    await scene.until(lambda: "That question is over" in asked["text"])
    assert scene.api.count("deploy") == 0


async def test_a_yes_to_words_that_were_changed_since_does_not_count(scene: TelegramScene) -> None:
    said, asked = await question(scene)
    await scene.people.edit(said, "/fleet@fleet_bot deploy claw-1")
    assert await scene.answered(await scene.press(asked, "Confirm")) == AGAIN
    await scene.people.edit(said, ALL)
    assert await scene.answered(await scene.press(asked, "Confirm")) == AGAIN
    assert scene.api.count("deploy") == 0


async def test_a_yes_to_words_that_were_deleted_since_does_not_count(scene: TelegramScene) -> None:
    said, asked = await question(scene)
    scene.people.delete(said)
    assert await scene.answered(await scene.press(asked, "Confirm")) == AGAIN
    assert scene.api.count("deploy") == 0


async def test_a_mark_holds_for_one_asker_one_moment_and_one_message(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    data = asked["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    _, _, asker, until, mark = data.split(":")
    other = await scene.reply_to(await scene.say(ALL, scene.operator))
    for message, forged in (
        (asked, f"fleet:y:1:{until}:{mark}"),
        (asked, f"fleet:y:{asker}:{until[:-1]}z:{mark}"),
        (asked, f"fleet:y:{asker}:{until}:{mark[:-1]}*"),
        (asked, f"fleet:y:{asker}:{until}:é"),
        (asked, f"fleet:y:²:{until}:{mark}"),
        (asked, f"fleet:n:{asker}:{until}:{mark}"),
        (asked, f"fleet:Y:{asker}:{until}:{mark}"),
        (other, data),
    ):
        query = await scene.people.send_data(message, scene.operator, forged)
        assert await scene.answered(query) == AGAIN, forged
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("Refresh", "fleet:x:1"),
        ("Refresh", "fleet:s:-1"),
        ("Refresh", "fleet:s:x"),
        ("Refresh", "fleet:s:123456x"),
        ("◀", "fleet:t:999999999999"),
        ("../..", "fleet:i:../.."),
        ("Cancel", "fleet:c:x"),
        ("the newest", "fleet:d:"),
    ],
)
async def test_any_data_may_come_and_nothing_breaks(
    scene: TelegramScene, label: str, data: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    keyboard = {"inline_keyboard": [[{"text": label, "callback_data": data}]]}
    ours = scene.telegram.history.bot
    message = scene.people.write(scene.alone, ours, "x", reply_markup=keyboard)
    await scene.people.send_data(message, scene.operator, data)
    await scene.settled()
    assert scene.api.count("deploy") == 0
    assert not re.search("not_answered|broken", caplog.text)


@pytest.mark.parametrize("data", ["fleet:s:0", "fleet:t:0", "fleet:i:claw-2", "fleet:d:claw-2"])
async def test_data_that_no_button_there_has_changes_nothing(
    scene: TelegramScene, data: str
) -> None:
    _, asked = await question(scene)
    query = await scene.people.send_data(asked, scene.operator, data)
    assert "That button is gone" in await scene.answered(query)
    assert labels(asked) == ["Confirm", "Cancel"]
    assert scene.api.count("deploy") == 0


async def test_a_telephones_capital_letter_can_be_confirmed(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.reply_to(await scene.say("/fleet Deploy all"))
    await scene.press(asked, "Confirm")
    await scene.until(lambda: "queued" in asked["text"])


@pytest.mark.parametrize("first", ["Confirm", "Cancel"])
async def test_of_a_yes_and_a_no_only_the_first_counts(scene: TelegramScene, first: str) -> None:
    _, asked = await question(scene)
    before = dict(asked)
    await scene.press(before, first)
    other = await scene.press(before, "Cancel" if first == "Confirm" else "Confirm")
    said = "a yes" if first == "Confirm" else "a no"
    assert f"That was answered already, with {said}" in await scene.answered(other)
    await scene.until(lambda: labels(asked) in ([], ["Cancel"]) and "asking" not in asked["text"])
    await scene.settled()
    assert scene.api.count("deploy") == (1 if first == "Confirm" else 0)
    assert ("Nothing was deployed" in asked["text"]) == (first == "Cancel")


async def test_a_press_that_waited_while_nobody_was_there_deploys_nothing(
    scene: TelegramScene,
) -> None:
    await scene.start()
    choice = await scene.reply_to(await scene.say("/fleet deploy"))
    await scene.press(choice, "claw-2")
    await scene.until(lambda: "With which image" in choice["text"])
    await scene.stop()
    await scene.press(choice, "the newest")
    await scene.clock.turn(300)
    await scene.start()
    await scene.until(lambda: labels(choice) == ["Confirm", "Cancel"])
    await scene.settled()
    assert scene.api.count("deploy") == 0


WITH_WHICH = "With which image, claw-2?"


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("Refresh", "fleet:d:claw-2"),
        ("the newest", "fleet:d:claw-1"),
        ("the newest", f"fleet:d:claw-2:{OLDER[4:]}"),
        (f"{NEWEST} · 2 days old", f"fleet:d:claw-2:{OLDER[4:]}"),
        ("Refresh", "fleet:d:all"),
        ("claw-2", "fleet:i:claw-1"),
        ("x", "fleet:i:x y"),
        ("Status", "fleet:a:deploy"),
        ("Deploy …", "fleet:s:0"),
        ("1/2 and on", "fleet:t:0"),
        ("x", "fleet:x:1"),
    ],
)
async def test_a_choice_that_says_another_thing_than_it_stands_for_is_none(
    scene: TelegramScene, label: str, data: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another program on our token may have sent it."""
    await scene.start()
    keyboard = {"inline_keyboard": [[{"text": label, "callback_data": data}]]}
    code = {"type": "code", "offset": 18, "length": 6}
    ours = scene.telegram.history.bot
    message = scene.people.write(
        scene.alone, ours, WITH_WHICH, entities=[code], reply_markup=keyboard
    )
    assert "That button is gone" in await scene.answered(await scene.press(message, label))
    assert labels(message) == [label]
    assert f"telegram.foreign_button by=telegram:{OPERATOR} chat={OPERATOR}" in caplog.text
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize(
    ("label", "data", "said"),
    [
        ("the newest", "fleet:d:claw-2", "/fleet deploy claw-2\nShall I?"),
        (
            f"{OLDER} · 9 days old · on 0",
            f"fleet:d:claw-2:{OLDER[4:]}",
            f"/fleet deploy claw-2 {OLDER}\nShall I?",
        ),
    ],
)
async def test_a_choice_only_asks(scene: TelegramScene, label: str, data: str, said: str) -> None:
    await scene.start()
    keyboard = {"inline_keyboard": [[{"text": label, "callback_data": data}]]}
    code = {"type": "code", "offset": 18, "length": 6}
    ours = scene.telegram.history.bot
    message = scene.people.write(
        scene.alone, ours, WITH_WHICH, entities=[code], reply_markup=keyboard
    )
    await scene.press(message, label)
    await scene.until(lambda: labels(message) == ["Confirm", "Cancel"])
    assert said in message["text"]
    await scene.settled()
    assert scene.api.count("deploy") == 0


def _labelled(first: str, second: str) -> Change:
    def change(message: Json) -> None:
        (row,) = message["reply_markup"]["inline_keyboard"]
        row[0]["text"], row[1]["text"] = first, second

    return change


def _saying(old: str, new: str) -> Change:
    def change(message: Json) -> None:
        assert old in message["text"]
        message["text"] = message["text"].replace(old, new)

    return change


def _beside(message: Json) -> None:
    message["reply_markup"]["inline_keyboard"].append([{"text": "Stop it", "url": "tg://x"}])


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (_labelled("Cancel", "Confirm"), "Cancel"),
        (_labelled("Cancel", "Confirm"), "Confirm"),
        (_labelled("Leave it", "Cancel"), "Leave it"),
        (_labelled("Confirm", "Deploy"), "Confirm"),
        (_saying("deploy all", "deploy claw-2"), "Confirm"),
        (_saying("Replaces: claw-1, claw-2", "Replaces: claw-2"), "Confirm"),
        (_saying("This replaces", "This replaces nothing of"), "Confirm"),
        (_beside, "Confirm"),
    ],
)
@pytest.mark.parametrize("by_buttons", [False, True])
async def test_a_question_that_was_changed_is_not_answered(
    scene: TelegramScene,
    change: Change,
    label: str,
    by_buttons: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By another program on our token."""
    await scene.start()
    if by_buttons:
        asked = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy", scene.operator))
        await scene.press(asked, "all")
        await scene.until(lambda: "the newest" in labels(asked))
        await scene.press(asked, "the newest")
        await scene.until(lambda: "Confirm" in labels(asked))
    else:
        asked = await scene.reply_to(await scene.say(ALL, scene.operator))
    change(asked)
    assert await scene.answered(await scene.press(asked, label)) == AGAIN
    assert f"telegram.foreign_button by=telegram:{OPERATOR} chat={FLEET}" in caplog.text
    assert scene.api.count("deploy") == 0


async def test_what_telegram_may_tidy_of_a_question_changes_nothing(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    asked["text"] = f" \u200b{asked['text']}\n".replace("\n", " \n ")
    await scene.press(asked, "Confirm")
    await scene.until(lambda: "queued" in asked["text"])


@pytest.mark.parametrize(("old", "new"), [("Cancel", "Keep it"), ("claw-2", "claw-1")])
async def test_a_cancel_that_was_changed_cancels_nothing(
    scene: TelegramScene, old: str, new: str
) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "Cancel" in labels(reply))
    reply["reply_markup"]["inline_keyboard"][0][0]["text"] = "Cancel".replace(old, new)
    reply["text"] = reply["text"].replace(old, new)
    pressed = await scene.press(reply, labels(reply)[0])
    assert "That button is gone" in await scene.answered(pressed)
    assert scene.api.count("cancel") == 0


async def test_a_button_that_says_one_thing_and_stands_for_a_cancel_does_nothing(
    scene: TelegramScene,
) -> None:
    await scene.start()
    await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.asked_for("deploy", 1)
    for data in ("fleet:c:1", "fleet:c:1:guessed-"):
        keyboard = {"inline_keyboard": [[{"text": "Refresh", "callback_data": data}]]}
        ours = scene.telegram.history.bot
        message = scene.people.write(scene.alone, ours, "2 healthy", reply_markup=keyboard)
        assert "That button is gone" in await scene.answered(await scene.press(message, "Refresh"))
    assert scene.api.count("cancel") == 0


async def test_two_quick_presses_are_one_deploy(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    before = dict(asked)
    await scene.press(before, "Confirm")
    await scene.press(before, "Confirm")
    await scene.until(lambda: "queued" in asked["text"])
    await scene.settled()
    assert scene.api.count("deploy") == 1


async def test_the_longest_ids_fit_a_buttons_64_bytes(scene: TelegramScene) -> None:
    longest = "a" * 32
    scene.api.registry = registry(longest)
    scene.hosts(Claw(longest))
    await scene.start(CLAWBOT_OPERATORS=f"telegram:{OPERATOR},telegram:{2**52 - 1}")
    someone = scene.operator | {"id": 2**52 - 1}
    await scene.reply_to(await scene.say(ALL, someone))
    choice = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy", someone))
    await scene.press(choice, longest, someone)
    await scene.until(lambda: "With which image" in choice["text"])
    assert len(labels(choice)) == 5


async def test_fleet_alone_shows_the_commands_as_buttons(scene: TelegramScene) -> None:
    await scene.start()
    menu = await scene.reply_to(await scene.say("/fleet"))
    assert labels(menu)[:2] == ["Status", "Deploy …"]


async def test_a_deploy_can_be_asked_for_by_buttons_alone(scene: TelegramScene) -> None:
    await scene.start()
    choice = await scene.reply_to(await scene.say("/fleet deploy"))
    assert labels(choice) == ["all", "claw-1", "claw-2"]
    await scene.press(choice, "claw-2")
    await scene.until(lambda: "With which image" in choice["text"])
    assert labels(choice)[:3] == [
        "the newest",
        f"{NEWEST} · 2 days old · on 2",
        f"{OLDER} · 9 days old · on 0",
    ]
    await scene.press(choice, f"{OLDER} · 9 days old · on 0")
    await scene.until(lambda: f"/fleet deploy claw-2 {OLDER}" in choice["text"])
    await scene.press(choice, "Confirm")
    await scene.until(lambda: "queued" in choice["text"])
    sent = next(one for one in scene.api.asked if one["action"] == "deploy")
    assert (sent["target"], sent["ami_override"]) == ("claw-2", OLDER)
    assert sent["request_id"] == f"telegram.demo.{OPERATOR}.{choice['message_id']}"


async def test_all_by_buttons_is_asked_about_too_and_starts_once(scene: TelegramScene) -> None:
    await scene.start()
    choice = await scene.reply_to(await scene.say("/fleet deploy"))
    await scene.press(choice, "all")
    await scene.until(lambda: "With which image" in choice["text"])
    await scene.press(choice, "the newest")
    await scene.until(lambda: "Confirm" in labels(choice))
    await scene.press(choice, "Confirm")
    await scene.until(lambda: "queued" in choice["text"])
    assert [one["target"] for one in scene.api.asked if one["action"] == "deploy"] == ["all"]


async def test_whoever_may_not_deploy_is_told_so_and_the_choice_stays(scene: TelegramScene) -> None:
    await scene.start()
    choice = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy", scene.operator))
    await scene.press(choice, "claw-2")
    await scene.until(lambda: "With which image" in choice["text"])
    query = await scene.press(choice, "the newest", scene.visitor)
    assert "Only operators may deploy" in await scene.answered(query)
    assert "the newest" in labels(choice)


async def test_a_deploy_that_waits_can_be_cancelled(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "Cancel" in labels(reply))
    assert "run 1 is being cancelled" in await scene.answered(await scene.press(reply, "Cancel"))
    await scene.until(lambda: "cancelled" in reply["text"])


async def test_a_long_fleet_is_paged_and_never_too_long(scene: TelegramScene) -> None:
    ids = [f"claw-{number}-{'x' * 20}" for number in range(1, 60)]
    scene.api.registry = registry(*ids)
    scene.hosts()
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet status"))
    assert labels(report) == ["Refresh", "▶"]
    assert "Page 1 of 6, worst first" in report["text"]
    await scene.press(report, "▶")
    await scene.until(lambda: "Page 2 of 6" in report["text"])
    assert labels(report) == ["◀", "Refresh", "▶"]
    choice = await scene.reply_to(await scene.say("/fleet deploy"))
    assert labels(choice)[-2:] == ["1/3", "▶"]
    await scene.press(choice, "▶")
    await scene.until(lambda: "2/3" in labels(choice))


async def test_refreshing_what_has_not_changed_is_no_trouble(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet status"))
    await scene.answered(await scene.press(report, "Refresh"))
    await scene.settled()
    edits = scene.telegram.called("editMessageText")
    assert (len(edits), scene.telegram.history.edits) == (1, [])
    assert not re.search("not_answered|broken", caplog.text)


async def test_a_press_too_old_to_be_answered_is_acted_on(scene: TelegramScene) -> None:
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet status"))
    scene.hosts(Claw("claw-1"), Claw("claw-2", state="terminated"))
    query = await scene.press(report, "Refresh")
    scene.telegram.methods.queries.pop(query, None)
    await scene.clock.turn(3)
    await scene.until(lambda: "1 missing" in report["text"])


async def test_a_button_below_a_message_that_telegram_no_longer_shows(scene: TelegramScene) -> None:
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet status"))
    gone = {"chat": report["chat"], "message_id": report["message_id"], "date": 0}
    query = await scene.people.send_data(gone, scene.operator, "fleet:s:0")
    assert await scene.answered(query) == "That message is too old for me to read. Ask again."


async def too_late(
    scene: TelegramScene, message: Json, data: str, sender: Json | None = None
) -> None:
    """A press that Telegram takes no answer to any more."""
    query = await scene.people.send_data(message, sender or scene.operator, data)
    scene.telegram.methods.queries.pop(query)


def data_of(message: Json, label: str) -> str:
    rows = message["reply_markup"]["inline_keyboard"]
    return str(next(one["callback_data"] for row in rows for one in row if one["text"] == label))


@pytest.mark.parametrize(
    ("by_operator", "said"), [(True, "run 1 is being cancelled"), (False, "Only operators may")]
)
async def test_what_only_the_presser_is_shown_is_said_where_the_press_is_too_old(
    scene: TelegramScene, by_operator: bool, said: str
) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet@fleet_bot deploy claw-2", scene.operator))
    await scene.until(lambda: "Cancel" in labels(reply))
    sender = scene.operator if by_operator else scene.visitor
    await too_late(scene, reply, data_of(reply, "Cancel"), sender)
    assert said in (await scene.reply_to(reply))["text"]


async def test_a_late_yes_to_words_that_were_changed_is_told_so(scene: TelegramScene) -> None:
    said, asked = await question(scene)
    await scene.people.edit(said, "/fleet@fleet_bot deploy claw-1")
    await too_late(scene, asked, data_of(asked, "Confirm"))
    assert (await scene.reply_to(asked))["text"] == AGAIN


async def test_a_late_press_of_a_button_that_is_gone_is_told_so(scene: TelegramScene) -> None:
    _, asked = await question(scene)
    await too_late(scene, asked, "fleet:s:0")
    assert "That button is gone" in (await scene.reply_to(asked))["text"]


async def test_a_late_press_below_a_message_that_is_not_shown_is_told_so(
    scene: TelegramScene,
) -> None:
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet status"))
    gone = {"chat": report["chat"], "message_id": report["message_id"], "date": 0}
    await too_late(scene, gone, "fleet:s:0")
    shown = scene.telegram.history.shown
    await scene.until(lambda: "too old for me" in shown(OPERATOR)[-1]["text"])


@pytest.mark.parametrize("shown", [True, False])
async def test_a_late_press_in_a_strange_group_is_answered_with_silence(
    scene: TelegramScene, shown: bool
) -> None:
    await scene.start()
    strange = group(-1005550000000, "elsewhere")
    ours = scene.people.write(strange, scene.telegram.history.bot, "x")
    pressed = ours if shown else {"chat": strange, "message_id": ours["message_id"], "date": 0}
    await too_late(scene, pressed, "fleet:s:0")
    await scene.until(lambda: scene.telegram.called("answerCallbackQuery"))
    await scene.settled()
    assert scene.telegram.history.shown(strange["id"]) == [ours]


async def test_a_yes_is_answered_before_it_is_judged(scene: TelegramScene) -> None:
    """Until a press is answered, whoever pressed sees a wheel turn."""
    _, asked = await question(scene)
    scene.api.released.clear()
    query = await scene.press(asked, "Confirm")
    await scene.until(lambda: query in scene.telegram.methods.answers)
    scene.api.released.set()
    await scene.until(lambda: "queued" in asked["text"])


async def test_a_history_is_turned_in_place_and_of_its_target(scene: TelegramScene) -> None:
    scene.api.runs = [
        run(n, "completed", "success", target=target, request_id="")
        for n, target in enumerate(["claw-1", "claw-2"] * 9, 1)
    ]
    await scene.start()
    report = await scene.reply_to(await scene.say("/fleet history claw-1"))
    assert labels(report) == ["Refresh", "▶"]
    await scene.press(report, "▶")
    await scene.until(lambda: "Page 2 of 2, newest first" in report["text"])
    assert ("run 1" in report["text"], "claw-2" in report["text"]) == (True, False)
    assert labels(report) == ["◀", "Refresh"]
