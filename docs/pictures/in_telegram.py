"""What the bot says in Telegram, as pages."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path

from telegram import Bot as TelegramBot

from clawbot.bot import Bot, assemble
from clawbot.replies import WatchReport
from clawbot.settings import load
from clawbot.telegram.front import TelegramFront
from clawbot.telegram.run import run
from docs.pictures.telegram_page import page
from fleet_control import watch
from fleet_control.clock import SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Entry
from sandbox.principal import REGION
from sandbox.sandbox import Sandbox
from sandbox.telegram_api.history import Json, group, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi

TOKEN = "700100:AAofTheBotInThePicturesOnly"  # noqa: S105  (of the server below)
OPERATOR, CHAT = 1001, -1001234567890
AGENT, REPAIRED = "clawdinator-1", "clawdinator-2"
SHOWN = ("history", "preflight", "status")
# What is said first of a preflight, before all was looked at.
_LOOKING = "Looking at"


async def pages(sandbox: Sandbox) -> dict[str, str]:
    """The replies to `SHOWN` by name, each in the fleet's group; then what is told there unasked,
    once the fleet is no longer frozen."""
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
            await _shown(api, chat, "unfreeze")
            drawn["telegram-announcement"] = await _announced(api, sandbox)
            return {**drawn, "telegram-watch": await _watched(api, sandbox, bot)}
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await api.stop()


async def _announced(api: BotApi, sandbox: Sandbox) -> str:
    """What an agent's deploy looks like while it goes on."""
    key, entry = (
        sandbox.seeded.agents[AGENT],
        Entry(
            request_id=f"agent.{AGENT}.cli.picture",
            target=REPAIRED,
            caller=AGENT,
            requested_by=f"agent:{AGENT}",
        ),
    )
    asking = ControlApi(
        sandbox.control_api_url,
        sandbox.token,
        key.access_key,
        key.secret_key,
        REGION,
        SystemClock(),
    )
    try:
        await asking.deploy(entry)
    finally:
        await asking.close()
    return await _unasked(api, f"Deploy {REPAIRED}: replacing")


async def _watched(api: BotApi, sandbox: Sandbox, bot: Bot) -> str:
    """What is told once somebody has merged an instance that has no host, and that is seen for
    five minutes."""
    file = sandbox.options.registry
    entries = json.loads(file.read_text())
    added = f"{next(iter(entries))}-new"
    file.write_text(json.dumps(entries | {added: next(iter(entries.values())) | {"host": added}}))
    found = watch.findings(await bot.fleet.status())
    async with TelegramBot(TOKEN, base_url=f"{api.url}/bot") as telegram:
        channel = TelegramFront(bot, telegram).fleet_channel
        if channel is None:
            raise LookupError("there is no fleet's channel")
        await channel.place.check()
        report = WatchReport(found, calls=channel.calls, taken=SystemClock().now())
        await channel.message().show(report, None)
    return await _unasked(api, "not as")


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
