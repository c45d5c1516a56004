"""What a preflight sees of the bot's rights in Discord: each taken, and given back as it says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from clawbot.bot import Bot, assemble
from clawbot.discord.run import run
from clawbot.front import Front
from clawbot.readiness import FrontReadiness, Readiness
from clawbot.serve import side_by_side
from clawbot.settings import load
from fleet_control.preflight import Outcome, Point, ok, wrong
from tests.clawbot.asked_preflight import found, silent
from tests.discord.scene import DiscordScene
from tests.discord.test_trouble import (
    ends_timeout,
    gives_all,
    gives_history,
    hidden,
    invited,
    shown,
    takes_embeds,
    takes_history,
    thrown_out,
    times_out,
)

Act = Callable[[DiscordScene], Awaitable[None]]
CHANNEL = "Allow it in the channel's settings."


async def takes_commands(scene: DiscordScene) -> None:
    scene.app.may_command = False


async def gives_commands(scene: DiscordScene) -> None:
    scene.app.may_command = True


@asynccontextmanager
async def served(scene: DiscordScene, **environ: str) -> AsyncIterator[Bot]:
    async def serve(bot: Bot, told: FrontReadiness) -> None:
        await run(bot, told, guild_ready_timeout=0.05)

    settings = load(scene.environ("demo", scene.app) | environ)
    readiness = Readiness(["Discord"], scene.told.append)
    async with assemble(settings, scene.clock) as bot:
        serving = asyncio.create_task(side_by_side(bot, [Front("Discord", serve)], readiness))
        try:
            await scene.until(lambda: scene.told)
            yield bot
        finally:
            serving.cancel()
            await asyncio.wait({serving})


@pytest.mark.parametrize(
    ("take", "give", "told", "advice"),
    [
        (takes_embeds, gives_all, "In #fleet I may not embed links.", CHANNEL),
        (takes_history, gives_history, "In #fleet I may not read message history.", CHANNEL),
        (hidden, shown, "I see no channel ", "Check CLAWBOT_DISCORD_CHANNELS, or let me view it."),
        (
            thrown_out,
            invited,
            "I am not in the guild ",
            "Check CLAWBOT_DISCORD_GUILD, or invite me",
        ),
        (times_out, ends_timeout, "In Fleet I am timed out", "Remove my timeout there, or wait."),
        (takes_commands, gives_commands, "Discord lets me make no ", "Invite me again by https://"),
    ],
)
async def test_what_is_taken_is_wrong_and_as_soon_as_it_is_given_back_well(
    scene: DiscordScene, take: Act, give: Act, told: str, advice: str
) -> None:
    async with served(scene) as bot:
        before = await found(bot)
        assert before[Point.CHANNELS].outcome is Outcome.OK
        await take(scene)
        await scene.discord.pass_through()
        await scene.until(lambda: True)
        broken = await found(bot)
        await give(scene)
        await scene.discord.pass_through()
        mended = await found(bot)
    seen = broken.pop(Point.CHANNELS)
    assert seen == wrong(Point.CHANNELS, seen.told, seen.advice)
    assert (seen.told[: len(told)], seen.advice[: len(advice)]) == (told, advice)
    assert mended == before
    assert broken == {name: one for name, one in before.items() if name != Point.CHANNELS}


@pytest.mark.parametrize(
    ("count", "where"), [(0, "everywhere in Fleet"), (1, "in 1 channel"), (2, "in 2 channels")]
)
async def test_where_all_is_there_it_says_where(
    scene: DiscordScene, count: int, where: str
) -> None:
    ids = [scene.discord.fleet.id, scene.discord.channel("more").id]
    async with served(scene, CLAWBOT_DISCORD_CHANNELS=",".join(ids[:count])) as bot:
        seen = (await found(bot))[Point.CHANNELS]
    assert seen == ok(Point.CHANNELS, f"In Discord the bot may all it needs, {where}.")


async def test_a_command_that_is_gone_is_wrong_and_there_again_once_the_bot_was_started_anew(
    scene: DiscordScene,
) -> None:
    async with served(scene) as bot:
        scene.app.commands.clear()
        seen = (await found(bot))[Point.CHANNELS]
    assert seen == wrong(
        Point.CHANNELS,
        "Discord does not have `/fleet` there as I made it.",
        "Start the bot anew, and look for another program that has its token.",
    )
    async with served(scene) as bot:
        await scene.until(lambda: "fleet" in scene.app.commands)
        assert (await found(bot))[Point.CHANNELS].outcome is Outcome.OK


async def test_a_token_that_discord_does_not_know_is_wrong_and_says_where_it_goes(
    scene: DiscordScene,
) -> None:
    scene.app = replace(scene.app, token="x" * 20)
    async with served(scene) as bot:
        seen = (await found(bot))[Point.CHANNELS]
    assert seen == wrong(
        Point.CHANNELS,
        "Discord does not know this token.",
        "Put a new one in CLAWBOT_DISCORD_TOKEN (Developer Portal, Bot, Reset Token).",
    )


async def test_whoever_mended_something_has_the_reply_look_again(scene: DiscordScene) -> None:
    await scene.start()
    asked = await scene.discord.command(scene.app, scene.visitor, "preflight")
    reply = await scene.replied(asked)
    await scene.until(lambda: "✓ **rights in channels**" in reply.text)
    await takes_embeds(scene)
    await scene.discord.pass_through()
    await scene.discord.press(scene.app, scene.owner, reply, reply.buttons["Refresh"])
    await scene.until(lambda: "✗ **rights in channels**" in reply.text)
    assert [*reply.buttons] == ["Refresh"]


async def test_while_something_hangs_it_says_that_it_looks_and_then_what_hung(
    scene: DiscordScene,
) -> None:
    async with silent() as url:
        scene.ec2_hangs = True
        await scene.start(CLAWBOT_EC2_URL=url)
        asked = await scene.discord.command(scene.app, scene.visitor, "preflight")
        told = "Looking at 25 things, 10 seconds at most"
        await scene.until(lambda: asked.message and told in asked.message.text)
        begun, reply = scene.clock.now(), asked.message
        assert reply is not None
        await scene.until(lambda: "✗ **hosts** · It did not answer in 10 s." in reply.text)
        assert scene.clock.now() - begun <= 10
