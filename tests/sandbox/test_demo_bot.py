"""The demo's bot stops with the host it rides, and its successor finishes what it left."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.bot_host import COMES_WITHIN_SECONDS
from sandbox.demo_bot import DemoBot
from sandbox.demo_front import serve_front
from sandbox.discord_api.address import pointed_at
from sandbox.discord_api.server import DiscordApi
from sandbox.terminal.pipe import PipeOutput
from tests.sandbox.full_loop import PATIENCE_SECONDS, FullLoop, full_loop, write_registry

ONE, TWO = "clawdinator-1", "clawdinator-2"


@pytest.fixture
async def outside(tmp_path: Path, python: Path) -> AsyncIterator[FullLoop]:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    async with full_loop(file, python=python) as sandbox:
        yield sandbox


@asynccontextmanager
async def riding(outside: FullLoop, instance: str) -> AsyncIterator[tuple[DemoBot, io.StringIO]]:
    printed = io.StringIO()
    sheet = PipeOutput(Console(file=printed, width=100, highlight=False), outside.clock)
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        DemoBot(outside.sandbox, instance, sheet, outside.clock) as bot,
    ):
        yield bot, printed


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """How often that happened to the host which carries the bot."""
    caplog.set_level(logging.INFO)
    return lambda what: sum(f"sandbox.carrier_{what} " in line for line in caplog.messages)


async def test_a_bot_goes_with_its_host_and_its_successor_finishes_the_reply(
    outside: FullLoop, seen: Callable[[str], int]
) -> None:
    async with riding(outside, ONE) as (bot, printed):
        await bot.terminal.hear(f"/fleet deploy {ONE}")
        await bot.terminal.hear("yes")
        said = printed.getvalue()
        await bot.terminal.hear("/fleet status")
        await bot.finish()

    assert f"This replaces the host I run on ({ONE})" in said
    assert said.count(f"✓ deploy {ONE}: done") == 1
    assert "2 instances, 2 healthy, 1 on an older image" in printed.getvalue()
    assert outside.asked("deploy") == 1
    assert (seen("came"), seen("went")) == (2, 1)
    assert bot.terminal.exit_code == 0


async def test_a_deploy_that_fails_while_its_bot_is_away_fails_the_demo(
    tmp_path: Path, python: Path
) -> None:
    file = tmp_path / "instances.json"
    write_registry(file, (ONE, TWO))
    ill = frozenset({ONE})
    async with (
        full_loop(file, python=python, unhealthy=ill, health_deadline=1.0) as outside,
        riding(outside, ONE) as (bot, printed),
    ):
        await bot.terminal.hear(f"/fleet deploy {ONE}")
        await bot.terminal.hear("yes")
        await bot.finish()

    assert f"✗ deploy {ONE}: failed" in printed.getvalue()
    assert bot.terminal.exit_code == 1


async def test_where_no_host_comes_again_that_is_said(outside: FullLoop) -> None:
    async with riding(outside, ONE) as (bot, printed):
        await bot.terminal.hear("/fleet help")
        await asyncio.to_thread(outside.terminate, ONE)
        while bot.is_alive:  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.05)
        asked = asyncio.ensure_future(bot.terminal.hear("/fleet status"))
        while not asked.done():  # when it began to wait, nothing tells
            outside.clock.ahead += COMES_WITHIN_SECONDS
            await asyncio.sleep(0.05)
        await asked
        await bot.finish()

    assert f"{ONE} has no host: nothing carries me any more." in printed.getvalue()
    assert bot.terminal.exit_code == 1


async def test_in_a_guild_the_successor_finishes_the_same_message(
    outside: FullLoop, seen: Callable[[str], int]
) -> None:
    async with DiscordApi(outside.clock, patience=PATIENCE_SECONDS) as api:
        with pointed_at(api.url):
            app, operator = api.application(), api.person("operator")
            environ = {
                "CLAWBOT_DISCORD_TOKEN": app.token,
                "CLAWBOT_DISCORD_GUILD": api.guild.id,
                "CLAWBOT_OPERATORS": f"discord:{operator.id}",
            }
            serving = asyncio.create_task(serve_front(outside.sandbox, ONE, "discord", environ))
            try:
                await api.until(lambda: "fleet" in app.commands)
                asked = await api.command(app, operator, "deploy", target=ONE)
                await api.until(lambda: asked.message and "Deploy" in asked.message.buttons)
                question = asked.message
                assert question is not None
                await api.press(app, operator, question, question.buttons["Deploy"])
                await api.until(lambda: f"🟢 **{ONE}** · replaced, healthy" in question.text)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
        assert api.problems == []
    assert (seen("came"), seen("went")) == (2, 1)
