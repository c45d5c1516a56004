"""200 people at once in Discord: how long each waited until it was told "thinking"."""

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median

# On Python 3.11 and 3.12 importing discord.py touches a module that is going away.
warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)

from bench.row import Row  # noqa: E402  (the filter comes before the import it is for)
from clawbot.bot import assemble  # noqa: E402  (as above)
from clawbot.discord.run import run  # noqa: E402  (as above)
from clawbot.settings import load  # noqa: E402  (as above)
from fleet_control.clock import SystemClock  # noqa: E402  (as above)
from sandbox.discord_api.address import pointed_at  # noqa: E402  (as above)
from sandbox.discord_api.backend import Application  # noqa: E402  (as above)
from sandbox.discord_api.interaction import Interaction  # noqa: E402  (as above)
from sandbox.discord_api.server import DiscordApi  # noqa: E402  (as above)
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox  # noqa: E402  (as above)

PEOPLE = 200
WITHIN_MS = 1000.0


def measure() -> list[Row]:
    waits = [1000 * seconds for seconds in asyncio.run(_waits())]
    return [
        _row("in the middle", median(waits)),
        _row("the last of them", max(waits)),
    ]


def _row(who: str, wait: float) -> Row:
    return Row(
        what=f"{PEOPLE} `/fleet status` at once in Discord: deferred, {who}",
        ours_ms=wait,
        theirs="the second it may take (Discord gives up after three)",
        theirs_ms=WITHIN_MS,
        ratio=wait / WITHIN_MS,
        limit=1.0,
    )


async def _waits() -> list[float]:
    """Seconds from the gateway to the first answer, for each."""
    async with open_sandbox(SandboxOptions()) as sandbox, DiscordApi(SystemClock()) as api:
        with pointed_at(api.url):
            app, person = api.application(), api.person("visitor")
            async with _serving(sandbox, api, app):
                await asyncio.gather(*(api.command(app, person, "status") for _ in range(PEOPLE)))
                asked = list(api.interactions.values())
                await api.until(lambda: all(_replied(one) for one in asked))
                return [one.waited for one in asked]


def _replied(one: Interaction) -> bool:
    return one.message is not None and not one.message.loading


@asynccontextmanager
async def _serving(sandbox: Sandbox, api: DiscordApi, app: Application) -> AsyncIterator[None]:
    environ = sandbox.bot_environ() | {
        "CLAWBOT_DISCORD_TOKEN": app.token,
        "CLAWBOT_DISCORD_GUILD": api.guild.id,
    }
    async with assemble(load(environ, Path(os.devnull)), SystemClock()) as bot:
        task = asyncio.create_task(run(bot, guild_ready_timeout=0.05))
        try:
            await api.until(lambda: "fleet" in app.commands)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
