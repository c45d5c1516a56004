"""The whole loop: a chat on loopback drives the sandbox, as a real chat does."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from fleet_control.clock import SystemClock
from sandbox.demo_front import serve_front
from sandbox.sandbox import SandboxOptions, open_sandbox
from sandbox.telegram_api.history import private, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi
from tests.sandbox.full_loop import HASTY, SWIFT
from tests.telegram.scene import OPERATOR, TOKEN

PATIENCE_SECONDS = 120.0


@pytest.mark.newest
async def test_a_deploy_replaces_a_host_and_calls_its_asker(python: Path) -> None:
    api = BotApi(TOKEN, SystemClock())
    people, olga = People(api), user(OPERATOR, "Olga")
    async with (
        asyncio.timeout(2 * PATIENCE_SECONDS),
        open_sandbox(SandboxOptions(timing=SWIFT, pace=HASTY, python=python)) as sandbox,
    ):
        environ = {
            "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
            "CLAWBOT_TELEGRAM_API_URL": await api.start(),
            "CLAWBOT_OPERATORS": f"telegram:{OPERATOR}",
        }
        serving = asyncio.create_task(serve_front(sandbox, "", "telegram", environ))
        try:
            await people.say(private(OPERATOR), olga, "/fleet deploy clawdinator-2")
            await api.history.until(lambda: api.history.shown(OPERATOR)[1:], PATIENCE_SECONDS)
            reply, call = api.history.shown(OPERATOR)
            assert "Deploy clawdinator-2: done" in reply["text"]
            assert "clawdinator-2 ami-" in reply["text"]
            assert "Your deploy of clawdinator-2: done" in call["text"]
            await people.say(private(OPERATOR), olga, "/fleet status")
            await api.history.until(lambda: api.history.shown(OPERATOR)[2:], PATIENCE_SECONDS)
            status = api.history.shown(OPERATOR)[2]["text"]
            assert "🟢 clawdinator-2 healthy · image newest" in status
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            await api.stop()
