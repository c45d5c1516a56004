"""The whole loop: a guild on loopback drives the sandbox, as a real guild does."""

import asyncio
import io
from contextlib import suppress
from pathlib import Path

import pytest

from fleet_control.clock import SystemClock
from sandbox.demo_front import lacking, serve_front
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.guild import Member
from sandbox.discord_api.interaction import Interaction
from sandbox.discord_api.server import DiscordApi
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from tests.discord.dialogue import pings_in
from tests.followed import bot_log, followed
from tests.sandbox.full_loop import HASTY, SWIFT


@pytest.mark.newest
async def test_a_deploy_replaces_a_host_pings_its_asker_and_is_in_every_log_by_its_request_id(
    python: Path,
) -> None:
    with bot_log() as written:
        await _deploys(python, written)


async def _deploys(python: Path, written: io.StringIO) -> None:
    async with (
        asyncio.timeout(240),
        open_sandbox(SandboxOptions(timing=SWIFT, pace=HASTY, python=python)) as sandbox,
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
                await _is_followed(sandbox, operator, asked, written)
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


async def _is_followed(
    sandbox: Sandbox, operator: Member, asked: Interaction, written: io.StringIO
) -> None:
    request_id = f"discord.demo.{asked.channel.id}.{asked.id}"
    found = await followed(sandbox, request_id, written.getvalue())
    for log, lines in found.items():
        print(f"{log}:", *lines, sep="\n  ")  # noqa: T201  (`pytest -s` shows the excerpt)
    asks, dispatched = found["bot"]
    assert f"event=fleet.asked account=discord:{operator.id} what=deploy clawdinator-2" in asks
    assert "event=fleet.dispatched" in dispatched
    assert "action=deploy" in found["Control API"][0]
    assert {line.split(" ")[1] for line in found["Control API"]} == {"event=control.answered"}
    jobs = [line.partition(" fleet.job job=")[2].split(" ")[0] for line in found["job logs"]]
    assert jobs == ["plan", "host"]
    audited = await sandbox.outside.does(("clawbot", "audit", "1h"))
    (line,) = audited.splitlines()
    assert f" · operator in Discord ({operator.id}) · deploy clawdinator-2 · " in line
    assert line.endswith(f" · {request_id}")


def test_a_front_says_what_it_lacks() -> None:
    assert lacking("discord", {"CLAWBOT_DISCORD_TOKEN": "x"}) == (
        "FRONT=discord needs CLAWBOT_DISCORD_GUILD in the environment."
    )
    assert lacking("irc", {}) == "FRONT=irc: it is one of terminal, discord, telegram."
    assert lacking("telegram", {"CLAWBOT_TELEGRAM_TOKEN": "x"}) == ""
