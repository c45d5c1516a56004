"""`/fleet` beside what an application of python-telegram-bot's does already."""

import asyncio
import pickle
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from telegram import Update
from telegram.error import NetworkError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    BaseRateLimiter,
    CommandHandler,
    Defaults,
    MessageHandler,
    filters,
)

from clawbot.telegram import add_fleet
from fleet_control.error import SettingsError
from sandbox.telegram_api.history import Json
from tests.clawbot.control_api import run
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.program import program, running
from tests.telegram.scene import TOKEN, TelegramScene

AnyApplication = Application[Any, Any, Any, Any, Any, Any]

# What else a host bot may have: state that is kept, handlers that break, and hooks of its own.
OTHERS = """
from telegram.ext import MessageHandler, filters

async def remember(update, context):
    context.chat_data.setdefault("heard", []).append(update.effective_message.text)

async def fail(update, context):
    raise LookupError("nothing to be found")

async def excuse(update, context):
    await update.effective_message.reply_text(f"Sorry: {context.error}")

async def unknown(update, context):
    await update.effective_message.reply_text("I know no such command.")

async def named(update, context):
    await update.effective_message.reply_text("I was named.")

application.add_handler(CommandHandler("fail", fail))
application.add_handler(MessageHandler(filters.Regex("^@fleet_bot"), named))
application.add_handler(MessageHandler(filters.COMMAND, unknown))
application.add_handler(MessageHandler(filters.ALL, remember), group=1)
application.add_error_handler(excuse)
"""
BUILDER = """
from telegram.ext import PicklePersistence

async def began(application):
    print("began", flush=True)

async def stopped(application):
    print("stopped", flush=True)

async def shut_down(application):
    print("shut down", flush=True)
"""


@pytest.fixture
async def scene(ec2: FakeEc2) -> AsyncIterator[TelegramScene]:
    """`add_fleet` takes the system's clock, so Telegram has that hour too."""
    ec2.forget()
    async with TelegramScene(TurnedClock(time.time()), ec2) as scene:
        yield scene


# -- the whole program ---------------------------------------------------------------------


def in_a_house_of_others(scene: TelegramScene, file: Path) -> str:
    """The page's program with everything else a host bot may have, on loopback."""
    builder = (
        f"ApplicationBuilder().base_url('{scene.telegram.url}/bot')"
        f".persistence(PicklePersistence({str(file)!r}))"
        ".post_init(began).post_stop(stopped).post_shutdown(shut_down)"
    )
    build, add, run = (
        "ApplicationBuilder()",
        "add_fleet(application)",
        "application.run_polling()",
    )
    source = program("telegram.md")
    assert all(source.count(part) == 1 for part in (build, add, run))
    return BUILDER + source.replace(build, builder).replace(add, f"{OTHERS}\n{add}")


async def answer(scene: TelegramScene, text: str) -> Json:
    """What a program that may only just have been started says to that."""
    asked = await scene.say(text, scene.operator)
    found: Json = await scene.telegram.history.until(lambda: scene.answer_to(asked), within=30)
    return found


async def test_the_page_s_program_in_a_house_of_others(
    scene: TelegramScene, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    source = in_a_house_of_others(scene, file)
    slashed = ("/hello", "/fail", "/fleet@fleet_bot status", "/nothing")
    said = (*slashed, "@fleet_bot thanks", "@fleet_bot", "@fleet_bot status")
    async with running(source, scene.environ("demo")) as bot:
        replies = [await answer(scene, text) for text in said]
        code, output, log = await bot.ended(signal.SIGTERM)

    hello, failed, status, unknown, *named, asked = (one["text"] for one in replies)
    assert (hello, failed) == ("Hello!", "Sorry: nothing to be found")
    assert all("2 instances" in one for one in (status, asked))
    assert named == ["I was named.", "I was named."]
    assert unknown == "I know no such command."
    assert (code, output) == (0, "began\nstopped\nshut down\n")
    assert log == ""
    kept = pickle.loads(file.read_bytes())  # noqa: S301  (our own file)
    assert kept["chat_data"][scene.fleet["id"]]["heard"] == list(said)


async def test_what_the_settings_lack_ends_the_program_with_a_sentence(
    scene: TelegramScene,
) -> None:
    environ = scene.environ("demo") | {"CLAWBOT_REGION": "", "CLAWBOT_CONTROL_TOKEN": "two words"}
    async with running(program("telegram.md"), environ) as bot:
        _, log = await bot.process.communicate()

    last = log.decode().splitlines()[-1]
    assert bot.process.returncode == 1
    assert "CLAWBOT_REGION is not set, and /etc/clawdinator/region is not there" in last
    assert "CLAWBOT_CONTROL_TOKEN is wrong" in last
    assert "two words" not in log.decode()
    assert "pydantic" not in log.decode()


# -- by hand -------------------------------------------------------------------------------


class HostsOwn(AnyApplication):
    """An application class of the host's, with a start of its own."""

    starts = 0

    async def start(self) -> None:
        await super().start()
        self.starts += 1


class BreaksAtItsEnd(AnyApplication):
    async def stop(self) -> None:
        await super().stop()
        raise OSError("the disk is full")


class Limiter(BaseRateLimiter[int]):
    """A rate limiter of the host's."""

    def __init__(self) -> None:
        self.passed: list[str] = []

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def process_request(
        self,
        callback: Callable[..., Any],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        self.passed.append(endpoint)
        return await callback(*args, **kwargs)


def builder(scene: TelegramScene) -> "ApplicationBuilder[Any, Any, Any, Any, Any, Any]":
    return ApplicationBuilder().token(TOKEN).base_url(f"{scene.telegram.url}/bot").job_queue(None)


@asynccontextmanager
async def started(application: AnyApplication) -> AsyncIterator[None]:
    """As one does where there is a loop already; none of the application's hooks is called."""
    async with application:
        await application.start()
        if application.updater:
            await application.updater.start_polling(timeout=5)
        yield
        if application.updater:
            await application.updater.stop()
        await application.stop()


@pytest.mark.parametrize(
    "of_their_own",
    [
        lambda builder: builder,
        lambda builder: builder.concurrent_updates(8),
        lambda builder: builder.defaults(Defaults(block=False, protect_content=True)),
        lambda builder: builder.application_class(HostsOwn),
    ],
)
async def test_an_application_run_by_hand(scene: TelegramScene, of_their_own: Any) -> None:
    """The token is the application's, whatever the settings have."""
    application = of_their_own(builder(scene)).build()
    add_fleet(application, scene.environ("demo") | {"CLAWBOT_TELEGRAM_TOKEN": "7:another"})
    for _ in range(2):  # it may be started anew
        async with started(application):
            status = await scene.reply_to(await scene.say("/fleet status"))
            await scene.press(status, "Refresh")
            await scene.until(lambda: scene.telegram.called("editMessageText"), each=0.01)
        scene.telegram.calls.clear()
    assert getattr(application, "starts", 2) == 2


async def test_one_that_runs_already(scene: TelegramScene) -> None:
    application = builder(scene).build()
    async with started(application):
        add_fleet(application, scene.environ("demo"))
        await scene.asked_for("runs", 1)
        assert "2 instances" in (await scene.reply_to(await scene.say("/fleet status")))["text"]


async def heard(scene: TelegramScene, application: AnyApplication, text: str) -> Json:
    """A message that the host itself puts into the application's queue, as from a webhook."""
    said = await scene.say(text)
    (update,) = scene.telegram.updates.waiting
    await application.update_queue.put(Update.de_json(update, application.bot))
    return said


async def test_one_without_an_updater_takes_what_its_queue_is_given(scene: TelegramScene) -> None:
    application = builder(scene).updater(None).build()
    add_fleet(application, scene.environ("demo"))
    async with started(application):
        asked = await heard(scene, application, "/fleet status")
        assert "2 instances" in (await scene.reply_to(asked))["text"]


async def test_it_finishes_what_a_predecessor_left(scene: TelegramScene) -> None:
    left = scene.telegram.history.add(scene.alone, scene.telegram.history.bot, "queued")
    request_id = f"telegram.demo.{scene.alone['id']}.7"
    scene.api.runs = [
        run(1, "completed", "success", request_id=request_id, reply=str(left["message_id"]))
    ]
    application = builder(scene).build()
    add_fleet(application, scene.environ("demo"))
    async with started(application):
        await scene.until(lambda: "done" in left["text"], each=0.01)


async def test_what_it_waits_for_in_vain_ends_with_it(scene: TelegramScene) -> None:
    """Though the application's own end broke."""
    application = builder(scene).application_class(BreaksAtItsEnd).build()
    away = {"CLAWBOT_CONTROL_API_URL": "http://127.0.0.1:9/"}
    add_fleet(application, scene.environ("demo") | away)
    async with application:
        await application.start()
        assert "Front.resume" in str(asyncio.all_tasks())
        with pytest.raises(OSError, match="the disk is full"):
            await application.stop()
        assert "Front.resume" not in str(asyncio.all_tasks())


async def test_what_it_heard_it_answers_before_it_ends(scene: TelegramScene) -> None:
    application = builder(scene).updater(None).build()
    add_fleet(application, scene.environ("demo"))
    async with application:
        await application.start()
        await scene.asked_for("runs", 1)
        scene.api.released.clear()
        asked = await heard(scene, application, "/fleet status")
        await scene.asked_for("registry", 1)
        stopping = asyncio.create_task(application.stop())
        await scene.until(lambda: not application.running, each=0.01)
        assert scene.answer_to(asked) is None
        scene.api.released.set()
        await stopping
        assert "2 instances" in str(scene.answer_to(asked))


async def test_a_handler_of_theirs_for_any_command_leaves_ours_alone(scene: TelegramScene) -> None:
    heard: list[tuple[int, str]] = []

    def hear(group: int) -> Callable[[Update, object], Any]:
        async def heard_it(update: Update, _context: object) -> None:
            heard.append((group, str(update.effective_message and update.effective_message.text)))

        return heard_it

    application = builder(scene).build()
    application.add_handler(MessageHandler(filters.ALL, hear(0)))
    application.add_handler(MessageHandler(filters.ALL, hear(-1)), -1)
    add_fleet(application, scene.environ("demo"))
    application.add_handler(CommandHandler("fleet", hear(0)))
    async with started(application):
        asked = await scene.say("/fleet status")
        edited = scene.people.write(scene.alone, scene.operator, "/fleet deploy claw-1")
        scene.telegram.updates.allowed = None
        await scene.people.edit(edited, "/fleet deploy claw-2")
        await scene.say("thanks")
        await scene.until(lambda: scene.answer_to(asked) and (0, "thanks") in heard, each=0.01)
    edited_and_thanks = [
        (group, text) for text in ("/fleet deploy claw-2", "thanks") for group in (-1, 0)
    ]
    assert heard == [(-1, "/fleet status"), *edited_and_thanks]
    assert scene.api.count("deploy") == 0


async def test_what_it_says_passes_their_rate_limiter(scene: TelegramScene) -> None:
    limiter = Limiter()
    application = builder(scene).rate_limiter(limiter).build()
    add_fleet(application, scene.environ("demo"))
    async with started(application):
        await scene.reply_to(await scene.say("/fleet status"))
    assert "sendMessage" in limiter.passed


async def test_nothing_is_added_where_a_setting_is_missing(scene: TelegramScene) -> None:
    application = builder(scene).build()
    with pytest.raises(SettingsError, match="CLAWBOT_REGION is not set"):
        add_fleet(application, scene.environ("demo") | {"CLAWBOT_REGION": ""})
    assert application.handlers == {}
    assert type(application) is Application


async def test_one_that_never_starts_leaves_nothing_behind(scene: TelegramScene) -> None:
    application = builder(scene).build()
    add_fleet(application, scene.environ("demo"))
    await scene.telegram.stop()
    with pytest.raises(NetworkError):
        await application.initialize()
    with pytest.raises(RuntimeError, match="not running"):
        await application.stop()
    await application.shutdown()
