"""A bot that goes away in the middle, and the one that finishes what it began."""

import asyncio

import pytest

from tests.clawbot.control_api import job
from tests.clawbot.test_policy_in_chat import moment
from tests.discord.dialogue import MOVES, answer, deploying, pings, question, said, with_account
from tests.discord.scene import DiscordScene


async def test_the_successor_finishes_the_same_message(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.start()
    await scene.until(lambda: "replacing" in reply.text)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text
    assert len(pings(scene)) == 1


@pytest.mark.parametrize(
    ("sub", "options", "told"),
    [("deploy", {"target": "claw-2"}, "queued"), ("status", {}, "2 instances, 2 healthy")],
)
async def test_a_clean_stop_answers_what_was_heard(
    scene: DiscordScene, sub: str, options: dict[str, str], told: str
) -> None:
    await scene.start()
    await scene.clock.turn(120)  # what is known of the registry is old by then
    scene.api.released.clear()
    here = scene.discord.fleet
    asked = await scene.discord.command(scene.app, scene.operator, sub, here, **options)
    begun = len(scene.api.asked)
    await scene.discord.until(lambda: asked.message)
    stopping = asyncio.create_task(scene.stop())
    await scene.until(lambda: len(scene.api.asked) > begun)
    assert asked.message is not None
    assert asked.message.loading
    scene.api.released.set()
    await stopping
    assert told in asked.message.text


async def test_what_ended_meanwhile_is_told(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    await scene.start()
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text


async def test_an_instance_s_own_bot_that_asked_is_told_by_the_successor(
    scene: DiscordScene,
) -> None:
    agent = scene.discord.person("agent", bot=True)
    scene.api.registry = with_account(agent)
    await scene.start()
    reply = await answer(scene, await said(scene, agent, "/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply.text)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    await scene.start()
    await scene.until(lambda: pings(scene)[1:])
    assert f"<@{agent.id}> deploy claw-2: done" in pings(scene)[1].text


async def test_where_its_message_is_gone_nobody_is_told(scene: DiscordScene) -> None:
    agent = scene.discord.person("agent", bot=True)
    scene.api.registry = with_account(agent)
    await scene.start()
    asked = await said(scene, agent, "/fleet deploy claw-2")
    reply = await answer(scene, asked)
    await scene.until(lambda: "queued" in reply.text)
    await scene.stop()
    del scene.discord.guild.messages[asked.id]
    scene.api.done(1, job(MOVES))
    await scene.start()
    await scene.until(lambda: "done" in reply.text)
    await scene.clock.turn(60)
    assert pings(scene) == []


async def test_what_was_told_already_is_left_alone(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    shown = len(reply.bodies)
    await scene.stop()
    looked = ("GET", f"/api/v10/channels/{reply.channel}/messages/{reply.id}")
    await scene.start()
    await scene.until(lambda: looked in scene.discord.asked)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(asked)
    await scene.clock.turn(60)
    assert len(reply.bodies) == shown
    assert len(pings(scene)) == 1


async def test_what_was_told_in_other_words_is_left_alone(scene: DiscordScene) -> None:
    """An older version may have told it, and words change."""
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    embed = reply.body["embeds"][0]
    embed["description"] = embed["description"].replace("replaced, healthy", "replaced and well")
    shown = len(reply.bodies)
    await scene.stop()
    await scene.clock.turn(20 * 3600)
    looked = ("GET", f"/api/v10/channels/{reply.channel}/messages/{reply.id}")
    await scene.start()
    await scene.until(lambda: looked in scene.discord.asked)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    help_ = await scene.replied(asked)
    await scene.clock.turn(60)
    assert scene.channel() == [reply, *pings(scene), help_]
    assert len(reply.bodies) == shown
    assert len(pings(scene)) == 1


async def test_what_ended_otherwise_than_was_told_is_told_anew(scene: DiscordScene) -> None:
    """As when somebody had a failed run tried again."""
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.change(1, status="completed", conclusion="failure")
    await scene.until(lambda: pings(scene))
    assert "failed" in reply.text
    await scene.stop()
    scene.api.done(1, job(MOVES))
    scene.api.change(1, updated="2026-11-24T10:09:00Z")
    await scene.start()
    await scene.until(lambda: len(pings(scene)) == 2)
    assert "done" in reply.text


async def test_after_an_hour_the_message_that_followed_is_finished(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.clock.turn(3600)
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: len(scene.channel()) == 2)
    new = scene.channel()[1]
    await scene.stop()
    await scene.start()
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert "done" in new.text
    assert "done" not in reply.text
    assert len(scene.channel()) == 3


@pytest.mark.parametrize(("ended_ago", "anew"), [(600.0, True), (1200.0, False)])
async def test_of_what_ended_before_it_began_a_bot_says_the_latest_only_anew(
    scene: DiscordScene, ended_ago: float, anew: bool
) -> None:
    """A reply that somebody deleted once it was read does not come back at each start."""
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    del scene.discord.guild.messages[reply.id]
    begun, over = scene.clock.now(), scene.clock.now() + 60
    scene.api.change(1, created=moment(begun), started=moment(begun), updated=moment(over))
    scene.api.done(1)
    await scene.clock.turn(60 + ended_ago)
    looked = ("GET", f"/api/v10/channels/{reply.channel}/messages/{reply.id}")
    await scene.start()
    await scene.until(lambda: looked in scene.discord.asked)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    help_ = await scene.replied(asked)
    await scene.clock.turn(60)
    if anew:
        await scene.until(lambda: pings(scene))
    assert any("**done" in one.text for one in scene.channel()) == anew
    assert len([one for one in scene.channel() if one is not help_]) == 2 * anew


@pytest.mark.parametrize("ends", ["between", "after"])
@pytest.mark.parametrize("gone", ["thread", "channel"])
async def test_what_went_on_elsewhere_is_finished_there_and_told_once(
    scene: DiscordScene, ends: str, gone: str
) -> None:
    where = scene.discord.channel("about claw-2", scene.discord.fleet)
    await scene.start(CLAWBOT_DISCORD_CHANNELS="")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", where, target="claw-2")
    await scene.until(lambda: asked.message and "queued" in asked.message.text)
    await scene.discord.archive(where, locked=True)
    if gone == "channel":
        scene.discord.fleet.denied = 1 << 11
    there = scene.discord.private(scene.operator.id) if gone == "channel" else scene.discord.fleet
    scene.api.running(1, job(MOVES, None, "in_progress"))
    shown = scene.discord.guild.in_channel
    await scene.until(lambda: shown(there.id))
    (new,) = shown(there.id)
    if ends == "after":
        await scene.stop()
    scene.api.done(1, job(MOVES))
    if ends == "between":
        await scene.until(lambda: len(shown(there.id)) == 2)
        await scene.stop()
    await scene.start(CLAWBOT_DISCORD_CHANNELS="")
    await scene.until(lambda: len(shown(there.id)) == 2)
    await scene.clock.turn(300)
    assert shown(there.id)[0] is new
    assert "**done" in new.text
    assert "<@" in shown(there.id)[1].text
    assert len(shown(there.id)) == 2


async def test_another_instances_bot_leaves_it_alone(scene: DiscordScene) -> None:
    other = scene.discord.application("otherbot")
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    looked, followed = scene.api.count("runs"), scene.api.count("run")
    await scene.start("other", other)
    await scene.until(lambda: scene.api.count("runs") > looked)
    asked = await scene.discord.command(other, scene.visitor, "help")
    await scene.replied(asked)
    await scene.clock.turn(60)
    assert scene.api.count("run") == followed
    assert "queued" in reply.text
    assert not any(reply.id in path for method, path in scene.discord.asked if method == "GET")


async def test_the_host_that_carries_the_bot_is_announced_and_finished(scene: DiscordScene) -> None:
    await scene.start(CLAWBOT_INSTANCE="claw-2")
    _, reply = await question(scene, "claw-2")
    assert "This replaces the host I run on (claw-2)" in reply.text
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: "queued" in reply.text)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    await scene.start(CLAWBOT_INSTANCE="claw-2")
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text


async def test_a_control_api_that_is_down_at_the_start_is_asked_again(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.stop()
    scene.api.done(1, job(MOVES))
    scene.api.next.append((500, {"ok": False, "code": "misconfigured", "error": "Not yet."}))
    await scene.start()
    await scene.until(lambda: pings(scene))
    assert "done" in reply.text


async def test_of_two_programs_on_one_token_only_one_acts(scene: DiscordScene) -> None:
    """Both hear the command; the one whose answer comes second leaves it to the other."""
    await scene.start()
    await scene.start("other")
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.discord.until(lambda: asked.answers == 2)
    await scene.until(lambda: asked.message and "queued" in asked.message.text)
    assert scene.api.count("deploy") == 1
    assert len(scene.channel()) == 1


@pytest.mark.parametrize(("others", "found"), [(50, True), (150, False)])
async def test_the_message_that_followed_is_looked_for_among_the_next_hundred(
    scene: DiscordScene, others: int, found: bool
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    for number in range(others):
        await scene.discord.say(scene.visitor, f"{number}")
    await scene.clock.turn(3600)
    scene.api.running(1, job(MOVES, None, "in_progress"))
    await scene.until(lambda: len(scene.channel()) == others + 2)
    new = scene.channel()[-1]
    await scene.stop()
    await scene.start()
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: pings(scene))
    assert new.reference == reply.id
    assert ("done" in new.text) == found
