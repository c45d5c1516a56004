"""The channel that is named for the fleet is one of the guild in which the bot may do all it needs,
or the bot says what would be right, and does not serve."""

import asyncio
from collections.abc import Awaitable, Callable

import discord
import pytest
from discord.ext import commands

from clawbot.bot import assemble
from clawbot.discord.front import FleetCog
from clawbot.front import BadSettings
from clawbot.settings import load
from fleet_control.preflight import Check, Outcome, Point, hidden, ok, wrong
from sandbox.discord_api.channel import FORUM, SEND_MESSAGES, VIEW_CHANNEL, Channel
from tests.clawbot.asked_preflight import found
from tests.discord.scene import DiscordScene
from tests.discord.test_rights import served

NAMED = "CLAWBOT_DISCORD_FLEET_CHANNEL"
CALLS = "CLAWBOT_DISCORD_FLEET_CALLS"
EVERYWHERE = {"CLAWBOT_DISCORD_CHANNELS": ""}
EMBED_LINKS = 1 << 14


async def refusal(scene: DiscordScene, channel: str, **environ: str) -> str:
    task = scene.run("demo", scene.app, **{NAMED: channel, **environ})
    await scene.until(task.done)
    error = task.exception()
    assert isinstance(error, BadSettings)
    # Nobody logged in, and nobody was offered a command.
    assert (scene.discord.identified, scene.app.commands) == (0, {})
    return str(error)


def right(scene: DiscordScene) -> str:
    guild = scene.discord.guild.id
    return f"set {NAMED} to a text channel of the guild {guild}, or to a thread in one."


async def test_a_channel_of_another_guild_is_refused_at_the_start(scene: DiscordScene) -> None:
    lobby = scene.discord.lobby.id
    assert await refusal(scene, lobby, **EVERYWHERE) == (
        f"The channel {lobby} is none of the guild that I serve: {right(scene)}"
    )


async def test_a_private_chat_is_refused_at_the_start(scene: DiscordScene) -> None:
    private = scene.discord.private(scene.owner.id).id
    told = await refusal(scene, private, **EVERYWHERE)
    assert told.startswith(f"The channel {private} is none of the guild that I serve: ")


async def test_a_channel_that_does_not_exist_is_refused_at_the_start(scene: DiscordScene) -> None:
    assert await refusal(scene, "98", **EVERYWHERE) == (
        f"There is no channel 98 that I could speak in: {right(scene)}"
    )


async def test_a_channel_of_another_kind_is_refused_at_the_start(scene: DiscordScene) -> None:
    forum = scene.discord.channel("ideas")
    forum.kind = FORUM
    told = await refusal(scene, forum.id, **EVERYWHERE)
    assert told == f"#ideas is a forum channel: {right(scene)}"


async def test_a_channel_in_which_no_button_would_be_heard_is_refused_at_the_start(
    scene: DiscordScene,
) -> None:
    news = scene.discord.channel("news")
    for one in (news, scene.discord.channel("about", news)):
        assert await refusal(scene, one.id) == (
            f"In #{one.name}, the fleet's channel, I would not hear who presses my buttons: add it "
            f"to CLAWBOT_DISCORD_CHANNELS, or set {NAMED} to one of those or to a thread in one."
        )


@pytest.mark.parametrize("where", ["listed", "thread", "closed thread", "anywhere"])
async def test_a_channel_of_the_guild_where_it_answers_is_served(
    scene: DiscordScene, where: str
) -> None:
    channel, fleet = scene.discord.channel("news"), scene.discord.fleet
    if "thread" in where:
        channel = scene.discord.channel("news", fleet)
        channel.archived = "closed" in where
    named = {NAMED: fleet.id if where == "listed" else channel.id}
    await scene.start("demo", scene.app, **named, **(EVERYWHERE if where == "anywhere" else {}))
    await scene.until(lambda: scene.told)
    assert scene.told == ["READY=1"]


Act = Callable[[DiscordScene, Channel], Awaitable[None]]


def denies(permissions: int) -> Act:
    async def act(scene: DiscordScene, news: Channel) -> None:
        await scene.discord.deny(news, permissions)

    return act


async def locks(scene: DiscordScene, news: Channel) -> None:
    await scene.discord.archive(news, locked=True)


async def unlocks(scene: DiscordScene, news: Channel) -> None:
    news.archived = news.locked = False
    data = news.payload(scene.discord.guild.id)
    for session in scene.discord.sessions_of(scene.app):
        await session.dispatch("THREAD_UPDATE", data)


LACKING = [
    (
        denies(EMBED_LINKS),
        denies(0),
        False,
        "In #news, the fleet's channel, I may not embed links",
        "allow it in the channel's settings.",
    ),
    (
        denies(SEND_MESSAGES),
        denies(0),
        False,
        "In #news, the fleet's channel, I may not send messages, embed links",
        "allow it in the channel's settings.",
    ),
    (
        denies(VIEW_CHANNEL),
        denies(0),
        False,
        "In #news, the fleet's channel, I may not view the channel",
        "allow it in the channel's settings.",
    ),
    (locks, unlocks, True, "#news, the fleet's channel, is a locked thread", "unlock it."),
]


@pytest.mark.parametrize(("take", "give", "thread", "told", "advice"), LACKING)
async def test_what_is_lacking_there_is_waited_out_and_seen_by_a_preflight(
    scene: DiscordScene, take: Act, give: Act, thread: bool, told: str, advice: str
) -> None:
    above = scene.discord.channel("above")
    news = scene.discord.channel("news", above if thread else None)
    await take(scene, news)
    async with served(scene, **EVERYWHERE, **{NAMED: news.id}) as bot:
        assert told in scene.told[0]
        seen = (await found(bot))[Point.FLEET_CHANNEL]
        assert seen == wrong(Point.FLEET_CHANNEL, f"{told}.", f"{advice[0].upper()}{advice[1:]}")
        assert scene.app.commands == {}
        await give(scene, news)
        await scene.until(lambda: "fleet" in scene.app.commands)
        mended = (await found(bot))[Point.FLEET_CHANNEL]
    assert mended.outcome is Outcome.OK


async def test_in_a_thread_nobody_needs_the_right_to_speak_beside_it(scene: DiscordScene) -> None:
    news = scene.discord.channel("news", scene.discord.channel("above"))
    await scene.discord.deny(scene.discord.guild.channels[news.parent or ""], SEND_MESSAGES)
    await scene.start("demo", scene.app, **EVERYWHERE, **{NAMED: news.id})
    await scene.until(lambda: scene.told)
    assert scene.told == ["READY=1"]


async def test_a_hidden_channel_is_waited_for_since_it_may_be_one_of_the_guild(
    scene: DiscordScene,
) -> None:
    """Discord tells of it only that it is not ours to see."""
    secret = scene.discord.channel("secret")
    secret.denied, secret.archived = VIEW_CHANNEL, True  # as one that no session was told of
    async with served(scene, **EVERYWHERE, **{NAMED: secret.id}) as bot:
        seen = (await found(bot))[Point.FLEET_CHANNEL]
    assert seen.outcome is Outcome.WRONG
    assert seen.told == f"Discord does not show me the fleet's channel {secret.id}."
    assert seen.advice == f"Let me view it, or {right(scene)}"


async def test_a_channel_that_is_deleted_while_it_serves_is_told_and_commands_go_on(
    scene: DiscordScene,
) -> None:
    news = scene.discord.channel("news")
    async with served(scene, **EVERYWHERE, **{NAMED: news.id}) as bot:
        before = len(scene.told)
        await scene.discord.delete(news)
        await scene.until(lambda: len(scene.told) > before)
        assert f"There is no channel {news.id} that I could speak in" in scene.told[-1]
        seen = (await found(bot))[Point.FLEET_CHANNEL]
        assert seen.outcome is Outcome.WRONG
        asked = await scene.discord.command(scene.app, scene.visitor, "help")
        assert "/fleet" in (await scene.replied(asked)).text


async def test_a_bot_of_another_purpose_is_not_ended_by_a_channel_that_is_none(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    environ = scene.environ("demo", scene.app) | EVERYWHERE | {NAMED: scene.discord.lobby.id}
    intents = discord.Intents(guilds=True, guild_messages=True)
    host = commands.Bot(commands.when_mentioned, intents=intents, guild_ready_timeout=0.05)
    async with assemble(load(environ), scene.clock) as bot, host:
        await host.add_cog(FleetCog(host, bot))
        serving = scene.serve(host.start(scene.app.token))
        await scene.until(lambda: "is none of the guild that I serve" in caplog.text)
        assert (host.is_closed(), scene.app.commands) == (False, {})
        await host.close()
        await asyncio.wait({serving})


async def seen_by(scene: DiscordScene, calls: str = "") -> Check:
    named = {NAMED: scene.discord.fleet.id}
    scene.told.clear()
    async with served(scene, **named, **({CALLS: calls} if calls else {})) as bot:
        return (await found(bot))[Point.FLEET_CHANNEL]


async def test_a_preflight_names_the_channel_and_who_is_called(scene: DiscordScene) -> None:
    assert await seen_by(scene) == ok(
        Point.FLEET_CHANNEL,
        "In Discord the bot tells #fleet, and calls nobody for failures.",
    )
    scene.discord.guild.mentionable.add(scene.role)
    calls = f"{scene.owner.id}, &{scene.role}"
    assert await seen_by(scene, calls) == ok(
        Point.FLEET_CHANNEL,
        "In Discord the bot tells #fleet, and calls owner, @operators for failures.",
    )


async def test_a_preflight_tells_who_can_not_be_called(scene: DiscordScene) -> None:
    assert await seen_by(scene, f"&{scene.role}") == wrong(
        Point.FLEET_CHANNEL,
        "I may not call the role @operators in #fleet.",
        "Let anyone mention that role, in its settings.",
    )
    assert await seen_by(scene, "&55") == wrong(
        Point.FLEET_CHANNEL,
        "No role of Fleet has the id 55.",
        f"Let {CALLS} name one of its.",
    )
    assert await seen_by(scene, "55") == wrong(
        Point.FLEET_CHANNEL,
        "Nobody in Fleet has the id 55.",
        f"Let {CALLS} name who is there.",
    )


async def test_where_the_guild_is_not_seen_nor_is_its_channel(scene: DiscordScene) -> None:
    async with served(scene, **{NAMED: scene.discord.fleet.id}) as bot:
        await scene.discord.put_out(scene.app)
        await scene.until(lambda: len(scene.told) > 1)
        of = await found(bot)
    assert of[Point.CHANNELS].outcome is Outcome.WRONG
    assert of[Point.FLEET_CHANNEL] == hidden(Point.FLEET_CHANNEL)


async def test_it_is_told_of_for_as_long_as_the_bot_serves(scene: DiscordScene) -> None:
    asked = scene.api.asked
    await scene.start("demo", scene.app, **{NAMED: scene.discord.fleet.id})
    await scene.until(lambda: scene.api.count("watch") > 1, each=30.0)
    (channel,) = {ask["channel"] for ask in asked if ask["action"] == "watch"}
    assert channel == f"discord:{scene.discord.fleet.id}"
    await scene.stop()
    looked = scene.api.count("watch")
    await scene.clock.turn(600)
    assert scene.api.count("watch") == looked


async def test_where_no_channel_is_named_nobody_watches(scene: DiscordScene) -> None:
    await scene.start()
    await scene.clock.turn(600)
    asked = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(asked)
    assert scene.api.count("watch") == scene.api.count("announce") == 0


async def test_what_is_lacking_from_the_start_keeps_the_fleet_from_being_told(
    scene: DiscordScene,
) -> None:
    scene.discord.fleet.denied = EMBED_LINKS
    scene.run("demo", scene.app, **EVERYWHERE, **{NAMED: scene.discord.fleet.id})
    await scene.until(lambda: scene.told)
    await scene.clock.turn(120)
    assert scene.api.count("watch") == scene.api.count("announce") == 0
    await scene.discord.deny(scene.discord.fleet, 0)
    await scene.until(lambda: scene.api.count("watch"))
