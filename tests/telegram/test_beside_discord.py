"""Both fronts in one process, neither of which notices how the other fares."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

# On Python 3.11 and 3.12 importing discord.py touches a module of the standard library that is
# going away.
warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)

from clawbot.bot import assemble  # noqa: E402  (the filter comes before the import it is for)
from clawbot.discord.guild import Trouble as DiscordTrouble  # noqa: E402  (as above)
from clawbot.discord.run import run as run_discord  # noqa: E402  (as above)
from clawbot.sandbox.discord_api.address import pointed_at  # noqa: E402  (as above)
from clawbot.sandbox.discord_api.server import Application, DiscordApi  # noqa: E402  (as above)
from clawbot.serve import Front, Unserved, side_by_side  # noqa: E402  (as above)
from clawbot.settings import load  # noqa: E402  (as above)
from clawbot.telegram.run import run as run_telegram  # noqa: E402  (as above)
from clawbot.telegram.trouble import Trouble as TelegramTrouble  # noqa: E402  (as above)
from tests.telegram.scene import SOON, Scene  # noqa: E402  (as above)

LONGEST_SECONDS = 100.0


def fronts() -> list[Front]:
    return [
        Front("Discord", lambda bot: run_discord(bot, guild_ready_timeout=0.05), DiscordTrouble),
        Front("Telegram", lambda bot: run_telegram(bot, SOON, 5, 2.0), TelegramTrouble),
    ]


async def serve(scene: Scene, settings: dict[str, str]) -> None:
    async with assemble(load(settings), scene.clock) as bot:
        await side_by_side(bot, fronts())


@dataclass(frozen=True, slots=True)
class Both:
    """A process with both fronts, and the Discord it knows."""

    discord: DiscordApi
    app: Application
    task: asyncio.Task[None]


@asynccontextmanager
async def both(scene: Scene, reached: str = "", **environ: str) -> AsyncIterator[Both]:
    """Served until the test has ended, however it ends; `reached` is where Discord is looked for.

    Nothing here waits without an end: what hangs is a failure.
    """
    async with asyncio.timeout(LONGEST_SECONDS), DiscordApi(scene.clock) as discord:
        app = discord.application()
        settings = scene.environ("demo") | {
            "CLAWBOT_DISCORD_TOKEN": app.token,
            "CLAWBOT_DISCORD_GUILD": discord.guild.id,
        }
        with pointed_at(reached or discord.url):
            task = asyncio.create_task(serve(scene, settings | environ))
            try:
                yield Both(discord, app, task)
            finally:
                task.cancel()
                await scene.until(task.done)


async def answers_in_telegram(scene: Scene) -> None:
    asked = await scene.say("/fleet status", date=int(scene.clock.now()))
    await scene.until(lambda: scene.answer_to(asked))


async def answers_in_discord(scene: Scene, served: Both) -> None:
    await scene.until(lambda: "fleet" in served.app.commands)
    person = served.discord.person("somebody")
    asked = await served.discord.command(served.app, person, "status")
    await scene.until(lambda: asked.message is not None and not asked.message.loading)


async def test_each_answers_beside_the_other(scene: Scene) -> None:
    async with both(scene) as served:
        await answers_in_telegram(scene)
        await answers_in_discord(scene, served)


async def test_with_discord_unreachable_telegram_answers_as_if_alone(scene: Scene) -> None:
    async with both(scene, "http://127.0.0.1:9") as served:
        for _ in range(3):
            await answers_in_telegram(scene)
            await scene.clock.turn(30)
        assert not served.task.done()


async def test_with_telegram_unreachable_discord_answers_as_if_alone(scene: Scene) -> None:
    await scene.telegram.stop()
    async with both(scene) as served:
        await answers_in_discord(scene, served)
        await scene.clock.turn(120)
        await answers_in_discord(scene, served)


@pytest.mark.parametrize("setting", ["CLAWBOT_TELEGRAM_TOKEN", "webhook"])
async def test_a_telegram_that_is_misconfigured_says_so_and_discord_goes_on(
    scene: Scene, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {}
    if setting == "webhook":
        scene.telegram.methods.webhook["url"] = "https://hook.example/x"
    else:
        wrong = {setting: "1:wrong"}
    async with both(scene, **wrong) as served:
        await scene.until(lambda: "clawbot.front_down front=Telegram" in caplog.text)
        await answers_in_discord(scene, served)


async def test_a_discord_token_that_is_wrong_is_said_and_telegram_goes_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(scene, CLAWBOT_DISCORD_TOKEN="MQ.a.b"):
        await scene.until(lambda: "clawbot.front_down front=Discord" in caplog.text)
        await answers_in_telegram(scene)


async def test_when_no_front_can_go_on_it_ends_with_every_reason(scene: Scene) -> None:
    wrong = {"CLAWBOT_DISCORD_TOKEN": "MQ.a.b", "CLAWBOT_TELEGRAM_TOKEN": "1:wrong"}
    async with both(scene, **wrong) as served:
        await scene.until(served.task.done)
        with pytest.raises(Unserved, match=r"(?s)Discord does not know.*Telegram does not"):
            served.task.result()
