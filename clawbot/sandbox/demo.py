"""`clawbot demo`: a terminal chat with a bot, in a world of its own."""

import asyncio
import logging
import readline
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from clawbot.bot import Bot, assemble
from clawbot.sandbox.world import USUAL_PORTS, Options, World, is_checkout, open_world
from clawbot.settings import load
from clawbot.terminal import OPERATOR, PLATFORM, Terminal
from fleet_control.caller import BotInstance, Caller, Human
from fleet_control.clock import SystemClock
from fleet_control.error import FleetError, RegistryError
from fleet_control.registry import parse

WIDTH = 110
BANNER = """A fleet on this machine. A line is what the operator says; NAME: … speaks as NAME.
  /fleet status    /fleet deploy <id or all> [image]    /fleet help    Ctrl-D ends it
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What `make demo` was told; empty for the usual."""

    registry: str = ""
    unhealthy: str = ""
    instance: str = ""
    front: str = ""
    engine: str = ""
    log: str = ""


def demo(wish: Wish) -> int:
    """Run it; the exit code of `Terminal.exit_code`, or 1 with a sentence if it can't start."""
    problem = _problem(wish)
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201  (before there is a chat)
        return 1
    if wish.log:
        logging.basicConfig(filename=wish.log, level=logging.INFO)
    else:
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        return asyncio.run(_run(wish))
    except KeyboardInterrupt:
        return 130
    except asyncio.CancelledError:
        return 143


def _problem(wish: Wish) -> str:
    """Why there can be no such demo, with what would be right."""
    if not is_checkout():
        return "clawbot demo runs the repository's own workflow file: start it in a checkout."
    for variable, asked, there in (
        ("FRONT", wish.front, PLATFORM),
        ("ENGINE", wish.engine, "stand-in"),
    ):
        if asked not in ("", there):
            return f"{variable}={asked}: only `{there}` is there yet."
    registry = _options(wish).registry
    try:
        return _unknown(wish, parse(registry.read_bytes()).ids)
    except OSError as error:
        return f"REGISTRY={registry} can't be read: {error.strerror}."
    except RegistryError as error:
        return "\n".join([f"REGISTRY={registry} is not a valid registry:", *error.problems])


def _unknown(wish: Wish, ids: tuple[str, ...]) -> str:
    known = ", ".join(ids[:20])
    for name, wanted in (("UNHEALTHY", _options(wish).unhealthy), ("INSTANCE", {wish.instance})):
        for id_ in sorted(wanted - {"", *ids}):
            return f"{name}={id_}: the registry has no such instance; it has {known}."
    return ""


def _options(wish: Wish) -> Options:
    options = replace(
        Options(ports=USUAL_PORTS),
        unhealthy=frozenset(one for one in wish.unhealthy.replace(",", " ").split() if one),
    )
    return replace(options, registry=Path(wish.registry)) if wish.registry else options


async def _run(wish: Wish) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    live = sys.stdin.isatty() and sys.stdout.isatty()
    console = Console() if live else Console(width=WIDTH, force_terminal=False, highlight=False)
    async with open_world(_options(wish)) as world:
        settings = load(world.bot_environ(wish.instance), Path("/nonexistent"))
        async with assemble(settings, SystemClock()) as bot:
            terminal = Terminal(bot.commands, console, bot.clock, _speakers(bot), live=live)
            try:
                return await _chat(terminal, bot, world, console, live=live)
            finally:
                await terminal.close()


async def _chat(terminal: Terminal, bot: Bot, world: World, console: Console, *, live: bool) -> int:
    if live:
        console.print(BANNER, highlight=False)
    left = await bot.dispatcher.resume(PLATFORM, terminal.reply_of)
    finishing = asyncio.create_task(terminal.resume(left))
    async for line in _lines(prompt="> " if live else ""):
        if not live and line.strip():
            console.print(f"> {line.strip()}", style="bold", markup=False)
        await terminal.hear(line)
    await terminal.finish()
    await finishing
    console.print(_closing(world), style="dim", markup=False)
    return terminal.exit_code


def _speakers(bot: Bot) -> Callable[[str], Awaitable[Caller]]:
    async def speaks_as(name: str) -> Caller:
        account = f"{PLATFORM}:{name}"
        if name != OPERATOR:
            with suppress(FleetError):
                known = bot.fleet.registry.last or await bot.fleet.registry.get()
                if name in known.registry or name in (await bot.fleet.registry.get()).registry:
                    return BotInstance(name)
        return Human(account, name, operator=account in bot.settings.operators)

    return speaks_as


async def _lines(prompt: str) -> AsyncIterator[str]:
    """Standard input, a line each time one is asked for.

    Read in a thread that nobody waits for: a blocked read must not hold up Ctrl-C.
    """
    loop = asyncio.get_running_loop()
    readline.set_auto_history(bool(prompt))
    while True:
        line: asyncio.Future[str | None] = loop.create_future()
        threading.Thread(target=_read, args=(prompt, loop, line), daemon=True).start()
        text = await line
        if text is None:
            return
        yield text


def _read(prompt: str, loop: asyncio.AbstractEventLoop, line: "asyncio.Future[str | None]") -> None:
    try:
        text: str | None = input(prompt)
    except (EOFError, OSError, UnicodeDecodeError):
        text = None

    def hand_over() -> None:
        if not line.done():
            line.set_result(text)

    with suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(hand_over)


def _closing(world: World) -> str:
    deploys = sum(one.action == "deploy" for one in world.control_api.invocations)
    runs = len(world.github.runner.runs)
    return f"The Control API was asked for {deploys} deploys; GitHub began {runs} runs."
