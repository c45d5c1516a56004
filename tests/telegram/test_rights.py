"""What a preflight sees of the bot's rights in Telegram: each taken, and given back as it says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from clawbot.bot import Bot, assemble
from clawbot.front import Front
from clawbot.readiness import FrontReadiness, Readiness
from clawbot.serve import side_by_side
from clawbot.settings import load
from clawbot.telegram.run import run
from fleet_control.preflight import Outcome, Point, unseen, wrong
from tests.clawbot.asked_preflight import found, silent
from tests.telegram.scene import FLEET, SOON, TelegramScene, labels

Act = Callable[[TelegramScene], Awaitable[None]]


async def puts_out(scene: TelegramScene) -> None:
    await scene.people.put_out(scene.fleet)


async def silences(scene: TelegramScene) -> None:
    await scene.people.silence(scene.fleet)


async def lets_in(scene: TelegramScene) -> None:
    await scene.people.let_in(scene.fleet)


async def mutes_all(scene: TelegramScene) -> None:
    scene.people.mute(scene.fleet)


async def lets_all_speak(scene: TelegramScene) -> None:
    scene.people.mute(scene.fleet, speak=True)


async def revokes_token(scene: TelegramScene) -> None:
    scene.telegram.weather.refuse("*", 401, "Unauthorized", times=1000)


async def has_the_right_token(scene: TelegramScene) -> None:
    scene.telegram.weather.clear()


@asynccontextmanager
async def served(scene: TelegramScene, **environ: str) -> AsyncIterator[Bot]:
    async def serve(bot: Bot, told: FrontReadiness) -> None:
        await run(bot, told, SOON, scene.poll_seconds, scene.answer_seconds)

    settings = load(scene.environ("demo") | environ)
    readiness = Readiness(["Telegram"], scene.told.append)
    async with assemble(settings, scene.clock) as bot:
        serving = asyncio.create_task(side_by_side(bot, [Front("Telegram", serve)], readiness))
        try:
            await scene.until(lambda: scene.told)
            yield bot
        finally:
            serving.cancel()
            await asyncio.wait({serving})


@pytest.mark.parametrize(
    ("take", "give", "told", "advice"),
    [
        (
            puts_out,
            lets_in,
            f"I am not in the chat {FLEET}.",
            "Add me to it, or take it out of CLAWBOT_TELEGRAM_CHATS.",
        ),
        (
            revokes_token,
            has_the_right_token,
            "Telegram does not know the token.",
            "Put the right one into CLAWBOT_TELEGRAM_TOKEN.",
        ),
        (silences, lets_in, f"I may not write in the chat {FLEET}.", "Allow it there."),
        (mutes_all, lets_all_speak, f"I may not write in the chat {FLEET}.", "Allow it there."),
    ],
)
async def test_what_is_taken_is_wrong_and_as_soon_as_it_is_given_back_well(
    scene: TelegramScene, take: Act, give: Act, told: str, advice: str
) -> None:
    async with served(scene) as bot:
        before = await found(bot)
        assert before[Point.CHANNELS].outcome is Outcome.OK
        await take(scene)
        broken = await found(bot)
        await give(scene)
        mended = await found(bot)
    assert broken.pop(Point.CHANNELS) == wrong(Point.CHANNELS, told, advice)
    assert mended == before
    assert broken == {name: one for name, one in before.items() if name != Point.CHANNELS}


@pytest.mark.parametrize(
    ("chats", "where"),
    [
        (str(FLEET), "in 1 group and alone with operators"),
        (f"{FLEET},{FLEET}", "in 1 group and alone with operators"),
        ("", "alone with operators"),
    ],
)
async def test_where_all_is_there_it_says_where(
    scene: TelegramScene, chats: str, where: str
) -> None:
    async with served(scene, CLAWBOT_TELEGRAM_CHATS=chats) as bot:
        seen = (await found(bot))[Point.CHANNELS]
    assert seen.told == f"In Telegram the bot may write {where}; its privacy mode is on."


async def test_a_telegram_that_is_away_is_not_seen(scene: TelegramScene) -> None:
    async with served(scene) as bot:
        scene.telegram.weather.refuse("*", 502, "Bad Gateway", times=1000)
        seen = (await found(bot))[Point.CHANNELS]
        scene.telegram.weather.clear()
    told = "Telegram could not be asked (NetworkError)."
    assert seen == unseen(Point.CHANNELS, told, "Look again in a minute.")


async def test_a_group_that_became_a_supergroup_is_looked_at_where_it_is(
    scene: TelegramScene,
) -> None:
    async with served(scene) as bot:
        await scene.people.upgrade(scene.fleet, FLEET - 1)
        seen = (await found(bot))[Point.CHANNELS]
    assert seen.outcome is Outcome.OK


async def test_a_token_that_telegram_does_not_know_is_wrong_and_says_where_it_goes(
    scene: TelegramScene,
) -> None:
    async with served(scene, CLAWBOT_TELEGRAM_TOKEN="700100:AAnobodysTokenInTestsOnly") as bot:
        seen = (await found(bot))[Point.CHANNELS]
    assert seen == wrong(
        Point.CHANNELS,
        "Telegram does not know the token.",
        "Put the right one into CLAWBOT_TELEGRAM_TOKEN.",
    )


async def test_whoever_mended_something_has_the_reply_look_again(scene: TelegramScene) -> None:
    await scene.start()
    scene.people.mute(scene.fleet)
    reply = await scene.reply_to(await scene.say("/fleet preflight"))
    await scene.until(lambda: "✗ rights in channels" in reply["text"])
    scene.people.mute(scene.fleet, speak=True)
    assert labels(reply) == ["Refresh"]
    await scene.press(reply, "Refresh")
    await scene.until(lambda: "✓ rights in channels" in reply["text"])


async def test_while_something_hangs_it_says_that_it_looks_and_then_what_hung(
    scene: TelegramScene,
) -> None:
    async with silent() as url:
        scene.ec2_hangs = True
        await scene.start(CLAWBOT_EC2_URL=url)
        asked = await scene.say("/fleet preflight")
        await scene.until(lambda: scene.answer_to(asked))
        reply = scene.answer_to(asked)
        assert reply is not None
        assert reply["text"] == "Looking at 25 things, 10 seconds at most"
        begun = scene.clock.now()
        await scene.until(lambda: "✗ hosts · It did not answer in 10 s." in reply["text"])
        assert scene.clock.now() - begun <= 10
