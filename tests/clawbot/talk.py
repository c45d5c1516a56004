"""A terminal chat with a whole bot, as a pipe has it: lines go in, printed replies come out."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.console import Console

from clawbot.bot import Bot
from sandbox.terminal.chat import Terminal
from sandbox.terminal.pipe import PipeOutput
from tests.clawbot.bots import bot_of, registry
from tests.clawbot.control_api import Api
from tests.clock import TurnedClock
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import FakeEc2

FLEET = ("claw-1", "claw-2", "claw-3")


@dataclass
class Talk:
    bot: Bot
    api: Api
    ec2: FakeEc2
    clock: TurnedClock
    terminal: Terminal
    printed: io.StringIO

    def fleet(self, *claws: Claw) -> None:
        stage(self.ec2, claws)

    async def say(self, *lines: str) -> str:
        """What is printed while these lines are heard."""
        self.printed.seek(0)
        self.printed.truncate()
        for line in lines:
            await self.terminal.hear(line)
        return self.printed.getvalue()


def chat(bot: Bot) -> tuple[Terminal, io.StringIO]:
    printed = io.StringIO()
    console = Console(file=printed, width=100, highlight=False)
    return Terminal(lambda act, _: act(bot), PipeOutput(console, bot.clock), bot.clock), printed


@asynccontextmanager
async def talk_with(clock: TurnedClock, ec2: FakeEc2, **settings: str) -> AsyncIterator[Talk]:
    stage(ec2, [Claw(name) for name in FLEET])
    async with bot_of(clock, ec2.url, **settings) as (bot, api):
        api.registry = registry(*FLEET)
        api.ends = "success"
        terminal, printed = chat(bot)
        yield Talk(bot, api, ec2, clock, terminal, printed)
        await terminal.close()
