"""A bot that is killed, and its successor: real processes, `clawbot run` as it is shipped."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.telegram.scene import TelegramScene

OFTEN = {"CLAWBOT_RUNNING_EVERY": "0.2", "CLAWBOT_WAITING_EVERY": "0.2"}


@asynccontextmanager
async def clawbot(scene: TelegramScene) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clawbot", "run"),
        env={"PATH": os.environ["PATH"], **scene.environ("demo"), **OFTEN},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_killed_after_the_dispatch_it_starts_nothing_anew(scene: TelegramScene) -> None:
    history = scene.telegram.history
    async with clawbot(scene) as bot:
        asked = await scene.say("/fleet deploy claw-2", date=int(time.time()))
        reply = await history.until(lambda: scene.answer_to(asked), within=60)
        await history.until(lambda: "queued" in reply["text"], within=60)
        bot.kill()
        await bot.communicate()
    # What Telegram had not been told of comes again, to whoever asks next.
    await scene.telegram.updates.put("message", asked)
    async with clawbot(scene) as successor:
        await scene.until(lambda: not scene.telegram.updates.waiting, each=0.05)
        last = await scene.say("/fleet help", date=int(time.time()))
        await history.until(lambda: scene.answer_to(last), within=60)
        scene.api.done(1)
        await history.until(lambda: "done" in reply["text"], within=60)
        successor.send_signal(signal.SIGTERM)
        async with asyncio.timeout(90):
            _, log = await successor.communicate()
        assert successor.returncode == 0
    assert scene.api.count("deploy") == 1
    assert scene.answer_to(asked) is reply
    assert "clawbot.serves fronts=Telegram" in log.decode()
    assert "fleet.asked_before" in log.decode()
    assert scene.environ("demo")["CLAWBOT_TELEGRAM_TOKEN"] not in log.decode()
