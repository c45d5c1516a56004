"""What is said in the fleet's channel, by more than one application, whatever becomes of it."""

import pytest

from clawbot.living_reply import NoPlace
from clawbot.progress import Stage
from sandbox.discord_api.channel import SEND_MESSAGES, VIEW_CHANNEL, Channel
from tests.discord.dialogue import whispered
from tests.discord.fleet_channels import allowed, announced, passes, said_in, told_by
from tests.discord.scene import DiscordScene

NOBODY: dict[str, list[int]] = {"parse": [], "users": [], "roles": []}


async def test_an_announcement_is_one_message_whatever_becomes_of_its_deploy(
    scene: DiscordScene,
) -> None:
    async with told_by(scene) as channel:
        message = channel.message()
        for stage in (Stage.QUEUED, Stage.RUNNING, Stage.DONE):
            assert await passes(scene, message.show(announced(stage), None))
    (shown,) = scene.channel()
    assert message.id == shown.id
    assert "done after 2 min 5 s" in shown.text
    assert allowed(shown) == NOBODY


async def test_at_its_end_asker_and_those_to_be_called_are_called_by_one_message(
    scene: DiscordScene,
) -> None:
    asker, oncall = f"discord:{scene.owner.id}", f"discord:{scene.visitor.id}"
    calls = (f"discord:&{scene.role}", oncall, asker, "telegram:777", "discord:&", "discord:@a")
    async with told_by(scene) as channel:
        message = channel.message()
        end = announced(Stage.FAILED, asker=asker, calls=calls)
        await passes(scene, message.show(end, None))
        await passes(scene, message.call(end))
    shown, call = scene.channel()
    assert call.body["content"] == (
        f"<@{scene.owner.id}> <@{scene.visitor.id}> <@&{scene.role}> "
        "deploy claw-2: failed after 2 min 5 s"
    )
    assert allowed(call) == {
        "parse": [],
        "users": sorted([int(scene.owner.id), int(scene.visitor.id)]),
        "roles": [int(scene.role)],
    }
    assert not call.bodies[0]["allowed_mentions"].get("replied_user")
    assert call.reference == shown.id


@pytest.mark.parametrize("asker", ["", "telegram:777"])
async def test_where_nobody_is_to_be_called_nothing_is_said(
    scene: DiscordScene, asker: str
) -> None:
    end = announced(Stage.DONE, asker=asker, calls=("telegram:777",))
    async with told_by(scene) as channel:
        await channel.message().call(end)
    assert scene.channel() == []


async def test_who_comes_after_goes_on_in_the_same_message_and_leaves_one_that_ended(
    scene: DiscordScene,
) -> None:
    async with told_by(scene) as channel:
        first = channel.message()
        await passes(scene, first.show(announced(Stage.QUEUED), None))
    async with told_by(scene) as channel:
        second = channel.message(first.id)
        assert await passes(scene, second.show(announced(Stage.DONE), None))
    async with told_by(scene) as channel:
        assert not await passes(scene, channel.message(first.id).show(announced(Stage.DONE), None))
    (shown,) = scene.channel()
    assert "done" in shown.text


async def test_a_call_that_the_life_before_made_is_not_made_twice(scene: DiscordScene) -> None:
    end = announced(Stage.FAILED, calls=(f"discord:{scene.owner.id}",))
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(end, None))
        await passes(scene, message.call(end))
    async with told_by(scene) as channel:
        await passes(scene, channel.message(message.id).call(end))
    assert len(scene.channel()) == 2


async def test_it_answers_another_bot_s_dead_reply_and_calls_no_bot_for_that(
    scene: DiscordScene,
) -> None:
    other = scene.discord.application("otherbot")
    async with told_by(scene, other) as channel:
        dead = channel.message()
        await passes(scene, dead.show(announced(Stage.QUEUED), None))
    end = announced(Stage.DONE)
    async with told_by(scene) as channel:
        ours = channel.message(answers=dead.id)
        await passes(scene, ours.show(announced(Stage.RUNNING), None))
    async with told_by(scene) as channel:
        ours = channel.message(ours.id)
        await passes(scene, ours.show(end, None))
        await passes(scene, ours.call(end))
    died, goes_on = scene.channel()
    assert (died.author, goes_on.author) == (other.bot, scene.app.bot)
    assert goes_on.reference == dead.id


async def test_a_dead_reply_is_answered_once_with_where_it_goes_on(scene: DiscordScene) -> None:
    other, lobby = scene.discord.application("otherbot"), scene.discord.channel("lobby")
    async with told_by(scene, other, lobby) as channel:
        dead = channel.message()
        await passes(scene, dead.show(announced(Stage.QUEUED), None))
    async with told_by(scene) as channel:
        ours = channel.message()
        await passes(scene, ours.show(announced(Stage.QUEUED), None))
        assert await passes(scene, channel.point(lobby.id, dead.id, ours.id))
    async with told_by(scene) as channel:
        assert await passes(scene, channel.point(lobby.id, dead.id, ours.id))
    _, pointing = said_in(scene, lobby)
    guild, fleet = scene.discord.guild.id, scene.discord.fleet.id
    link = f"https://discord.com/channels/{guild}/{fleet}/{ours.id}"
    away = "The bot that was asked here is away."
    assert pointing.body["content"] == f"{away} Its deploy goes on in {link}."
    assert (pointing.reference, pointing.author) == (dead.id, scene.app.bot)
    assert allowed(pointing) == NOBODY
    assert not pointing.bodies[0]["allowed_mentions"].get("replied_user")


@pytest.mark.parametrize("closed", ["denied", "hidden", "locked", "deleted", "reply deleted"])
async def test_where_a_dead_reply_is_out_of_reach_nothing_is_said_and_nothing_breaks(
    scene: DiscordScene, closed: str, caplog: pytest.LogCaptureFixture
) -> None:
    lobby = scene.discord.channel("lobby", scene.discord.fleet if closed == "locked" else None)
    other = scene.discord.application("otherbot")
    async with told_by(scene, other, lobby) as channel:
        dead = channel.message()
        await passes(scene, dead.show(announced(Stage.QUEUED), None))
    await _close(scene, lobby, closed, dead.id)
    caplog.set_level("INFO")
    before = len(scene.discord.guild.messages)
    async with told_by(scene) as channel:
        assert await passes(scene, channel.point(lobby.id, dead.id, "77"))
    assert len(scene.discord.guild.messages) == before
    assert "discord.not_pointed" in caplog.text


async def _close(scene: DiscordScene, channel: Channel, how: str, reply: str) -> None:
    match how:
        case "denied":
            channel.denied = SEND_MESSAGES
        case "hidden":
            channel.denied = VIEW_CHANNEL
        case "locked":
            await scene.discord.archive(channel, locked=True)
        case "deleted":
            await scene.discord.delete(channel)
        case "reply deleted":
            del scene.discord.guild.messages[reply]


async def test_a_discord_that_is_away_is_waited_for_two_minutes_and_then_nothing_is_said(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    away = [scene.discord.drop_next("POST", "/messages") for _ in range(40)]
    began = scene.clock.now()
    async with told_by(scene) as channel:
        assert not await passes(scene, channel.point(scene.discord.fleet.id, "76", "77"))
    assert "discord.not_pointed" in caplog.text
    assert 60 < scene.clock.now() - began <= 121
    assert any(one in scene.discord.injected for one in away)


async def test_what_is_no_message_of_discord_s_is_not_answered(scene: DiscordScene) -> None:
    async with told_by(scene) as channel:
        assert await channel.point("-1001/5", "77", "78")
        assert await channel.point("77", "", "78")
    assert ("POST", "/api/v10/channels/77/messages") not in scene.discord.asked


@pytest.mark.parametrize("closed", ["denied", "hidden", "deleted"])
async def test_where_the_fleet_s_channel_is_closed_it_is_told_nowhere_else(
    scene: DiscordScene, closed: str
) -> None:
    asker = f"discord:{scene.owner.id}"
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED, asker=asker), None))
        await _close(scene, scene.discord.fleet, closed, message.id)
        before = len(scene.discord.guild.messages)
        end = announced(Stage.FAILED, asker=asker)
        if closed != "denied":  # what stands there may be edited by who may not send
            with pytest.raises(NoPlace):
                await passes(scene, message.show(end, None))
        with pytest.raises(NoPlace):
            await passes(scene, message.call(end))
    assert len(scene.discord.guild.messages) == before
    assert not any(path.endswith("/users/@me/channels") for _, path in scene.discord.asked)


async def test_an_announcement_that_somebody_deleted_is_said_anew(scene: DiscordScene) -> None:
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED), None))
        del scene.discord.guild.messages[message.id]
        await passes(scene, message.show(announced(Stage.RUNNING), None))
        await passes(scene, message.show(announced(Stage.DONE), None))
    (shown,) = scene.channel()
    assert "done" in shown.text
    assert message.id == shown.id


async def test_a_thread_that_was_closed_is_opened_by_what_goes_on_in_it(
    scene: DiscordScene,
) -> None:
    thread = scene.discord.channel("news", scene.discord.fleet)
    async with told_by(scene, where=thread) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED), None))
        await scene.discord.archive(thread)
        await passes(scene, message.show(announced(Stage.DONE), None))
    assert not thread.archived
    assert [("done" in one.text) for one in said_in(scene, thread)] == [False, True]
    assert scene.channel() == []


async def test_a_locked_thread_is_no_place_and_its_channel_is_not_told(
    scene: DiscordScene,
) -> None:
    thread = scene.discord.channel("news", scene.discord.fleet)
    await scene.discord.archive(thread, locked=True)
    async with told_by(scene, where=thread) as channel:
        end = announced(Stage.DONE, asker=f"discord:{scene.owner.id}")
        with pytest.raises(NoPlace):
            await passes(scene, channel.message().show(end, None))
    assert scene.discord.guild.messages == {}


async def test_rate_limits_and_a_lost_answer_make_no_second_message(scene: DiscordScene) -> None:
    busy = {"message": "You are being rate limited.", "retry_after": 0.05, "global": False}
    scene.discord.refuse_next("POST", "/messages", 429, busy, Via="1.1 sandbox")
    scene.discord.drop_next("POST", "/messages", taken=True)
    async with told_by(scene) as channel:
        await passes(scene, channel.message().show(announced(Stage.DONE), None))
    assert len(scene.channel()) == 1


async def test_the_button_of_an_announcement_works_when_it_is_pressed(scene: DiscordScene) -> None:
    other = scene.discord.application("otherbot")
    await scene.start()
    await scene.start("other", other)
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.until(lambda: asked.message and "queued" in asked.message.text)
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(announced(Stage.QUEUED), None))
    shown = scene.channel()[-1]
    assert list(shown.buttons) == ["Cancel"]
    press = await scene.discord.press(scene.app, scene.operator, shown, shown.buttons["Cancel"])
    assert "cancelled" in await whispered(scene, press)
    cancelled = [ask for ask in scene.api.asked if ask["action"] == "cancel"]
    assert [(ask["run_id"], ask["requested_by"]) for ask in cancelled] == [
        (1, f"discord:{scene.operator.id} operator")
    ]
