"""Buttons: their meaning is in their ids, and their ids can't be made by anybody else."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.clawbot.bots import registry
from tests.clawbot.control_api import job, run
from tests.discord.dialogue import MOVES, deploying, question, whispered
from tests.discord.ec2 import Claw
from tests.discord.scene import DiscordScene


async def test_all_asks_first_and_names_what_it_would_do(scene: DiscordScene) -> None:
    scene.hosts(Claw("claw-1"), Claw("claw-9"))
    await scene.start()
    _, reply = await question(scene)
    assert "This replaces every host of the fleet" in reply.text
    assert "Replaces: 1\nclaw-1" in reply.text
    assert "Creates: 1\nclaw-2" in reply.text
    assert "Removes if made by a deploy: 1\nclaw-9" in reply.text
    assert scene.api.count("deploy") == 0


async def test_a_yes_is_the_question_s_own_deploy(scene: DiscordScene) -> None:
    await scene.start()
    asked, reply = await question(scene)
    pressed = await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    assert pressed.answer == 6
    (run,) = scene.api.runs
    assert run.request_id.endswith(f".{asked.id}")
    assert run.reply == reply.id
    assert run.target == "all"


async def test_a_no_deploys_nothing(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Leave it"])
    await scene.until(lambda: "Nothing was deployed" in reply.text)
    assert reply.buttons == {}
    assert scene.api.count("deploy") == 0


async def test_only_the_asker_may_answer(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    for label in ("Deploy", "Leave it"):
        pressed = await scene.discord.press(scene.app, scene.owner, reply, reply.buttons[label])
        assert "Only the one who asked" in await whispered(scene, pressed)
    assert list(reply.buttons) == ["Deploy", "Leave it"]
    assert scene.api.count("deploy") == 0


async def test_pressed_twice_it_is_one_deploy(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    id_ = reply.buttons["Deploy"]
    await scene.discord.press(scene.app, scene.operator, reply, id_)
    again = await scene.discord.press(scene.app, scene.operator, reply, id_)
    assert "answered already, with a yes" in await whispered(scene, again)
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.count("deploy") == 1


async def test_a_no_while_the_yes_is_still_judged_comes_too_late(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    yes, no = reply.buttons["Deploy"], reply.buttons["Leave it"]
    await scene.clock.turn(70)  # what is known of the registry is old by then
    scene.api.released.clear()
    known = scene.api.count("registry")
    await scene.discord.press(scene.app, scene.operator, reply, yes)
    await scene.until(lambda: scene.api.count("registry") > known)
    pressed = await scene.discord.press(scene.app, scene.operator, reply, no)
    assert "answered already, with a yes" in await whispered(scene, pressed)
    scene.api.released.set()
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.count("deploy") == 1


async def test_a_yes_right_after_a_no_comes_too_late(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    yes, no = reply.buttons["Deploy"], reply.buttons["Leave it"]
    await scene.discord.press(scene.app, scene.operator, reply, no)
    pressed = await scene.discord.press(scene.app, scene.operator, reply, yes)
    assert "answered already, with a no" in await whispered(scene, pressed)
    await scene.until(lambda: "Nothing was deployed" in reply.text)
    assert scene.api.count("deploy") == 0


async def test_an_old_yes_does_not_deploy(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    id_ = reply.buttons["Deploy"]
    await scene.clock.turn(121)
    await scene.discord.press(scene.app, scene.operator, reply, id_)
    await scene.until(lambda: "That question is over" in reply.text)
    assert scene.api.count("deploy") == 0


async def test_an_altered_yes_does_not_deploy(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene, "all")
    altered = reply.buttons["Deploy"].replace(":all,", ":claw-2,")
    reply.body["components"][0]["components"][0]["custom_id"] = altered
    pressed = await scene.discord.press(scene.app, scene.operator, reply, altered)
    assert "not one I made" in await whispered(scene, pressed)
    assert scene.api.count("deploy") == 0


async def test_a_yes_copied_to_another_channel_does_not_deploy(scene: DiscordScene) -> None:
    lobby = scene.discord.channel("lobby")
    await scene.start(CLAWBOT_DISCORD_CHANNELS="")
    _, reply = await question(scene)
    copied = await scene.discord.say(scene.app.bot, "Free cats!", lobby)
    copied.body = {**copied.body, "components": reply.body["components"]}
    pressed = await scene.discord.press(scene.app, scene.operator, copied, reply.buttons["Deploy"])
    assert "not one I made" in await whispered(scene, pressed)
    assert scene.api.count("deploy") == 0


async def test_a_yes_copied_below_another_message_does_not_deploy(scene: DiscordScene) -> None:
    """As a program can that logs in with the same token."""
    await scene.start()
    _, reply = await question(scene)
    copied = await scene.discord.say(scene.app.bot, "Free cats!")
    copied.body = {**copied.body, "components": reply.body["components"]}
    pressed = await scene.discord.press(scene.app, scene.operator, copied, reply.buttons["Deploy"])
    assert "not one I made" in await whispered(scene, pressed)
    assert scene.api.count("deploy") == 0


Body = dict[str, Any]
Change = Callable[[Body], None]


def _labelled(first: str, second: str) -> Change:
    def change(body: Body) -> None:
        buttons = body["components"][0]["components"]
        buttons[0]["label"], buttons[1]["label"] = first, second

    return change


def _titled(title: str) -> Change:
    return lambda body: body["embeds"][0].update(title=title)


def _told(old: str, new: str) -> Change:
    def change(body: Body) -> None:
        (told,) = body["embeds"]
        assert old in told["description"]
        told["description"] = told["description"].replace(old, new)

    return change


def _listed(name: str, value: str) -> Change:
    return lambda body: body["embeds"][0].update(fields=[{"name": name, "value": value}])


def _beside(body: Body) -> None:
    link = {"type": 2, "style": 5, "label": "Stop it", "url": "https://example.org"}
    body["components"][0]["components"].append(link)


def _pictured(body: Body) -> None:
    body["components"][0]["components"][0]["emoji"] = {"id": None, "name": "🛑"}


CHANGES = [
    (_labelled("Leave it", "Deploy"), 0),
    (_labelled("Leave it", "Deploy"), 1),
    (_labelled("Refresh", "Leave it"), 0),
    (_labelled("Deploy", "Never"), 0),
    (_pictured, 0),
    (_beside, 0),
    (_titled("Deploy claw-2?"), 0),
    (_told("This replaces", "This replaces nothing of"), 0),
    (_told("With the newest image", "With ami-0bbbbbbbbbbbbbbbb"), 0),
    (_listed("Replaces: 1", "claw-2"), 0),
    (lambda body: body.update(content="Free cats!"), 0),
    (lambda body: body["embeds"].append({"title": "Press Deploy to leave all as it is"}), 0),
    (lambda body: body["embeds"][0].update(author={"name": "Cats"}), 0),
    (lambda body: body["embeds"][0].update(footer={"text": "Cats"}), 0),
    (lambda body: body["embeds"][0].update(image={"url": "https://example.org/cats"}), 0),
    (lambda body: body.update(embeds=[]), 0),
]


@pytest.mark.parametrize(("change", "pressed"), CHANGES)
async def test_a_question_that_was_changed_is_not_answered(
    scene: DiscordScene, change: Change, pressed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """By a program that logs in with the same token: whatever a button says or stands below."""
    await scene.start()
    _, reply = await question(scene)
    reply.body = copy.deepcopy(reply.body)
    change(reply.body)
    id_ = reply.body["components"][0]["components"][pressed]["custom_id"]
    press = await scene.discord.press(scene.app, scene.operator, reply, id_)
    assert "not one I made here, so I did nothing" in await whispered(scene, press)
    assert f"discord.foreign_button by={scene.operator.id}" in caplog.text
    assert scene.api.count("deploy") == 0


async def test_what_discord_may_tidy_of_a_question_changes_nothing(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    reply.body = copy.deepcopy(reply.body)
    (told,) = reply.body["embeds"]
    told["description"] = f" {told['description']}\u200b\n".replace("\n", " \n")
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["components"][0]["components"][0].update(label="Keep it"),
        _titled("Deploy claw-1"),
        _told("queued", "queued; press Cancel to be called when it is over"),
    ],
)
async def test_a_cancel_that_was_changed_cancels_nothing(
    scene: DiscordScene, change: Change
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    reply.body = copy.deepcopy(reply.body)
    change(reply.body)
    (id_,) = reply.buttons.values()
    pressed = await scene.discord.press(scene.app, scene.operator, reply, id_)
    assert "not one I made here" in await whispered(scene, pressed)
    assert scene.api.count("cancel") == 0


async def test_a_status_is_turned_by_what_its_button_says_whatever_it_shows(
    scene: DiscordScene,
) -> None:
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    reply = await scene.replied(asked)
    reply.body = copy.deepcopy(reply.body)
    _titled("All is lost")(reply.body)
    (id_,) = reply.buttons.values()
    await scene.discord.press(scene.app, scene.visitor, reply, id_)
    await scene.until(lambda: "2 healthy" in reply.text)
    reply.body = copy.deepcopy(reply.body)
    reply.body["components"][0]["components"][0]["label"] = "Mend it"
    pressed = await scene.discord.press(scene.app, scene.visitor, reply, id_)
    assert "not one I made here" in await whispered(scene, pressed)


async def test_a_question_asked_by_a_mention_has_its_buttons(scene: DiscordScene) -> None:
    await scene.start()
    content = f"<@{scene.app.bot.id}> /fleet deploy all"
    asked = await scene.discord.say(scene.operator, content)
    await scene.until(lambda: any(one.buttons for one in scene.channel()))
    reply = scene.channel()[-1]
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.runs[0].request_id.endswith(f".{asked.id}")


async def test_a_yes_of_another_bot_s_key_does_not_deploy(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    await scene.stop()
    await scene.start(CLAWBOT_AWS_SECRET_ACCESS_KEY="another")
    pressed = await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    assert "not one I made" in await whispered(scene, pressed)


async def test_an_operator_no_more_may_not_confirm(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    scene.operator.roles.clear()
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "Only operators may deploy" in reply.text)
    assert scene.api.count("deploy") == 0


async def test_a_yes_outlives_the_bot_that_asked(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    await scene.stop()
    await scene.start()
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    assert scene.api.count("deploy") == 1


async def test_any_operator_cancels_what_has_not_started(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    pressed = await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Cancel"])
    assert "run 1 is being cancelled" in await whispered(scene, pressed)
    await scene.until(lambda: "cancelled" in reply.text)
    assert reply.buttons == {}
    cancel = next(ask for ask in scene.api.asked if ask["action"] == "cancel")
    assert cancel["requested_by"] == f"discord:{scene.owner.id} owner"


async def test_a_visitor_may_not_cancel(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    pressed = await scene.discord.press(scene.app, scene.visitor, reply, reply.buttons["Cancel"])
    assert "Only operators may cancel" in await whispered(scene, pressed)
    assert scene.api.count("cancel") == 0


async def test_cancelled_too_late_it_says_so(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    id_ = reply.buttons["Cancel"]
    body = {"ok": False, "code": "already_running", "error": "Its first job has started."}
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: "replacing" in reply.text)
    scene.api.refused["cancel"] = 409, body
    # The reply as somebody's client showed it a moment ago.
    reply.body = next(one for one in reversed(reply.bodies) if one.get("components"))
    pressed = await scene.discord.press(scene.app, scene.operator, reply, id_)
    assert "Its first job has started." in await whispered(scene, pressed)


async def test_status_is_refreshed_and_turned_in_place(scene: DiscordScene) -> None:
    ids = [f"claw-{n}" for n in range(1, 31)]
    scene.api.registry = registry(*ids)
    scene.hosts(*map(Claw, ids))
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    reply = await scene.replied(asked)
    assert list(reply.buttons) == ["Refresh", "Next ▶"]
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Next ▶"])
    await scene.until(lambda: "page 2 of 3" in reply.text)
    assert "claw-13" in reply.text
    scene.hosts(Claw(ids[0], state="terminated"), *map(Claw, ids[1:]))
    await scene.clock.turn(3)
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["◀ Back"])
    await scene.until(lambda: "1 missing" in reply.text)
    shown = len(reply.bodies)
    await scene.clock.turn(3)
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Refresh"])
    await scene.until(lambda: len(reply.bodies) > shown)
    assert "1 missing" in reply.text


async def test_a_day_later_status_is_still_refreshed_in_place(scene: DiscordScene) -> None:
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "status")
    reply = await scene.replied(asked)
    await scene.clock.turn(86_400)
    scene.hosts(Claw("claw-1"), Claw("claw-2", state="terminated"))
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Refresh"])
    await scene.until(lambda: "1 missing" in reply.text)
    assert len(scene.channel()) == 1


async def test_a_history_is_turned_in_place_and_of_its_target(scene: DiscordScene) -> None:
    scene.api.runs = [
        run(n, "completed", "success", target=target, request_id="")
        for n, target in enumerate(["claw-1", "claw-2"] * 9, 1)
    ]
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "history", target="claw-1")
    reply = await scene.replied(asked)
    assert list(reply.buttons) == ["Refresh", "Next ▶"]
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Next ▶"])
    await scene.until(lambda: "page 2 of 2, newest first" in reply.text)
    assert ("run 1]" in reply.text, "claw-2" in reply.text) == (True, False)
    assert list(reply.buttons) == ["◀ Back", "Refresh"]
    await scene.clock.turn(5)
    await scene.discord.press(scene.app, scene.visitor, reply, reply.buttons["◀ Back"])
    await scene.until(lambda: "page 1 of 2" in reply.text)
    assert scene.discord.problems == []
