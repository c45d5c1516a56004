"""A rollback and a resume in Telegram: what is asked, by which buttons, and what outlives a bot."""

import copy

import pytest

from clawbot import wording
from clawbot.operations import CHANGED
from clawbot.telegram.markup import LONGEST, as_read, units
from clawbot.telegram.messages import render
from sandbox.telegram_api.history import Json
from tests.clawbot.bots import registry
from tests.clawbot.rolls import LOCK, Moved, lock, longest, roll, stopped
from tests.discord.ec2 import NEWEST, NOW, OLDER, OLDEST
from tests.telegram.scene import FLEET, TelegramScene, labels

AGAIN = "What was asked has been changed or deleted since. Ask again."
GONE = "That button is gone. Use those that are there now."


def sent(scene: TelegramScene) -> list[tuple[str, str, str]]:
    deploys = [one for one in scene.api.asked if one["action"] == "deploy"]
    return [(one.get("operation", ""), one["target"], one["ami_override"]) for one in deploys]


async def asked(scene: TelegramScene, words: str) -> Json:
    said = await scene.say(f"/fleet@fleet_bot {words}", scene.operator)
    reply = await scene.reply_to(said)
    await scene.until(lambda: labels(reply))
    return reply


async def stopped_here(scene: TelegramScene) -> Json:
    """The reply of a roll that did not reach claw-2."""
    await scene.start()
    reply = await asked(scene, "deploy claw-2")
    scene.api.change(1, status="completed", conclusion="failure", jobs=stopped(1, "claw-2").jobs)
    await scene.until(lambda: labels(reply) == [wording.GO_ON])
    return reply


async def pressed(scene: TelegramScene, reply: Json) -> Json:
    """The question by which a press is answered that goes on."""
    await scene.press(reply, wording.GO_ON)

    def answers() -> list[Json]:
        shown = scene.telegram.history.shown(FLEET)
        to = reply["message_id"]
        return [
            one
            for one in shown
            if one.get("reply_to_message", {}).get("message_id") == to and labels(one)
        ]

    await scene.until(answers)
    return answers()[-1]


async def test_a_rollback_is_asked_about_host_by_host_and_its_reply_lives(
    scene: TelegramScene,
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST)), roll(2, Moved("claw-2"))]
    await scene.start()

    reply = await asked(scene, "rollback claw-2")

    assert reply["text"].startswith("🟡 /fleet rollback claw-2\n")
    assert f"{NEWEST}, 2 days old, revision unknown\n    → {OLDER}, 9 days old" in reply["text"]
    assert labels(reply) == ["Confirm", "Cancel"]
    await scene.press(reply, "Confirm")
    await scene.until(lambda: "queued" in reply["text"])
    assert sent(scene) == [("rollback", "claw-2", OLDER)]
    assert f"Roll back claw-2 with {OLDER}" in reply["text"]
    scene.api.done(3, *roll(3, Moved("claw-2", NEWEST, new=OLDER)).jobs)
    shown = scene.telegram.history.shown
    await scene.until(
        lambda: any("🟢 Your rollback of claw-2: done" in one["text"] for one in shown(FLEET))
    )


async def test_a_rollback_is_asked_for_by_buttons_too(scene: TelegramScene) -> None:
    names = [f"claw-{n}" for n in range(1, 31)]
    scene.api.registry = registry(*names)
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST))]
    await scene.start()
    menu = await asked(scene, "rollback")
    await scene.press(menu, "▶")
    await scene.until(lambda: "claw-30" in labels(menu))
    await scene.press(menu, "◀")
    await scene.until(lambda: "claw-2" in labels(menu))

    await scene.press(menu, "claw-2")
    await scene.until(lambda: labels(menu) == ["Confirm", "Cancel"])
    await scene.press(menu, "Confirm")

    await scene.until(lambda: "queued" in menu["text"])
    assert sent(scene) == [("rollback", "claw-2", OLDEST)]


async def test_go_on_asks_in_a_reply_of_its_own_and_the_old_one_stays(
    scene: TelegramScene,
) -> None:
    reply = await stopped_here(scene)
    before = copy.deepcopy(reply)

    question = await pressed(scene, reply)

    assert question["text"].startswith("🟡 /fleet resume 1\nRun 1 left 1 host of its roll")
    await scene.press(question, "Confirm")
    await scene.until(lambda: "queued" in question["text"])
    assert reply == before
    assert sent(scene)[1:] == [("resume", "1", "")]
    (_, resumed) = (one for one in scene.api.asked if one["action"] == "deploy")
    number = question["message_id"]
    assert (resumed["reply"], resumed["request_id"]) == (
        str(number),
        f"telegram.demo.{FLEET}.{number}",
    )
    scene.api.done(2, *roll(2, Moved("claw-2")).jobs)
    shown = scene.telegram.history.shown
    await scene.until(
        lambda: any("🟢 Your resume of run 1: done" in one["text"] for one in shown(FLEET))
    )


async def test_who_may_not_go_on_is_told_so_and_nobody_else_is(scene: TelegramScene) -> None:
    reply = await stopped_here(scene)
    shown = scene.telegram.history.shown
    await scene.until(lambda: len(shown(FLEET)) == 2)  # its asker was called

    told = await scene.answered(await scene.press(reply, wording.GO_ON, scene.visitor))

    assert told.startswith("Only operators may do that.")
    assert len(shown(FLEET)) == 2


@pytest.mark.parametrize("change", ["another run", "another act", "moved", "relabelled"])
async def test_a_go_on_that_was_changed_asks_nothing(scene: TelegramScene, change: str) -> None:
    reply = await stopped_here(scene)
    data = reply["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    below = reply
    if change == "another run":
        data = data.replace(":1:", ":2:")
    elif change == "another act":
        data = data.replace("fleet:r:", "fleet:c:")
    elif change == "moved":
        below = await asked(scene, "deploy all")
    else:
        reply["reply_markup"]["inline_keyboard"][0][0]["text"] = "Refresh"

    query = await scene.people.send_data(below, scene.operator, data)

    assert await scene.answered(query) == GONE
    assert len(sent(scene)) == 1


async def test_a_yes_is_to_the_message_and_the_words_that_it_stands_below(
    scene: TelegramScene,
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST), Moved("claw-1", OLDEST))]
    await scene.start()
    of_one, of_other = await asked(scene, "rollback claw-2"), await asked(scene, "rollback claw-1")
    again = await asked(scene, "rollback claw-2")
    data = of_one["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    act, asker, until, plan, mark = data.split(":")[1:]
    for message, forged in (
        (of_other, data),
        (again, data),
        (of_one, f"fleet:{act}:{asker}:{until}:{'0' * len(plan)}:{mark}"),
        (of_one, f"fleet:{act}:{asker}:{until}:{mark}"),
        (of_one, f"fleet:{act.lower()}:{asker}:{until}:{plan}:{mark}"),
    ):
        query = await scene.people.send_data(message, scene.operator, forged)
        assert await scene.answered(query) == AGAIN, forged
    of_one["text"] = of_one["text"].replace("rollback claw-2", "rollback claw-1")
    assert await scene.answered(await scene.press(of_one, "Confirm")) == AGAIN
    assert sent(scene) == []


async def test_a_yes_that_comes_after_a_restart_counts_if_it_is_to_the_same(
    scene: TelegramScene,
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST))]
    await scene.start()
    first, second = await asked(scene, "rollback claw-2"), await asked(scene, "rollback all")
    await scene.stop()
    await scene.start()

    await scene.press(first, "Confirm")
    await scene.until(lambda: "queued" in first["text"])
    assert sent(scene) == [("rollback", "claw-2", OLDEST)]

    scene.api.runs[1:] = [roll(2, Moved("claw-2"))]
    await scene.press(second, "Confirm")
    await scene.until(lambda: CHANGED.lines[0] in second["text"])
    assert len(sent(scene)) == 1


async def test_an_unlock_names_the_lock_and_its_run_no_host(scene: TelegramScene) -> None:
    scene.api.lock = lock()
    await scene.start()

    reply = await asked(scene, "unlock")

    assert reply["text"].startswith(
        f"🟡 /fleet unlock {LOCK}\nsam@desk holds the lock on the state"
    )
    assert "Make sure first that nobody is at work there." in reply["text"]
    await scene.press(reply, "Confirm")
    await scene.until(lambda: "queued" in reply["text"])
    assert sent(scene) == [("unlock", LOCK, "")]
    scene.api.running(1, *stopped().jobs[:1])
    await scene.until(lambda: "Unlock the state: unlocking" in reply["text"])
    await scene.stop()
    scene.api.done(1, *stopped().jobs[:1])
    await scene.start()
    await scene.until(lambda: "Unlock the state: unlocked" in reply["text"])
    shown = scene.telegram.history.shown
    called = "🟢 Your unlock of the state: unlocked"
    await scene.until(lambda: any(called in one["text"] for one in shown(FLEET)))


@pytest.mark.parametrize("words", ["rollback claw-2", "resume 7"])
async def test_a_frozen_fleet_is_overridden_by_a_button_that_says_so(
    scene: TelegramScene, words: str
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7, "claw-1")]
    scene.api.freeze = {"by": "x:1 sam", "reason": "", "since": 1, "until": 1_790_010_000}
    await scene.start()

    reply = await asked(scene, words)

    assert "The fleet is frozen by sam" in reply["text"]
    assert labels(reply) == ["Override", "Cancel"]
    await scene.press(reply, "Override")
    await scene.until(lambda: "queued" in reply["text"])
    assert "overriding the freeze" in reply["text"]
    (one,) = (one for one in scene.api.asked if one["action"] == "deploy")
    assert (one["operation"], one["override"]) == (words.split(maxsplit=1)[0], "freeze")


@pytest.mark.parametrize("operation", ["rollback", "resume"])
async def test_a_successor_finishes_its_reply(scene: TelegramScene, operation: str) -> None:
    if operation == "resume":
        question = await pressed(scene, await stopped_here(scene))
    else:
        scene.api.runs = [roll(1, Moved("claw-2", OLDEST))]
        await scene.start()
        question = await asked(scene, "rollback claw-2")
    await scene.press(question, "Confirm")
    await scene.until(lambda: "queued" in question["text"])
    await scene.stop()
    scene.api.done(2, *roll(2, Moved("claw-2")).jobs)
    await scene.start()

    await scene.until(lambda: "done" in question["text"])

    what, subject = wording.own(operation, "claw-2" if operation == "rollback" else "1")
    called = f"🟢 Your {what} {subject}: done"
    shown = scene.telegram.history.shown
    await scene.until(lambda: any(called in one["text"] for one in shown(FLEET)))


@pytest.mark.parametrize(("hosts", "named", "more"), [(6, 6, ""), (7, 7, ""), (250, 15, "235")])
def test_as_many_hosts_are_named_as_fit_and_the_rest_counted(
    hosts: int, named: int, more: str
) -> None:
    text = as_read(render(longest(hosts, f"telegram:{2**52 - 1}"), NOW))

    assert units(text) <= LONGEST
    before, _, after = text.partition("Removes if made by a deploy")
    assert before.count("c" * 28) == named
    assert (f"and {more} more" in before) == bool(more)
    assert after.endswith("Only the one who asked can confirm; this ends 2026-09-21 14:15 UTC.")
    # The longest line, with a whole first line of a commit, is not cut.
    assert before.count("*" * 80) == (3 * 6 if hosts <= 6 else 0)
