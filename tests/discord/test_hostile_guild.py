"""One bad evening of a fleet's guild, as its operator sees it."""

import pytest

from sandbox.discord_api.channel import SEND_MESSAGES, VIEW_CHANNEL, Channel
from sandbox.discord_api.guild import EVERYONE, Member, Message
from tests.clawbot.control_api import job
from tests.discord.dialogue import MOVES, answer, deploying, said
from tests.discord.scene import DiscordScene

RUNNING = job(MOVES, None, "in_progress")


@pytest.fixture
def strangers(scene: DiscordScene) -> list[Member]:
    return [scene.discord.person(f"stranger-{number}") for number in range(45)]


async def test_a_deploy_among_strangers_is_told_to_its_end_whatever_is_taken_from_the_bot(
    scene: DiscordScene, strangers: list[Member], caplog: pytest.LogCaptureFixture
) -> None:
    scene.discord.sparse = True
    await scene.start()
    await scene.until(lambda: scene.told == ["READY=1"])
    _, reply = await deploying(scene)
    await _everybody_wants_it_too(scene, strangers, reply)
    await _the_other_guild_asks(scene, strangers[0])

    await scene.clock.turn(900)  # nothing more can be said by the token of the operator's command
    await _the_channel_is_hidden_for_a_while(scene)
    await _the_bot_is_put_out_and_comes_back_without_rights(scene)
    scene.api.done(1, job(MOVES))
    await scene.until(lambda: _private(scene, f"<@{scene.operator.id}> deploy claw-2: done"))

    again = await answer(scene, await said(scene, scene.operator, "/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in again.text)
    assert scene.api.count("deploy") == 2
    assert scene.discord.identified == 1
    assert "Traceback" not in caplog.text


async def _everybody_wants_it_too(
    scene: DiscordScene, strangers: list[Member], reply: Message
) -> None:
    """By a command, the operator's own button, and a mention; the operator need not wait."""
    commands = [
        await scene.discord.command(scene.app, one, "deploy", target="all") for one in strangers
    ]
    presses = [
        await scene.discord.press(scene.app, one, reply, reply.buttons["Cancel"])
        for one in strangers
    ]
    # No time passes: whatever is not acknowledged within three seconds, Discord takes no more.
    await scene.until(lambda: all(one.message for one in commands), each=0.0)
    await scene.until(lambda: all(one.whispers for one in presses), each=0.0)
    mentions = [await said(scene, one, "/fleet deploy all") for one in strangers]
    status = await answer(scene, await said(scene, scene.operator, "/fleet status"))
    assert "2 instances" in status.text
    told = [(await scene.replied(one)).text for one in commands]
    told += [one.whispers[0].text for one in presses]
    told += [(await answer(scene, one)).text for one in mentions]
    assert [one for one in told if "operators" not in one] == []


async def _the_other_guild_asks(scene: DiscordScene, stranger: Member) -> None:
    lobby = scene.discord.lobby
    words = await scene.discord.say(stranger, f"<@{scene.app.bot.id}> /fleet status", lobby)
    command = await scene.discord.command(scene.app, stranger, "status", lobby)
    await scene.until(lambda: command.whispers, each=0.0)
    assert command.whispers[0].text == "I serve another guild."
    assert [one for one in _in(scene, lobby, "") if one.reference == words.id] == []


async def _the_channel_is_hidden_for_a_while(scene: DiscordScene) -> None:
    await scene.discord.deny(scene.discord.fleet, SEND_MESSAGES | VIEW_CHANNEL)
    await scene.until(lambda: "In #fleet I may not view the channel" in scene.told[-1])
    scene.api.running(1, RUNNING)
    await scene.until(lambda: _private(scene, "replacing"))
    await scene.discord.deny(scene.discord.fleet, 0)
    await scene.until(lambda: scene.told[-1] == "STATUS=")


async def _the_bot_is_put_out_and_comes_back_without_rights(scene: DiscordScene) -> None:
    await scene.discord.put_out(scene.app)
    await scene.until(lambda: "I am not in the guild" in scene.told[-1])
    await scene.discord.allow_everyone(0)
    await scene.discord.invite(scene.app)
    await scene.until(lambda: "In #fleet I may not view the channel" in scene.told[-1])
    await scene.discord.allow_everyone(EVERYONE)
    await scene.until(lambda: scene.told[-1] == "STATUS=")


def _in(scene: DiscordScene, channel: Channel, words: str) -> list[Message]:
    guild = scene.discord.guild_of(channel.id)
    return [one for one in guild.in_channel(channel.id) if words in one.text] if guild else []


def _private(scene: DiscordScene, words: str) -> list[Message]:
    """What the bot says to its operator alone."""
    return _in(scene, scene.discord.private(scene.operator.id), words)
