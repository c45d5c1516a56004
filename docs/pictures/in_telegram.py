"""What the bot says in Telegram, as pages."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from telegram import Bot as TelegramBot

from clawbot.bot import Bot, assemble
from clawbot.progress import HostStage, Stage
from clawbot.replies import Deploying, WatchReport
from clawbot.run_progress import progress
from clawbot.settings import load
from clawbot.telegram.fleet_channel import TelegramFleetChannel
from clawbot.telegram.front import TelegramFront
from clawbot.telegram.run import run
from docs.pictures import unasked
from docs.pictures.telegram_page import page
from fleet_control.caller import ALL
from fleet_control.clock import SystemClock
from sandbox.sandbox import Sandbox
from sandbox.telegram_api.history import Json, group, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi

TOKEN = "700100:AAofTheBotInThePicturesOnly"  # noqa: S105  (of the server below)
OPERATOR, CHAT = 1001, -1001234567890
SHOWN = ("history", "preflight", "status")
# What is said first of a preflight, before all was looked at.
_LOOKING = "Looking at"


async def pages(sandbox: Sandbox, gone: str) -> dict[str, str]:
    """The replies to `SHOWN` by name, each in the fleet's group; then what is told unasked, at
    last of the host `gone`, which is ended for that."""
    api = BotApi(TOKEN, SystemClock())
    await api.start()
    chat = api.history.chats[CHAT] = group(CHAT)
    environ = sandbox.bot_environ() | {
        "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
        "CLAWBOT_TELEGRAM_CHATS": str(CHAT),
        "CLAWBOT_TELEGRAM_API_URL": api.url,
        "CLAWBOT_TELEGRAM_FLEET_CHAT": str(CHAT),
        "CLAWBOT_TELEGRAM_FLEET_CALLS": str(OPERATOR),
        "CLAWBOT_OPERATORS": f"telegram:{OPERATOR}",
    }
    async with assemble(load(environ, Path(os.devnull)), SystemClock()) as bot:
        task = asyncio.create_task(run(bot, poll_seconds=1))
        try:
            await api.history.until(lambda: api.updates.polls, within=60)
            drawn = {f"telegram-{name}": await _shown(api, chat, name) for name in SHOWN}
            async with TelegramBot(TOKEN, base_url=f"{api.url}/bot") as telegram:
                told = TelegramFront(bot, telegram).fleet_channel
                assert told is not None  # noqa: S101  (the settings name it)
                await told.place.check()  # learns the names of those who are called
                await _announced(told, bot)
                drawn["telegram-announcement"] = await _unasked(api, f"Deploy {ALL}: replacing")
                found = await unasked.ended(sandbox, bot, gone)
                report = WatchReport(found, calls=told.calls, taken=SystemClock().now())
                await told.message().show(report, None)
                drawn["telegram-watch"] = await _unasked(api, "not as it should be")
            return drawn
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await api.stop()


async def _announced(told: TelegramFleetChannel, bot: Bot) -> None:
    """The deploy of all, as if somebody had begun it by the button on GitHub, and as it was in the
    midst of it."""
    listed = next(one for one in await bot.api.runs() if one.target == ALL and one.finished)
    seen = progress(await bot.api.run(listed.id))
    stages = [*[HostStage.HEALTHY] * (len(seen.hosts) - 2), HostStage.REPLACING, HostStage.WAITING]
    hosts = tuple(
        replace(host, stage=stage, took=host.took if stage is HostStage.HEALTHY else 0.0)
        for host, stage in zip(seen.hosts, stages, strict=True)
    )
    now = SystemClock().now()
    going = replace(
        seen, stage=Stage.RUNNING, hosts=hosts, took=0.0, began=now - 400, ends=now + 200
    )
    reply = Deploying(going, asked_by="sam on GitHub", asked_at=now - 420, calls=told.calls)
    await told.message().show(reply, None)


async def _unasked(api: BotApi, words: str) -> str:
    """The message of these words, as it stands once it has them."""

    def said() -> Json | None:
        return next((one for one in api.history.shown(CHAT) if words in one["text"]), None)

    found: Json = await api.history.until(said, within=120)
    return page(found, now=SystemClock().now())


async def _shown(api: BotApi, chat: Json, name: str) -> str:
    words = f"/fleet@fleet_bot {name}"
    asked = await People(api).say(chat, user(OPERATOR, "Sam"), words)

    def answer() -> Json | None:
        replies = (
            one
            for one in api.history.shown(CHAT)
            if one.get("reply_to_message", {}).get("message_id") == asked["message_id"]
        )
        return next((one for one in replies if _LOOKING not in one["text"]), None)

    found: Json = await api.history.until(answer, within=60)
    return page(found, words, SystemClock().now())
