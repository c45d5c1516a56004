"""A rollback and a resume in Discord: what is asked, by which buttons, and what outlives a bot."""

import copy

import pytest

from clawbot import wording
from clawbot.discord import limits
from clawbot.discord.embeds import embed
from clawbot.operations import CHANGED
from sandbox.discord_api.guild import Message
from sandbox.discord_api.interaction import Interaction
from tests.clawbot.rolls import LOCK, Moved, lock, longest, roll, stopped
from tests.discord.dialogue import answer, deploying, pings, said, whispered
from tests.discord.ec2 import NEWEST, NOW, OLDER, OLDEST
from tests.discord.scene import DiscordScene


def sent(scene: DiscordScene) -> list[tuple[str, str, str]]:
    deploys = [one for one in scene.api.asked if one["action"] == "deploy"]
    return [(one.get("operation", ""), one["target"], one["ami_override"]) for one in deploys]


def calls(scene: DiscordScene) -> list[str]:
    """What askers were called by."""
    return [one.text for one in pings(scene) if one.author.id == scene.app.bot.id]


async def asked(scene: DiscordScene, words: str) -> Message:
    reply = await answer(scene, await said(scene, scene.operator, f"/fleet {words}"))
    await scene.until(lambda: reply.buttons)
    return reply


async def stopped_here(scene: DiscordScene) -> Message:
    """The reply of a roll that did not reach claw-2."""
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.change(1, status="completed", conclusion="failure", jobs=stopped(1, "claw-2").jobs)
    await scene.until(lambda: wording.GO_ON in reply.buttons)
    await scene.until(lambda: calls(scene))
    return reply


async def pressed(scene: DiscordScene, reply: Message) -> tuple[Interaction, Message]:
    """A press that goes on, and the question by which it is answered."""
    button = reply.buttons[wording.GO_ON]
    press = await scene.discord.press(scene.app, scene.operator, reply, button)

    def answers() -> list[Message]:
        return [one for one in scene.channel() if one.reference == reply.id and one.buttons]

    await scene.until(answers)
    return press, answers()[-1]


async def test_a_rollback_is_asked_about_host_by_host_and_its_reply_lives(
    scene: DiscordScene,
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST)), roll(2, Moved("claw-2"))]
    await scene.start()

    reply = await asked(scene, "rollback claw-2")

    assert "Roll back claw-2?" in reply.text
    assert f"{NEWEST}, 2 days old, revision unknown\n-# → {OLDER}, 9 days old" in reply.text
    assert list(reply.buttons) == ["Roll back", "Leave it"]
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Roll back"])
    await scene.until(lambda: "queued" in reply.text)
    assert sent(scene) == [("rollback", "claw-2", OLDER)]
    scene.api.done(3, *roll(3, Moved("claw-2", NEWEST, new=OLDER)).jobs)
    await scene.until(lambda: calls(scene))
    assert f"Roll back claw-2 with {OLDER}" in reply.text
    assert "roll back claw-2: done" in calls(scene)[0]


async def test_go_on_asks_in_a_reply_of_its_own_and_the_old_one_stays(scene: DiscordScene) -> None:
    reply = await stopped_here(scene)
    before = copy.deepcopy(reply.body)

    _, question = await pressed(scene, reply)

    assert "Resume run 1?" in question.text
    assert "Run 1 left 1 host of its roll unreached." in question.text
    await scene.discord.press(scene.app, scene.operator, question, question.buttons["Resume"])
    await scene.until(lambda: "queued" in question.text)
    assert reply.body == before
    assert sent(scene)[1:] == [("resume", "1", "")]
    (_, resumed) = (one for one in scene.api.asked if one["action"] == "deploy")
    assert resumed["reply"] == question.id
    scene.api.done(2, *roll(2, Moved("claw-2")).jobs)
    await scene.until(lambda: "resume run 1: done" in calls(scene)[-1])


async def test_who_may_not_go_on_is_told_so_and_nobody_else_is(scene: DiscordScene) -> None:
    reply = await stopped_here(scene)
    shown = len(scene.channel())

    press = await scene.discord.press(scene.app, scene.visitor, reply, reply.buttons[wording.GO_ON])

    assert "Only operators may do that" in await whispered(scene, press)
    assert len([one for one in scene.channel() if one not in press.whispers]) == shown


async def test_what_is_taken_up_already_is_whispered(scene: DiscordScene) -> None:
    reply = await stopped_here(scene)
    _, question = await pressed(scene, reply)
    await scene.discord.press(scene.app, scene.operator, question, question.buttons["Resume"])
    await scene.until(lambda: "queued" in question.text)

    press = await scene.discord.press(scene.app, scene.owner, reply, reply.buttons[wording.GO_ON])

    assert "Run 1 is taken up already, by run 2." in await whispered(scene, press)
    assert len(sent(scene)) == 2


@pytest.mark.parametrize("change", ["moved", "relabelled", "told otherwise"])
async def test_a_go_on_that_was_changed_asks_nothing(scene: DiscordScene, change: str) -> None:
    reply = await stopped_here(scene)
    button = reply.buttons[wording.GO_ON]
    below = reply
    if change == "moved":
        below = await asked(scene, "deploy all")
        below.body = copy.deepcopy(below.body) | {"components": reply.body["components"]}
    else:
        reply.body = copy.deepcopy(reply.body)
    if change == "relabelled":
        reply.body["components"][0]["components"][0]["label"] = "Refresh"
    if change == "told otherwise":
        reply.body["embeds"][0]["title"] = "Deploy nothing"

    press = await scene.discord.press(scene.app, scene.operator, below, button)

    assert "not one I made here" in await whispered(scene, press)
    assert len(sent(scene)) == 1


async def test_a_yes_that_comes_after_a_restart_counts_if_it_is_to_the_same(
    scene: DiscordScene,
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST))]
    await scene.start()
    first, second = await asked(scene, "rollback claw-2"), await asked(scene, "rollback all")
    await scene.stop()
    await scene.start()

    await scene.discord.press(scene.app, scene.operator, first, first.buttons["Roll back"])
    await scene.until(lambda: "queued" in first.text)
    assert sent(scene) == [("rollback", "claw-2", OLDEST)]

    scene.api.runs[1:] = [roll(2, Moved("claw-2"))]
    await scene.discord.press(scene.app, scene.operator, second, second.buttons["Roll back"])
    await scene.until(lambda: CHANGED.lines[0] in second.text)
    assert len(sent(scene)) == 1


async def test_an_unlock_names_the_lock_and_its_run_no_host(scene: DiscordScene) -> None:
    scene.api.lock = lock()
    await scene.start()

    reply = await asked(scene, "unlock")

    assert "Unlock the state?" in reply.text
    assert "`sam@desk` holds the lock on the state since" in reply.text
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Unlock"])
    await scene.until(lambda: "queued" in reply.text)
    assert sent(scene) == [("unlock", LOCK, "")]
    scene.api.running(1, *stopped().jobs[:1])
    await scene.until(lambda: "unlocking" in reply.text)
    await scene.stop()
    scene.api.done(1, *stopped().jobs[:1])
    await scene.start()
    await scene.until(lambda: calls(scene))
    assert "unlocked" in reply.text
    assert "unlock the state: unlocked" in calls(scene)[0]


@pytest.mark.parametrize("words", ["rollback claw-2", "resume 7"])
async def test_a_frozen_fleet_is_overridden_by_a_button_that_says_so(
    scene: DiscordScene, words: str
) -> None:
    scene.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7, "claw-1")]
    scene.api.freeze = {"by": "x:1 sam", "reason": "", "since": 1, "until": 1_790_010_000}
    await scene.start()

    reply = await asked(scene, words)

    assert "The fleet is frozen by sam" in reply.text
    assert list(reply.buttons) == ["Override", "Leave it"]
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Override"])
    await scene.until(lambda: "queued" in reply.text)
    assert "overriding the freeze" in reply.text
    (one,) = (one for one in scene.api.asked if one["action"] == "deploy")
    assert (one["operation"], one["override"]) == (words.split(maxsplit=1)[0], "freeze")


@pytest.mark.parametrize("operation", ["rollback", "resume"])
async def test_a_successor_finishes_its_reply(scene: DiscordScene, operation: str) -> None:
    if operation == "resume":
        _, question = await pressed(scene, await stopped_here(scene))
    else:
        scene.api.runs = [roll(1, Moved("claw-2", OLDEST))]
        await scene.start()
        question = await asked(scene, "rollback claw-2")
    yes = question.buttons[wording.yes(operation)]
    await scene.discord.press(scene.app, scene.operator, question, yes)
    await scene.until(lambda: "queued" in question.text)
    called = len(calls(scene))
    await scene.stop()
    scene.api.done(2, *roll(2, Moved("claw-2")).jobs)
    await scene.start()

    await scene.until(lambda: len(calls(scene)) > called)

    assert "done" in question.text
    what = wording.what(operation, "claw-2" if operation == "rollback" else "1")
    assert f"{what[0].lower()}{what[1:]}: done" in calls(scene)[-1]


@pytest.mark.parametrize(("hosts", "named", "more"), [(6, 6, ""), (7, 7, ""), (250, 15, "235")])
def test_as_many_hosts_are_named_as_fit_and_the_rest_counted(
    hosts: int, named: int, more: str
) -> None:
    drawn = embed(longest(hosts, f"discord:{2**64 - 1}"), NOW)

    text = drawn.description or ""
    assert len(drawn) <= limits.EMBED_TOGETHER
    assert text.count("c" * 28) == named
    assert (f"and {more} more" in text) == bool(more)
    assert text.splitlines()[-1].startswith(f"Only <@{2**64 - 1}> can answer")
    assert ("→" in text) == (hosts <= 6)
