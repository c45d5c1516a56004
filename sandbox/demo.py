"""The demo: a terminal chat with a bot, over a sandbox of its own."""

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from clawbot import log_line
from clawbot.settings import LogForm
from fleet_control.clock import SystemClock
from fleet_control.error import RegistryError, RegistryUnread
from fleet_control.run_title import parse_title
from sandbox.demo_bot import DemoBot
from sandbox.demo_front import FRONTS, lacking, serve_front
from sandbox.engine import NoEngine, find
from sandbox.host_rules import Behaviour
from sandbox.operator_environ import leave_out
from sandbox.sandbox import USUAL_PORTS, Sandbox, SandboxOptions, open_sandbox, read_registry
from sandbox.terminal.chat import PLATFORM
from sandbox.terminal.markup import WIDTH
from sandbox.terminal.pipe import PipeOutput, lines
from sandbox.terminal.prompt import Prompt

BANNER = """A fleet on this machine: AWS, the Control API and GitHub are played on loopback.

  /fleet status                       how every instance is
  /fleet deploy <id or all> [image or commit]   replace a host; asks first where it is grave
  NAME: /fleet …                      say it as an instance, or as a stranger
  merge [words]                       what hosts are built from changes
  merge docs [words]                  only documents do: no new revision
  reboot <id>; network off, on        what may befall a host
  spoil seed                          another lies where the newest revision's is
  spoil bundle <id> missing           or stale, or other: another instance's
  clawbot bundle upload <id>          every bundle is as it was
  clawbot audit [2h]                  who did what
  yes, no                             answer a question; Ctrl-D ends it all
"""


@dataclass
class DemoArguments:
    """The arguments of `make demo`."""

    registry: str = str(SandboxOptions().registry)
    unhealthy: str = ""
    crashing: str = ""
    instance: str = ""
    front: str = PLATFORM
    engine: str = "stand-in"
    log: str = os.devnull


def main(argv: Sequence[str]) -> int:
    """Run the demo; returns `Terminal.exit_code`, or 1 with a sentence if it can't start."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="The whole loop on this machine, with no account and no token.",
        epilog="exit code: 0; 1 if something failed or broke, or its end could not be learnt; "
        "2 if a line was not a command",
    )
    parser.add_argument("--registry", metavar="FILE", help="the registry at its source")
    parser.add_argument("--unhealthy", metavar="IDS", help="their next host never becomes healthy")
    parser.add_argument("--crashing", metavar="IDS", help="their next agent keeps dying")
    parser.add_argument("--instance", metavar="ID", help="the bot rides on this instance's host")
    parser.add_argument("--front", metavar="NAME", help="terminal, discord or telegram")
    parser.add_argument("--engine", metavar="NAME", help="stand-in, or tofu: the real one")
    parser.add_argument("--log", metavar="FILE", help="write the log there, as JSON by that name")
    args = parser.parse_args(argv, DemoArguments())
    leave_out(os.environ)
    try:
        options = _options(args)
        _log_to(args.log)
        return asyncio.run(_run(args, options))
    except RegistryUnread as error:
        sys.exit(f"REGISTRY={error}")
    except RegistryError as error:
        sys.exit("\n".join([f"REGISTRY={args.registry} is not a valid registry:", *error.problems]))


def _options(args: DemoArguments) -> SandboxOptions:
    """The options of these arguments; exits with what would be right where there are none."""
    if args.front != PLATFORM and (why := lacking(args.front, os.environ)):
        sys.exit(why)
    if args.engine not in ("stand-in", "tofu"):
        sys.exit(f"ENGINE={args.engine}: there are `stand-in` and `tofu`.")
    try:
        engine = find(os.environ) if args.engine == "tofu" else None
    except NoEngine as error:
        sys.exit(f"ENGINE={args.engine}: {error}")
    unhealthy = frozenset(args.unhealthy.replace(",", " ").split())
    crashing = frozenset(args.crashing.replace(",", " ").split())
    ids = read_registry(Path(args.registry))[1].ids
    for name, wanted in (
        ("UNHEALTHY", unhealthy),
        ("CRASHING", crashing),
        ("INSTANCE", {args.instance}),
    ):
        for id_ in sorted(wanted - {"", *ids}):
            known = ", ".join(ids[:20])
            sys.exit(f"{name}={id_}: the registry has no such instance; it has {known}.")
    return SandboxOptions(
        registry=Path(args.registry),
        unhealthy=unhealthy,
        ways=dict.fromkeys(crashing, Behaviour.AGENT_DIES),
        engine=engine,
        say=_say,
        ports=USUAL_PORTS,
    )


def _log_to(file: str) -> None:
    # Without a handler of ours, warnings would land between the replies.
    try:
        handler = logging.FileHandler(file)
        form = LogForm.JSON if Path(file).suffix in (".json", ".jsonl") else LogForm.TEXT
        handler.setFormatter(log_line.formatter(form))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
    except OSError as error:
        sys.exit(f"LOG={file} can't be written: {error.strerror}.")


def _say(what: str) -> None:
    """Print how far the set-up is, to standard error."""
    print(f"  {what}", file=sys.stderr, flush=True)  # noqa: T201  (before there is a chat)


async def _run(args: DemoArguments, options: SandboxOptions) -> int:
    """Serve to the end; where a signal ends it, returns 128 and that signal's number."""
    served = asyncio.ensure_future(_serve(args, options))
    by: list[int] = []

    def end(signal_: int) -> None:
        by.append(signal_)
        served.cancel()  # and nothing beside it: what is being printed comes to its end

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


async def _serve(args: DemoArguments, options: SandboxOptions) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no ✓
    async with open_sandbox(options) as sandbox:
        if args.front in FRONTS:
            return await serve_front(sandbox, args.instance, args.front, os.environ)
        return await _chat(sandbox, args.instance)


async def _chat(sandbox: Sandbox, instance: str) -> int:
    """Serve a person at a terminal, or a script that comes through a pipe."""
    console, clock = Console(highlight=False), SystemClock()
    if all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        console.print(Text(BANNER))
        prompt = Prompt(console, clock, lambda: bot.ids)
        async with DemoBot(sandbox, instance, prompt, clock) as bot:
            await prompt.converse(bot.terminal.hear_soon, bot.finish)
    else:
        console = Console(width=WIDTH, force_terminal=False, highlight=False)
        async with DemoBot(sandbox, instance, PipeOutput(console, clock), clock) as bot:
            if sys.stdin is not None:
                async for line in lines(sys.stdin.fileno()):
                    await bot.terminal.hear(line)
            await bot.finish()
    for line in _reached(sandbox):
        console.print(Text(line, style="dim"), soft_wrap=True)
    return bot.terminal.exit_code


def _reached(sandbox: Sandbox) -> Iterator[str]:
    """Lines that tell how many calls reached the Control API and GitHub."""
    actions = Counter(one.action or "?" for one in sandbox.control_api.invocations)
    calls = ", ".join(f"{count} {action}" for action, count in actions.most_common())
    yield f"The Control API was called {actions.total()} times: {calls or 'nothing'}."
    counted, limit = sandbox.github.counted, sandbox.github.quota.limit
    yield f"For them GitHub counted {counted} calls; it grants {limit:,} an hour."
    runs = list(sandbox.github.runner.runs)
    yield f"GitHub ran {len(runs)} deploy{'' if len(runs) == 1 else 's'}{':' if runs else '.'}"
    for run in sorted(runs, key=lambda run: run.id):
        entry = parse_title(run.title)
        if entry:
            by = entry.caller or entry.requested_by.partition(" ")[2] or "somebody"
            yield f"  {entry.target} by {by}: {run.conclusion or run.status}"
