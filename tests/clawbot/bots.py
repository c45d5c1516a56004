"""A whole bot over a Control API and an EC2 on loopback, and a chat that keeps what is said."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from clawbot.ask import Ask
from clawbot.bot import Bot, assemble
from clawbot.living_reply import LivingReply, State
from clawbot.replies import Deploying, Notice, Reply
from clawbot.settings import load
from fleet_control.caller import Caller, Human
from fleet_control.clock import Clock
from tests.clawbot.control_api import Api, control_api
from tests.clock import TurnedClock

OPERATOR = Human("terminal:operator", "operator", operator=True)
VISITOR = Human("terminal:visitor", "visitor")


@dataclass
class KeptChat:
    """Every reply in order, what each message shows now, and what was whispered."""

    clock: Clock
    said: list[Reply] = field(default_factory=list)
    messages: dict[str, Reply] = field(default_factory=dict)
    whispered: list[Notice] = field(default_factory=list)
    called: list[Deploying] = field(default_factory=list)
    heard: int = 0
    broken: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def reply(self, stands: str = "") -> LivingReply:
        """A new one, or the one that stands in a message."""
        state = State.SENT if stands else State.UNSENT
        return LivingReply(KeptMessage(self, stands), self.clock, state)

    async def show(self, reply_id: str, reply: Reply) -> None:
        if self.broken:
            raise ConnectionError("the platform does not answer")
        async with self.changed:
            self.said.append(reply)
            self.messages[reply_id] = reply
            self.changed.notify_all()

    async def until_said(self, count: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.said) >= count)

    async def until(self, kind: type[Reply]) -> Reply:
        async with self.changed:
            await self.changed.wait_for(lambda: any(isinstance(one, kind) for one in self.said))
        return next(one for one in reversed(self.said) if isinstance(one, kind))


@dataclass
class KeptMessage:
    chat: KeptChat
    id: str = ""

    async def show(self, reply: Reply, _within: float | None) -> bool:
        made = self.id or str(len(self.chat.messages) + 1)
        await self.chat.show(made, reply)
        self.id = made
        return True

    async def heard(self) -> None:
        self.chat.heard += 1

    async def whisper(self, notice: Notice) -> None:
        if self.chat.broken:
            raise ConnectionError("the platform does not answer")
        self.chat.whispered.append(notice)

    async def call(self, reply: Deploying) -> None:
        self.chat.called.append(reply)


def ask(caller: Caller = OPERATOR, asked: str = "1", account: str = "", said: float = 0.0) -> Ask:
    return Ask(
        caller=caller,
        platform="terminal",
        bot="demo",
        channel="1",
        asked=asked,
        account=account or (caller.account if isinstance(caller, Human) else "terminal:bot"),
        name="operator",
        said=said,
    )


def registry(*ids: str) -> str:
    return json.dumps(
        {
            id_: {
                "host": id_,
                "instanceType": "t3.large",
                "bootstrapPrefix": f"bootstrap/{id_}",
                "discordTokenSecret": f"{id_}-token",
            }
            for id_ in ids
        }
    )


@asynccontextmanager
async def bot_of(
    clock: TurnedClock, ec2_url: str, **settings: Any
) -> AsyncIterator[tuple[Bot, Api]]:
    """A bot named demo, with `terminal:operator` as its operator."""
    async with control_api(clock) as (api, _):
        api.registry = registry("claw-1", "claw-2")
        environ = {
            "CLAWBOT_NAME": "demo",
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": api.url,
            "CLAWBOT_CONTROL_TOKEN": "token",
            "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": ec2_url,
            "CLAWBOT_OPERATORS": "terminal:operator",
        } | settings
        async with assemble(load(environ), clock) as bot:
            yield bot, api
