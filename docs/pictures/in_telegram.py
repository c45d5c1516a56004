"""What the bot says in Telegram, as pages."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram.run import run
from docs.pictures.telegram_page import page
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


async def pages(sandbox: Sandbox) -> dict[str, str]:
    """The replies to `SHOWN` by name, each in the fleet's group."""
    api = BotApi(TOKEN, SystemClock())
    await api.start()
    chat = api.history.chats[CHAT] = group(CHAT)
    environ = sandbox.bot_environ() | {
        "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
        "CLAWBOT_TELEGRAM_CHATS": str(CHAT),
        "CLAWBOT_TELEGRAM_API_URL": api.url,
        "CLAWBOT_OPERATORS": f"telegram:{OPERATOR}",
    }
    async with assemble(load(environ, Path(os.devnull)), SystemClock()) as bot:
        task = asyncio.create_task(run(bot, poll_seconds=1))
        try:
            await api.history.until(lambda: api.updates.polls, within=60)
            return {f"telegram-{name}": await _shown(api, chat, name) for name in SHOWN}
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await api.stop()


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
    return page(found, words)
