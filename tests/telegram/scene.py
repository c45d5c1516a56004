"""A few chats, a fleet behind them, and bots that come and go."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Self

from clawbot.bot import assemble
from clawbot.sandbox.telegram_api.history import Json, group, private, user
from clawbot.sandbox.telegram_api.people import People
from clawbot.sandbox.telegram_api.server import BotApi
from clawbot.settings import load
from clawbot.telegram.pace import Limits, Rate
from clawbot.telegram.run import run
from tests.clawbot.bots import registry
from tests.clock import TurnedClock
from tests.discord.control import Control, control
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import Aws

TOKEN = "700100:AAtestTokenOfTheFleetBotInTestsOnly"
PATIENCE_SECONDS = 20.0
OPERATOR, VISITOR, CLAW_1 = 1001, 2002, 3003
FLEET = -1001234567890
SOON = Limits(Rate(0.0001, 1000), Rate(0.0001, 1000), Rate(0.0001, 1000), edits=3.0)


class Scene:
    """`operator` may deploy, `visitor` may not, `claw` is the account of claw-1's agent.

    Attributes:
        poll_seconds, answer_seconds: how long a poll is held, and how long Telegram may take.
    """

    def __init__(self, clock: TurnedClock, ec2: Aws) -> None:
        self.clock = clock
        self.ec2 = ec2
        self.telegram = BotApi(TOKEN, clock)
        self.people = People(self.telegram)
        self.operator = user(OPERATOR, "Olga")
        self.visitor = user(VISITOR, "Vera")
        self.claw = user(CLAW_1, "claw", is_bot=True, username="claw_1_bot")
        self.fleet = group(FLEET)
        self.alone = private(OPERATOR)
        self.poll_seconds = 5
        self.answer_seconds = 2.0
        self.api: Control
        self._stack = AsyncExitStack()
        self._running: dict[str, asyncio.Task[None]] = {}
        self.hosts(Claw("claw-1"), Claw("claw-2"))

    async def __aenter__(self) -> Self:
        await self.telegram.start()
        self._stack.push_async_callback(self.telegram.stop)
        for chat in (self.fleet, self.alone):
            self.telegram.history.chats[chat["id"]] = chat
        self.api = await self._stack.enter_async_context(control())
        known = json.loads(registry("claw-1", "claw-2"))
        known["claw-1"]["telegramUserId"] = str(CLAW_1)
        self.api.registry = json.dumps(known)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        for name in tuple(self._running):
            await self.stop(name)
        await self._stack.aclose()

    def hosts(self, *claws: Claw) -> None:
        stage(self.ec2, claws)

    # -- bots ------------------------------------------------------------------------------

    async def start(
        self, name: str = "demo", each: float = 0.1, **environ: str
    ) -> asyncio.Task[None]:
        """A bot of that name, polling; or already ended, with its trouble."""
        before = self.telegram.updates.polls
        task = self.run(name, **environ)
        await self.until(lambda: task.done() or self.telegram.updates.polls > before, each)
        return task

    def run(self, name: str = "demo", **environ: str) -> asyncio.Task[None]:
        self._running[name] = asyncio.create_task(self._bot(name, environ))
        return self._running[name]

    async def stop(self, name: str = "demo") -> None:
        """A clean stop."""
        task = self._running.pop(name)
        task.cancel()
        await self.until(task.done)
        if not task.cancelled():
            task.exception()

    def environ(self, name: str) -> dict[str, str]:
        return {
            "CLAWBOT_NAME": name,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": self.api.url,
            "CLAWBOT_CONTROL_TOKEN": "token",
            "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
            "CLAWBOT_EC2_URL": self.ec2.url,
            "CLAWBOT_OPERATORS": f"telegram:{OPERATOR}",
            "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
            "CLAWBOT_TELEGRAM_CHATS": str(FLEET),
            "CLAWBOT_TELEGRAM_API_URL": self.telegram.url,
        }

    async def _bot(self, name: str, environ: dict[str, str]) -> None:
        async with assemble(load(self.environ(name) | environ), self.clock) as bot:
            await run(bot, SOON, self.poll_seconds, self.answer_seconds)

    # -- what people do --------------------------------------------------------------------

    async def say(self, text: str, sender: Json | None = None, **more: Any) -> Json:
        """The operator, alone with the bot, or whoever in the fleet's group."""
        if sender is None:
            return await self.people.say(self.alone, self.operator, text, **more)
        return await self.people.say(self.fleet, sender, text, **more)

    async def press(self, message: Json, label: str, sender: Json | None = None) -> str:
        return await self.people.press(message, sender or self.operator, label)

    async def reply_to(self, asked: Json) -> Json:
        """The message that answers `asked`."""
        answer: Json = await self.telegram.history.until(lambda: self.answer_to(asked))
        return answer

    def answer_to(self, asked: Json) -> Json | None:
        """The first answer there is to `asked`."""
        return next(
            (
                one
                for one in self.telegram.history.shown(asked["chat"]["id"])
                if one.get("reply_to_message", {}).get("message_id") == asked["message_id"]
            ),
            None,
        )

    async def answered(self, query: str) -> str:
        """What whoever pressed was shown; empty where nothing was."""
        answers = self.telegram.methods.answers
        await self.until(lambda: query in answers)
        return answers[query][0]

    async def asked_for(self, action: str, count: int) -> None:
        """Return once the Control API was asked for that so often."""
        await self.until(lambda: self.api.count(action) >= count, each=0.05)

    async def settled(self) -> None:
        """Return once every update so far has been taken, and what came of it has been said."""
        for marker in (
            await self.say("/fleet@fleet_bot help", self.operator),
            await self.say("/fleet help"),
        ):
            await self.reply_to(marker)

    async def steal(self) -> None:
        """Another program polls with the same token."""
        await self.until(lambda: self.telegram.updates.polled)
        await self.telegram.updates.steal()

    # -- time ------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], object], each: float = 1.0) -> None:
        """Let time pass, so many seconds at a turn, until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await self.clock.turn(each)
                with suppress(TimeoutError):
                    await self.telegram.history.until(holds, within=0.01)


def labels(message: Json) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]
