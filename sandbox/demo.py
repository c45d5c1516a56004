"""The demo: a terminal chat with a bot, in a world of its own."""

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fleet_control.clock import SystemClock
from fleet_control.error import RegistryError, RegistryUnread
from fleet_control.ledger import parse_title
from sandbox import terminal_input
from sandbox.completion import completed
from sandbox.demo_front import FRONTS, lacking, serve_front
from sandbox.engine import NoEngine, find
from sandbox.line_editor import LineEditor
from sandbox.lives import Lives
from sandbox.terminal import PLATFORM
from sandbox.terminal_markup import WIDTH
from sandbox.terminal_surface import Screen, Sheet
from sandbox.world import (
    USUAL_PORTS,
    Options,
    World,
    open_world,
    read_registry,
)

BANNER = """A fleet on this machine: AWS, the Control API and GitHub are played on loopback.

  /fleet status                       how every instance is
  /fleet deploy <id or all> [image]   replace a host; asks first where it is grave
  NAME: /fleet …                      say it as an instance, or as a stranger
  yes, no                             answer a question; Ctrl-D ends it all
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


def main(argv: Sequence[str]) -> int:
    """`demo`, as these options wish."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="The whole loop on this machine, with no account and no token.",
        epilog="exit code: 0; 1 if something failed or broke, or its end could not be learnt; "
        "2 if a line was not a command",
    )
    parser.add_argument("--registry", metavar="FILE", help="the registry at its source")
    parser.add_argument("--unhealthy", metavar="IDS", help="their next host never becomes healthy")
    parser.add_argument("--instance", metavar="ID", help="the bot rides on this instance's host")
    parser.add_argument("--front", metavar="NAME", help="terminal, discord or telegram")
    parser.add_argument("--engine", metavar="NAME", help="stand-in, or tofu: the real one")
    parser.add_argument("--log", metavar="FILE", help="write the bot's log there")
    return demo(
        Wish(**{name: value or "" for name, value in vars(parser.parse_args(argv)).items()})
    )


def demo(wish: Wish) -> int:
    """Run it; the exit code of `Terminal.exit_code`, or 1 with a sentence if it can't start."""
    problem = _problem(wish)
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201  (before there is a chat)
        return 1
    # Without a handler of ours, warnings would land between the replies.
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        handlers=[logging.FileHandler(wish.log) if wish.log else logging.NullHandler()],
    )
    try:
        return asyncio.run(_run(wish))
    except KeyboardInterrupt:
        return 130
    except RegistryError as error:  # it was there a moment ago
        print(_no_registry(_registry(wish), error), file=sys.stderr)  # noqa: T201  (as above)
        return 1


def _problem(wish: Wish) -> str:
    """Why there can be no such demo, with what would be right."""
    if wish.front not in ("", PLATFORM) and (why := lacking(wish.front, os.environ)):
        return why
    if wish.engine not in ("", "stand-in", "tofu"):
        return f"ENGINE={wish.engine}: there are `stand-in` and `tofu`."
    return _log_problem(wish) or _engine_problem(wish) or _registry_problem(wish, _registry(wish))


def _log_problem(wish: Wish) -> str:
    try:
        if wish.log:
            Path(wish.log).open("a").close()
    except OSError as error:
        return f"LOG={wish.log} can't be written: {error.strerror}."
    return ""


def _engine_problem(wish: Wish) -> str:
    try:
        _options(wish)
    except NoEngine as error:
        return f"ENGINE={wish.engine}: {error}"
    return ""


def _registry_problem(wish: Wish, registry: Path) -> str:
    try:
        return _unknown(wish, read_registry(registry)[1].ids)
    except RegistryError as error:
        return _no_registry(registry, error)


def _no_registry(registry: Path, error: RegistryError) -> str:
    if isinstance(error, RegistryUnread):
        return f"REGISTRY={error}"
    return "\n".join([f"REGISTRY={registry} is not a valid registry:", *error.problems])


def _registry(wish: Wish) -> Path:
    return Path(wish.registry) if wish.registry else Options().registry


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
    if wish.engine == "tofu":
        options = replace(options, engine=find(os.environ), say=_say)
    return replace(options, registry=Path(wish.registry)) if wish.registry else options


def _say(what: str) -> None:
    """How far the set-up is; not among the replies."""
    print(f"  {what}", file=sys.stderr, flush=True)  # noqa: T201  (before there is a chat)


async def _run(wish: Wish) -> int:
    """Until it ends, or is told to end by a signal: then that many more than 128."""
    served = asyncio.ensure_future(_serve(wish))
    by: list[int] = []

    def end(signal_: int) -> None:
        by.append(signal_)
        served.cancel()

    for signal_ in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup a terminal that is gone is no reason to end.
        if signal.getsignal(signal_) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(signal_, end, signal_)
    try:
        return await served
    except (asyncio.CancelledError, OSError):  # a terminal that is gone takes no last words
        if not by:
            raise
        return 128 + by[0]


async def _serve(wish: Wish) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no ✓
    async with open_world(_options(wish)) as world:
        if wish.front in FRONTS:
            return await serve_front(world, wish.instance, wish.front, os.environ)
        if _is_terminal():
            return await _with_a_person(world, wish.instance)
        return await _with_a_script(world, wish.instance)


async def _with_a_script(world: World, instance: str) -> int:
    console, clock = Console(width=WIDTH, force_terminal=False, highlight=False), SystemClock()
    async with Lives(world, instance, Sheet(console, clock), clock) as bot:
        if sys.stdin is not None:
            async for line in terminal_input.lines(sys.stdin.fileno()):
                await bot.terminal.hear(line)
        await bot.finish()
    _close(console, world)
    return bot.exit_code


async def _with_a_person(world: World, instance: str) -> int:
    console, clock = Console(highlight=False), SystemClock()
    console.print(Text(BANNER))
    editor = LineEditor(lambda typed: completed(typed, bot.ids))
    fd = sys.stdin.fileno()
    with terminal_input.each_key(fd), Screen(console, clock, editor) as screen:
        async with Lives(world, instance, screen, clock) as bot:
            async for keys in terminal_input.chunks(fd):
                # Lines that come in one go were pasted: a script, to be heard one by one.
                bot.terminal.hear_soon(editor.feed(keys))
                screen.refresh()
                if editor.ended:
                    break
            screen.leave()
            await bot.finish()
    _close(console, world)
    return bot.exit_code


def _is_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _close(console: Console, world: World) -> None:
    for line in _reached(world):
        console.print(Text(line, style="dim"), soft_wrap=True)


def _reached(world: World) -> Iterator[str]:
    """What came through to the Control API, and from there to GitHub."""
    actions = Counter(one.action or "?" for one in world.control_api.invocations)
    calls = ", ".join(f"{count} {action}" for action, count in actions.most_common())
    yield f"The Control API was called {actions.total()} times: {calls or 'nothing'}."
    runs = list(world.github.runner.runs)
    yield f"GitHub ran {len(runs)} deploy{'' if len(runs) == 1 else 's'}{':' if runs else '.'}"
    for run in sorted(runs, key=lambda run: run.id):
        entry = parse_title(run.title)
        if entry:
            by = entry.caller or entry.requested_by.partition(" ")[2] or "somebody"
            yield f"  {entry.target} by {by}: {run.conclusion or run.status}"
