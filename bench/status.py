"""`/fleet status` in a warm bot: beside the two bare reads it needs, and beside the AWS CLI."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from bench.row import Row
from clawbot.ask import Ask
from clawbot.bot import Bot, assemble
from clawbot.living_reply import LivingReply
from clawbot.replies import Deploying, Notice, Reply
from clawbot.requests import Status
from clawbot.settings import load
from fleet_control import ec2
from fleet_control.caller import Human
from fleet_control.clock import SystemClock
from fleet_control.machine import describe_health, describe_machines
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from sandbox.terminal.markup import render

ROUNDS = 15
CLI_ROUNDS = 5
# What the claim grants beside the ratio.
GRANTED_MS = 5.0


class SkippingClock(SystemClock):
    """A clock that is two seconds further at each look, so that nothing is served from a cache."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def skip(self) -> None:
        self._skipped += 2.1

    def now(self) -> float:
        return super().now() + self._skipped

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped


class DrawnMessage:
    """Renders each reply as the terminal does, and throws it away."""

    id = "1"

    async def show(self, reply: Reply, _within: float | None) -> bool:
        render(reply, time.time())
        return True

    async def heard(self) -> None:
        """Nobody is there."""

    async def whisper(self, notice: Notice) -> None:
        render(notice, time.time())

    async def call(self, _reply: Deploying) -> None:
        """Nobody is there."""


def measure() -> list[Row]:
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    async with open_sandbox(SandboxOptions()) as sandbox:
        clock = SkippingClock()
        async with assemble(load(sandbox.bot_environ(), Path("/nonexistent")), clock) as bot:
            return await _compare(sandbox, bot, clock)


async def _compare(sandbox: Sandbox, bot: Bot, clock: SkippingClock) -> list[Row]:
    key = sandbox.seeded.chats["demo"]
    client = ec2.client("eu-central-1", key.access_key, key.secret_key, sandbox.aws_url)
    ask = Ask(Human("terminal:bench"), "terminal", "bench", "1", "1", "terminal:bench")

    async def ours() -> None:
        clock.skip()
        await bot.commands.answer(ask, Status(), LivingReply(DrawnMessage(), clock))

    async def bare() -> None:
        await asyncio.gather(
            asyncio.to_thread(describe_machines, client),
            asyncio.to_thread(describe_health, client),
        )

    warm, reads = await _in_turn(ours, bare, ROUNDS)
    row = Row(
        what=f"`/fleet status` in a warm bot, less {GRANTED_MS:.0f} ms",
        ours_ms=warm - GRANTED_MS,
        theirs="the same two boto3 reads side by side",
        theirs_ms=reads,
        ratio=(warm - GRANTED_MS) / reads,
        limit=1.3,
    )
    command = _aws_cli()
    if command is None:
        print("the AWS CLI is not on PATH: its row is left out", file=sys.stderr)
        return [row]
    environ = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret_key,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": sandbox.aws_url,
        "AWS_PAGER": "",
    }

    async def cli() -> None:
        await asyncio.to_thread(_print_with_cli, command, environ)

    warm, printed = await _in_turn(ours, cli, CLI_ROUNDS)
    return [
        row,
        Row(
            what="`/fleet status` in a warm bot",
            ours_ms=warm,
            theirs="the AWS CLI printing the same table",
            theirs_ms=printed,
            ratio=warm / printed,
            limit=0.05,
        ),
    ]


async def _in_turn(
    ours: Callable[[], Awaitable[None]], theirs: Callable[[], Awaitable[None]], rounds: int
) -> tuple[float, float]:
    """The medians of both in ms, taken A B A B, after one round that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for times, what in zip(taken, (ours, theirs), strict=True):
            began = time.perf_counter()
            await what()
            times.append((time.perf_counter() - began) * 1000)
    return median(taken[0][1:]), median(taken[1][1:])


def _aws_cli() -> str | None:
    """The program itself: a version manager's shim would cost it extra."""
    found = shutil.which("aws")
    pyenv = shutil.which("pyenv")
    if found and pyenv and "shims" in found:
        told = subprocess.run(  # noqa: S603  (the version manager on PATH)
            [pyenv, "which", "aws"], capture_output=True, text=True, check=False
        )
        return told.stdout.strip() or found
    return found


def _print_with_cli(aws: str, environ: dict[str, str]) -> None:
    machines = "Reservations[].Instances[].[InstanceId,State.Name,InstanceType,ImageId,LaunchTime]"
    health = "InstanceStatuses[].[InstanceId,InstanceStatus.Status,SystemStatus.Status]"
    for action, query, more in (
        ("describe-instances", machines, ["--filters", "Name=tag:app,Values=clawdinator"]),
        ("describe-instance-status", health, []),
    ):
        subprocess.run(  # noqa: S603  (the AWS CLI on PATH)
            [aws, "ec2", action, *more, "--query", query, "--output", "table"],
            env=environ,
            check=True,
            capture_output=True,
        )
