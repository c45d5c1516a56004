"""Both fronts in one process, neither of which notices how the other fares."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from clawbot.bot import assemble
from clawbot.discord.run import run as run_discord
from clawbot.front import Front
from clawbot.readiness import watching
from clawbot.serve import side_by_side
from clawbot.settings import load
from clawbot.telegram.run import run as run_telegram
from clawbot.watchdog import watched
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.backend import Application
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.server import DiscordApi
from tests.telegram.scene import SOON, TelegramScene

LONGEST_SECONDS = 100.0
SLOW_SECONDS = 2.0


def fronts() -> list[Front]:
    return [
        Front(
            "Discord",
            lambda bot, hears: run_discord(bot, hears, guild_ready_timeout=0.05),
        ),
        Front("Telegram", lambda bot, hears: run_telegram(bot, hears, SOON, 5, 2.0)),
    ]


async def serve(scene: TelegramScene, settings: dict[str, str]) -> None:
    both = fronts()
    async with (
        watched(settings, scene.clock) as tell,
        assemble(load(settings), scene.clock) as bot,
        watching([one.name for one in both], tell, scene.clock) as readiness,
    ):
        await side_by_side(bot, both, readiness)


class Systemd:
    """The real socket of a service that is watched.

    Attributes:
        told: what it was notified of, one after the other.
    """

    def __init__(self, path: Path) -> None:
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def hears(self) -> bool:
        """Whether it was notified of anything so far."""
        with suppress(BlockingIOError):
            while True:
                self.told.append(self._socket.recv(1000).decode())
        return bool(self.told)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    one = Systemd(tmp_path / "notify")
    yield one
    one.close()


def watching_as(tmp_path: Path) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify")}


@dataclass(frozen=True, slots=True)
class Both:
    """A process with both fronts, and the Discord it knows."""

    discord: DiscordApi
    app: Application
    task: asyncio.Task[None]


@asynccontextmanager
async def both(scene: TelegramScene, reached: str = "", **environ: str) -> AsyncIterator[Both]:
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
        assert discord.problems == []


async def answers_in_telegram(scene: TelegramScene) -> None:
    asked = await scene.say("/fleet status", date=int(scene.clock.now()))
    await scene.until(lambda: scene.answer_to(asked))


async def answers_in_discord(scene: TelegramScene, served: Both) -> None:
    await scene.until(lambda: "fleet" in served.app.commands)
    asked = await asks_in_discord(served)
    await scene.until(lambda: answered(asked))


async def asks_in_discord(served: Both) -> Interaction:
    return await served.discord.command(served.app, served.discord.person("somebody"), "status")


def answered(asked: Interaction) -> bool:
    return asked.message is not None and not asked.message.loading


async def test_each_answers_beside_the_other(scene: TelegramScene) -> None:
    async with both(scene) as served:
        await answers_in_telegram(scene)
        await answers_in_discord(scene, served)


async def test_with_discord_unreachable_telegram_answers_as_if_alone(scene: TelegramScene) -> None:
    async with both(scene, "http://127.0.0.1:9") as served:
        for _ in range(3):
            await answers_in_telegram(scene)
            await scene.clock.turn(30)
        assert not served.task.done()


async def test_with_telegram_unreachable_discord_answers_as_if_alone(scene: TelegramScene) -> None:
    await scene.telegram.stop()
    async with both(scene) as served:
        await answers_in_discord(scene, served)
        await scene.clock.turn(120)
        await answers_in_discord(scene, served)


async def test_systemd_hears_that_it_is_ready_once_both_were_heard_from(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path
) -> None:
    async with both(scene, **watching_as(tmp_path)) as served:
        await scene.until(systemd.hears, each=0.1)
        assert systemd.told == ["READY=1"]
        await answers_in_discord(scene, served)
        await answers_in_telegram(scene)
        await scene.clock.turn(3600)
    systemd.hears()
    assert systemd.told == ["READY=1", "STOPPING=1"]


async def test_systemd_hears_that_discord_is_away_and_telegram_serves(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path
) -> None:
    async with both(scene, "http://127.0.0.1:9", **watching_as(tmp_path)):
        await answers_in_telegram(scene)
        await scene.until(systemd.hears)
        assert systemd.told == ["READY=1\nSTATUS=Discord is away"]


async def test_systemd_hears_that_telegram_is_away_and_discord_serves(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path
) -> None:
    await scene.telegram.stop()
    async with both(scene, **watching_as(tmp_path)) as served:
        await answers_in_discord(scene, served)
        await scene.until(systemd.hears)
        assert systemd.told == ["READY=1\nSTATUS=Telegram is away"]


async def test_a_guild_that_discord_has_not_brought_is_away_until_it_comes(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path
) -> None:
    async with both(scene, **watching_as(tmp_path)) as served:
        served.discord.away = True
        await scene.until(systemd.hears)
        assert systemd.told == ["READY=1\nSTATUS=Discord is away"]
        await served.discord.come_back()
        await scene.until(lambda: systemd.hears() and len(systemd.told) > 1)
        assert systemd.told[1:] == ["STATUS="]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"CLAWBOT_DISCORD_TOKEN": "MQ.a.b"}, "STATUS=Discord: Discord does not know this token"),
        ({"CLAWBOT_DISCORD_GUILD": "99"}, "STATUS=Discord: I am not in the guild 99: check"),
        ({"CLAWBOT_TELEGRAM_TOKEN": "1:wrong"}, "STATUS=Telegram: Telegram does not know the tok"),
    ],
)
async def test_what_somebody_has_to_mend_is_not_away_and_keeps_it_from_being_ready(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path, wrong: dict[str, str], words: str
) -> None:
    async with both(scene, **watching_as(tmp_path), **wrong):
        await scene.until(systemd.hears)
        await scene.clock.turn(3600)
        systemd.hears()
    assert systemd.told[0].startswith(words)
    for word in ("READY=1", "MQ.a.b", "1:wrong"):
        assert not [said for said in systemd.told if word in said]


async def test_a_slow_discord_does_not_slow_telegram(scene: TelegramScene) -> None:
    async with both(scene) as served:
        await answers_in_discord(scene, served)
        served.discord.slowness = SLOW_SECONDS
        waits = await asks_in_discord(served)
        # The clock stands still, and so does every call of Discord's.
        for _ in range(3):
            said = await scene.say("/fleet status", date=int(scene.clock.now()))
            assert "2 instances" in (await scene.reply_to(said))["text"]
        assert waits.message is None
        await scene.until(lambda: answered(waits))


async def test_a_slow_telegram_does_not_slow_discord(scene: TelegramScene) -> None:
    async with both(scene) as served:
        await answers_in_telegram(scene)
        await scene.until(lambda: "fleet" in served.app.commands)
        scene.telegram.weather.slowness = SLOW_SECONDS
        waits = await scene.say("/fleet status", date=int(scene.clock.now()))
        for _ in range(3):
            asked = await asks_in_discord(served)
            await served.discord.until(partial(answered, asked))
        assert scene.answer_to(waits) is None
        await scene.until(lambda: scene.answer_to(waits))


async def test_while_telegram_pauses_for_another_poller_discord_answers(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(scene) as served:
        await answers_in_telegram(scene)
        for _ in range(3):
            await scene.steal()
        await scene.until(lambda: "telegram.two_pollers" in caplog.text)
        polls = scene.telegram.updates.polls
        for _ in range(3):
            await answers_in_discord(scene, served)
        assert scene.telegram.updates.polls == polls
        await answers_in_telegram(scene)


@pytest.mark.parametrize("hanging", [False, True])
async def test_a_stop_at_any_moment_of_its_beginning_ends(
    scene: TelegramScene, hanging: bool
) -> None:
    if hanging:
        scene.telegram.weather.hang()
    for steps in range(0, 600, 40):
        async with both(scene) as served:
            for _ in range(steps):
                await asyncio.sleep(0)
        assert served.task.cancelled()


async def test_a_stop_lets_each_finish_what_is_in_flight_though_the_other_has_ended(
    scene: TelegramScene,
) -> None:
    async with both(scene) as served:
        await answers_in_discord(scene, served)
        await scene.asked_for("runs", 2)  # what a predecessor left, once a front
        scene.api.released.clear()
        asked = await scene.say("/fleet deploy claw-2", date=int(scene.clock.now()))
        await scene.looked_for()
        served.task.cancel()
        await scene.until(lambda: not any(one.socket for one in served.discord.sessions))
        await scene.clock.turn(1)
        assert not served.task.done()
        scene.api.released.set()
        await scene.until(served.task.done)
    assert "queued" in str(scene.answer_to(asked))


@pytest.mark.parametrize("setting", ["CLAWBOT_TELEGRAM_TOKEN", "webhook"])
async def test_a_telegram_that_is_misconfigured_says_so_and_discord_goes_on(
    scene: TelegramScene, setting: str, caplog: pytest.LogCaptureFixture
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
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(scene, CLAWBOT_DISCORD_TOKEN="MQ.a.b"):
        await scene.until(lambda: "clawbot.front_down front=Discord" in caplog.text)
        await answers_in_telegram(scene)


async def test_when_no_front_can_go_on_it_waits_with_every_reason(
    scene: TelegramScene, systemd: Systemd, tmp_path: Path
) -> None:
    wrong = {"CLAWBOT_DISCORD_TOKEN": "MQ.a.b", "CLAWBOT_TELEGRAM_TOKEN": "1:wrong"}
    async with both(scene, **watching_as(tmp_path), **wrong) as served:
        await scene.until(lambda: systemd.hears() and "; Telegram: Tele" in systemd.told[-1])
        assert "STATUS=Discord: Discord does not know this token" in systemd.told[-1]
        await scene.clock.turn(3600)
        assert not served.task.done()
