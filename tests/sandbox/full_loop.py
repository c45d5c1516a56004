"""The full loop: a bot and a terminal chat over its own sandbox, where deploys take seconds."""

import asyncio
import io
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

from rich.console import Console

from clawbot.bot import Bot, assemble
from clawbot.progress import Stage
from clawbot.replies import Deploying, Reply
from clawbot.settings import load
from fleet_control import ec2
from fleet_control.clock import SystemClock
from fleet_control.host import Host, HostState
from sandbox.host_rules import Rules, Timing
from sandbox.moto import set_rules
from sandbox.run_record import RunRecord
from sandbox.sandbox import Pace, Sandbox, SandboxOptions, open_sandbox
from sandbox.terminal.chat import PLATFORM, Terminal
from sandbox.terminal.pipe import PipeOutput

SWIFT = Timing(pending=0.05, initializing=0.05, shutting_down=0.05, lasting=0.02)
HASTY = Pace(steady=0.1, run=0.05, bot=0.2, kept=0.1)
PATIENCE_SECONDS = 60.0
OLDEST, OLDER, NEWEST = (f"ami-{n:02x}c1a3d1{n:09x}" for n in (1, 2, 3))


class AheadClock(SystemClock):
    """The usual clock, and `ahead` seconds more."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class StageOutput(PipeOutput):
    """A pipe's output that also tells of replies that are not final yet."""

    def __init__(self, console: Console, clock: AheadClock) -> None:
        super().__init__(console, clock)
        self._changed = asyncio.Event()
        self._stages: dict[str, set[Stage]] = defaultdict(set)

    def show(self, said: str, reply_id: str, reply: Reply) -> None:
        super().show(said, reply_id, reply)
        if isinstance(reply, Deploying):
            self._stages[reply.progress.target].add(reply.progress.stage)
            self._changed.set()

    async def until(self, target: str, stage: Stage) -> None:
        """Wait until a deploy of `target` is there."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while stage not in self._stages[target]:
                await self._changed.wait()
                self._changed.clear()


@dataclass
class BotRun:
    """A running bot with its terminal chat, and what that printed."""

    bot: Bot
    terminal: Terminal
    output: StageOutput
    printed: io.StringIO

    async def say(self, *lines: str) -> str:
        """What is printed while these lines are heard."""
        self.printed.seek(0)
        self.printed.truncate()
        for line in lines:
            await self.terminal.hear(line)
        return self.printed.getvalue()

    async def finish_left(self) -> None:
        left = await anext(self.bot.deploys.resume(PLATFORM, self.terminal.reply_of))
        self.terminal.finish_left(left)
        await self.terminal.finish()


@dataclass
class FullLoop:
    sandbox: Sandbox
    clock: AheadClock
    registry: Path

    @asynccontextmanager
    async def bot(self, instance: str = "") -> AsyncIterator[BotRun]:
        settings = load(self.sandbox.bot_environ(instance), self.sandbox.folder)
        async with assemble(settings, self.clock) as bot:
            printed = io.StringIO()
            output = StageOutput(Console(file=printed, width=100, highlight=False), self.clock)
            terminal = Terminal(
                lambda act, _: act(bot), output, self.clock, self.sandbox.outside.does
            )
            try:
                yield BotRun(bot, terminal, output, printed)
            finally:
                await terminal.close()

    def hosts(self) -> dict[str, Host]:
        """Who serves each instance now."""
        return {host.name: host for host in self._staying()}

    def machines(self) -> dict[str, str]:
        """Every machine that stays, and whose host it is."""
        return {host.id: host.name for host in self._staying()}

    def _staying(self) -> list[Host]:
        key = self.sandbox.seeded.deployer
        client = ec2.client("eu-central-1", key.access_key, key.secret_key, self.sandbox.aws_url)
        found = ec2.read(client, self.clock.now()).hosts
        client.close()
        leaving = (HostState.SHUTTING_DOWN, HostState.TERMINATED)
        return [host for host in found if host.state not in leaving]

    def terminate(self, instance: str) -> None:
        """End the host that serves it, as somebody in AWS's console would."""
        key = self.sandbox.seeded.deployer
        client = ec2.client("eu-central-1", key.access_key, key.secret_key, self.sandbox.aws_url)
        client.terminate_instances(InstanceIds=[self.hosts()[instance].id])
        client.close()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """No host of less than a day's age becomes healthy: a deploy goes on, and does not end."""
        rules = Rules(replace(SWIFT, initializing=86_400))
        await set_rules(self.sandbox.aws_url, rules)
        yield
        await set_rules(self.sandbox.aws_url, Rules(SWIFT))

    @asynccontextmanager
    async def stopped_at(self, moment: Callable[[RunRecord], bool]) -> AsyncIterator[RunRecord]:
        """The newest run, from that moment on: no step of it ends before this does."""
        github, goes_on = self.sandbox.github, self.sandbox.github.runner.context.goes_on

        def has_come(run: RunRecord) -> bool:
            if moment(run):
                goes_on.clear()
            return not goes_on.is_set()

        try:
            yield await github.until(github.runner.runs[-1].id, has_come)
        finally:
            goes_on.set()

    def asked(self, action: str) -> int:
        """How often the Control API was asked for this."""
        return sum(one.action == action for one in self.sandbox.control_api.invocations)


def entry(id_: str, type_: str = "t3.large") -> dict[str, Any]:
    return {
        "host": id_,
        "instanceType": type_,
        "bootstrapPrefix": f"bootstrap/{id_}",
        "discordTokenSecret": f"{id_}-token",
    }


def write_registry(file: Path, ids: Iterable[str], **types: str) -> None:
    file.write_text(json.dumps({id_: entry(id_, types.get(id_, "t3.large")) for id_ in ids}))


def give_once(file: Path, ids: Iterable[str]) -> None:
    """A registry that is gone once it has been read: a pipe under that name."""
    os.mkfifo(file)

    def give() -> None:
        with file.open("w") as pipe:
            file.unlink()
            json.dump({id_: entry(id_) for id_ in ids}, pipe)

    Thread(target=give, daemon=True).start()


@asynccontextmanager
async def full_loop(registry: Path, **options: Any) -> AsyncIterator[FullLoop]:
    chosen = SandboxOptions(registry=registry, timing=SWIFT, pace=HASTY, **options)
    clock = AheadClock()
    async with open_sandbox(chosen, clock) as sandbox:
        yield FullLoop(sandbox, clock, registry)
