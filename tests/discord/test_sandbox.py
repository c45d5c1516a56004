"""The whole loop: a guild on loopback drives the sandbox, as a real guild does."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from fleet_control.clock import SystemClock
from sandbox.demo_front import lacking, serve_front
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.server import DiscordApi
from sandbox.sandbox import SandboxOptions, open_sandbox
from tests.discord.dialogue import pings_in
from tests.sandbox.full_loop import SWIFT


@pytest.mark.newest
async def test_a_deploy_replaces_a_host_and_pings_its_asker(python: Path) -> None:
    async with (
        asyncio.timeout(240),
        open_sandbox(SandboxOptions(timing=SWIFT, python=python)) as sandbox,
        DiscordApi(SystemClock(), patience=120) as api,
    ):
        with pointed_at(api.url):
            app, operator = api.application(), api.person("operator")
            news = api.channel("news")
            environ = {
                "CLAWBOT_DISCORD_TOKEN": app.token,
                "CLAWBOT_DISCORD_GUILD": api.guild.id,
                "CLAWBOT_DISCORD_FLEET_CHANNEL": news.id,
                "CLAWBOT_OPERATORS": f"discord:{operator.id}",
            }
            serving = asyncio.create_task(serve_front(sandbox, "", "discord", environ))
            try:
                await api.until(lambda: "fleet" in app.commands)
                asked = await api.command(app, operator, "deploy", target="clawdinator-2")
                await api.until(lambda: pings_in(api))
                assert asked.message is not None
                assert "🟢 **clawdinator-2** · replaced, healthy" in asked.message.text
                status = await api.command(app, operator, "status")
                await api.until(lambda: status.message and not status.message.loading)
                assert status.message is not None
                assert "**clawdinator-2** · healthy · newest image" in status.message.text
                assert api.guild.in_channel(news.id) == []  # whoever asked was told
            finally:
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving
        assert api.problems == []


def test_a_front_says_what_it_lacks() -> None:
    assert lacking("discord", {"CLAWBOT_DISCORD_TOKEN": "x"}) == (
        "FRONT=discord needs CLAWBOT_DISCORD_GUILD in the environment."
    )
    assert lacking("irc", {}) == "FRONT=irc: it is one of terminal, discord, telegram."
    assert lacking("telegram", {"CLAWBOT_TELEGRAM_TOKEN": "x"}) == ""
