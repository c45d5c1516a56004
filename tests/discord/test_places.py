"""Where a reply goes on whose message, thread or channel is closed in the middle of a deploy."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox.discord_api.channel import Channel
from sandbox.discord_api.guild import Message
from tests.clawbot.control_api import job, run
from tests.discord.dialogue import MOVES, deploying
from tests.discord.scene import DiscordScene

RUNNING = job(MOVES, None, "in_progress")
SEND_MESSAGES, VIEW_CHANNEL = 1 << 11, 1 << 10


async def in_thread(scene: DiscordScene) -> tuple[Channel, Message]:
    """An operator's deploy in a thread, once its run is known."""
    thread = scene.discord.channel("about claw-2", scene.discord.fleet)
    await scene.start()
    asked = await scene.discord.command(
        scene.app, scene.operator, "deploy", thread, target="claw-2"
    )
    reply = await scene.replied(asked)
    await scene.until(lambda: "queued" in reply.text)
    return thread, reply


def said(scene: DiscordScene, channel: Channel, words: str) -> list[Message]:
    return [one for one in scene.discord.guild.in_channel(channel.id) if words in one.text]


async def ended_in(scene: DiscordScene, channel: Channel) -> Message:
    """The message that tells the deploy's end there, once its asker was called there too."""
    scene.api.done(1, job(MOVES))
    call = f"<@{scene.operator.id}> deploy claw-2: done"
    await scene.until(lambda: said(scene, channel, call))
    (told,) = said(scene, channel, "**done")
    return told


async def test_in_a_thread_that_was_archived_it_goes_on_and_opens_it_again(
    scene: DiscordScene,
) -> None:
    thread, reply = await in_thread(scene)
    await scene.discord.archive(thread)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: said(scene, thread, "replacing"))
    assert not thread.archived
    told = await ended_in(scene, thread)
    assert "queued" in reply.text
    assert told.reference == reply.id
    assert len(scene.discord.guild.in_channel(thread.id)) == 3
    assert scene.channel() == []


async def locked(scene: DiscordScene, thread: Channel) -> None:
    await scene.discord.archive(thread, locked=True)


async def deleted(scene: DiscordScene, thread: Channel) -> None:
    await scene.discord.delete(thread)


@pytest.mark.parametrize("close", [locked, deleted])
async def test_where_a_thread_is_closed_for_good_its_channel_has_the_rest(
    scene: DiscordScene, close: Callable[[DiscordScene, Channel], Awaitable[None]]
) -> None:
    thread, _ = await in_thread(scene)
    await close(scene, thread)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: said(scene, scene.discord.fleet, "replacing"))
    await ended_in(scene, scene.discord.fleet)
    new, call = scene.channel()
    assert call.reference == new.id
    assert new.reference is None
    assert scene.api.runs[0].status == "completed"


def another_before_it(scene: DiscordScene) -> None:
    """So that it still waits, and there is something to tell."""
    scene.api.runs.append(run(0, "queued"))


async def test_a_button_in_the_place_it_went_on_in_is_ours(scene: DiscordScene) -> None:
    thread, _ = await in_thread(scene)
    await locked(scene, thread)
    another_before_it(scene)
    await scene.until(lambda: scene.channel() and scene.channel()[0].buttons)
    new = scene.channel()[0]
    pressed = await scene.discord.press(scene.app, scene.operator, new, new.buttons["Cancel"])
    await scene.until(lambda: pressed.whispers)
    assert "is being cancelled" in pressed.whispers[0].text


REFUSED = [(404, 10003), (404, 10008), (403, 50001), (403, 50013), (400, 50083), (429, 30046)]


@pytest.mark.parametrize(("status", "code"), [*REFUSED, (400, 30099), (403, 77777)])
async def test_whatever_discord_refuses_an_edit_for_a_new_message_has_the_rest(
    scene: DiscordScene, status: int, code: int
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    refused = {"message": "no", "code": code}
    for way in ("/webhooks/", f"/channels/.*/messages/{reply.id}"):
        scene.discord.refuse_next("PATCH", way, status, refused)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: len(scene.channel()) == 2)
    assert scene.channel()[1].reference == reply.id
    await ended_in(scene, scene.discord.fleet)
    assert scene.discord.injected == []


async def alone(scene: DiscordScene) -> Channel:
    return scene.discord.private(scene.operator.id)


@pytest.mark.parametrize("goes", ["channel", "right"])
async def test_where_the_channel_is_closed_to_us_the_asker_alone_has_the_rest(
    scene: DiscordScene, goes: str
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.clock.turn(900)  # the interaction's token is dead by then
    if goes == "channel":
        await scene.discord.delete(scene.discord.fleet)
    else:
        await scene.discord.deny(scene.discord.fleet, SEND_MESSAGES | VIEW_CHANNEL)
    told = await ended_in(scene, await alone(scene))
    assert told.buttons == {}
    assert "queued" in reply.text


async def test_nothing_is_asked_below_a_message_in_private(scene: DiscordScene) -> None:
    """We hear no presses outside the guild."""
    await scene.start()
    await deploying(scene)
    await scene.discord.delete(scene.discord.fleet)
    another_before_it(scene)
    await scene.until(lambda: said(scene, scene.discord.private(scene.operator.id), "queued"))
    (told,) = said(scene, await alone(scene), "queued")
    assert told.buttons == {}


async def test_only_the_call_goes_elsewhere_where_only_that_is_refused(
    scene: DiscordScene,
) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    await scene.discord.deny(scene.discord.fleet, SEND_MESSAGES)
    scene.api.done(1, job(MOVES))
    there = await alone(scene)
    await scene.until(lambda: said(scene, there, "deploy claw-2: done"))
    assert "done" in reply.text
    assert len(scene.discord.guild.in_channel(there.id)) == 1


async def test_where_nothing_is_open_the_run_is_followed_and_its_end_told_once_it_is(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    await deploying(scene)
    await scene.clock.turn(900)
    await scene.discord.deny(scene.discord.fleet, SEND_MESSAGES | VIEW_CHANNEL)
    scene.discord.reclusive.add(scene.operator.id)
    scene.api.running(1, RUNNING)
    await scene.until(lambda: "I am not let write" in caplog.text)
    scene.api.done(1, job(MOVES))
    await scene.clock.turn(3 * 3600)
    assert caplog.text.count("I am not let write") == 1
    assert "Traceback" not in caplog.text
    await scene.discord.deny(scene.discord.fleet, 0)
    await scene.until(lambda: said(scene, scene.discord.fleet, "deploy claw-2: done"), each=30.0)
    assert len(said(scene, scene.discord.fleet, "**done")) == 1


async def test_a_deploy_that_can_not_be_announced_where_it_was_asked_is_not_begun(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    await scene.discord.deny(scene.discord.fleet, SEND_MESSAGES)
    content = f"<@{scene.app.bot.id}> /fleet deploy claw-2"
    await scene.discord.say(scene.operator, content)
    await scene.until(lambda: "I am not let write where that was asked" in caplog.text)
    assert scene.api.count("deploy") == 0
    assert said(scene, await alone(scene), "") == []
    assert "Traceback" not in caplog.text
