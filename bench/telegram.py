"""200 people at once in Telegram: how long each waited for the answer."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median

from bench.row import Row
from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram.run import run
from fleet_control.clock import SystemClock
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from sandbox.telegram_api.history import Json, private, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi

ASKS = 200
# Ten asks from each of twenty, all within one second.
PEOPLE = [user(5000 + number) for number in range(20)]
TOKEN = "700100:bench"  # noqa: S105  (of a server that this program starts)
# Telegram's own limit for a bot is about 30 messages a second.
AT_TELEGRAMS_PACE_MS = 1000.0 * ASKS / 30


def measure() -> list[Row]:
    waits = [1000 * seconds for seconds in asyncio.run(_waits())]
    return [_row("in the middle", median(waits)), _row("the last of them", max(waits))]


def _row(who: str, wait: float) -> Row:
    return Row(
        what=f"{ASKS} `/fleet status` at once in Telegram: answered, {who}",
        ours_ms=wait,
        theirs="30 answers a second, as fast as Telegram lets a bot speak",
        theirs_ms=AT_TELEGRAMS_PACE_MS,
        ratio=wait / AT_TELEGRAMS_PACE_MS,
        limit=2.0,
    )


async def _waits() -> list[float]:
    """Seconds from the ask to its answer, for each; RuntimeError where one had not just one."""
    async with open_sandbox(SandboxOptions()) as sandbox:
        api = BotApi(TOKEN, SystemClock())
        await api.start()
        try:
            async with _serving(sandbox, api):
                return await _asked(api)
        finally:
            await api.stop()


async def _asked(api: BotApi) -> list[float]:
    people = People(api)
    await _answered(api, [await people.say(private(PEOPLE[0]["id"]), PEOPLE[0], "/fleet help")])
    asked: list[Json] = []
    begun = time.perf_counter()
    for _ in range(ASKS // len(PEOPLE)):
        asked += [await people.say(private(one["id"]), one, "/fleet status") for one in PEOPLE]
    ended = await _answered(api, asked)
    return [when - begun for when in ended]


async def _answered(api: BotApi, asked: list[Json]) -> list[float]:
    """When each was answered."""
    ended: dict[tuple[int, int], float] = {}
    wanted = {(one["chat"]["id"], one["message_id"]) for one in asked}

    def all_answered() -> bool:
        for one in PEOPLE:
            for message in api.history.shown(one["id"]):
                answers = (one["id"], message.get("reply_to_message", {}).get("message_id"))
                if answers in wanted:
                    ended.setdefault(answers, time.perf_counter())
        return len(ended) == len(wanted)

    await api.history.until(all_answered, within=60)
    return list(ended.values())


@asynccontextmanager
async def _serving(sandbox: Sandbox, api: BotApi) -> AsyncIterator[None]:
    environ = sandbox.bot_environ() | {
        "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
        "CLAWBOT_TELEGRAM_API_URL": api.url,
        "CLAWBOT_OPERATORS": ",".join(f"telegram:{one['id']}" for one in PEOPLE),
    }
    async with assemble(load(environ, Path(os.devnull)), SystemClock()) as bot:
        task = asyncio.create_task(run(bot))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
