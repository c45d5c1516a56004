"""The demo with a real front: a real guild or chat drives the sandbox."""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from clawbot.bot import assemble
from clawbot.front import Unserved
from clawbot.serve import configured, side_by_side
from clawbot.settings import PREFIX, load
from fleet_control.clock import SystemClock
from fleet_control.error import SettingsError
from sandbox.bot_host import BotHost, NoHost
from sandbox.sandbox import Sandbox

FRONTS = ("discord", "telegram")
# What only a person can know, by front; beside it, who may deploy.
NEEDED = {"discord": ("DISCORD_TOKEN", "DISCORD_GUILD"), "telegram": ("TELEGRAM_TOKEN",)}


def lacking(front: str, environ: Mapping[str, str]) -> str:
    """Why this front can't be served, in a sentence; empty when it can."""
    if front not in FRONTS:
        return f"FRONT={front}: it is one of terminal, {', '.join(FRONTS)}."
    missing = [PREFIX + name for name in NEEDED[front] if not environ.get(PREFIX + name)]
    if not missing:
        return ""
    return f"FRONT={front} needs {' and '.join(missing)} in the environment."


def given(front: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of this front, and of who may deploy; nothing else reaches the sandbox."""
    ours = f"{PREFIX}{front.upper()}_"
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(ours) or name == f"{PREFIX}OPERATORS"
    }


async def serve_front(
    sandbox: Sandbox, instance: str, front: str, environ: Mapping[str, str]
) -> int:
    """Serve until cancelled; 1 with a sentence where that can't be."""
    logging.getLogger().addHandler(logging.StreamHandler())
    clock = SystemClock()
    bot_host = BotHost(sandbox, instance, clock)
    try:
        settings = load(sandbox.bot_environ(instance) | given(front, environ), sandbox.folder)
        while True:
            machine = await bot_host.comes()
            async with assemble(settings, clock) as bot:
                await _until(bot_host.goes(machine), side_by_side(bot, configured(settings)))
    except (SettingsError, Unserved, NoHost) as error:
        print(error, file=sys.stderr)  # noqa: T201  (the command's own output)
        return 1


async def _until(end: Coroutine[Any, Any, None], serving: Coroutine[Any, Any, None]) -> None:
    """Serve until `end` comes; raises what either raises before."""
    tasks = [asyncio.ensure_future(end), asyncio.ensure_future(serving)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
