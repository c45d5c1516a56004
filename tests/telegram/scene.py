"""A few chats, a fleet behind them, and bots that come and go."""

import asyncio
import json
from typing import Any, Self

from clawbot.bot import assemble
from clawbot.readiness import Readiness
from clawbot.settings import load
from clawbot.telegram.rate_limit import Limits, Rate
from clawbot.telegram.run import run
from sandbox.telegram_api.history import Json, group, private, user
from sandbox.telegram_api.people import People
from sandbox.telegram_api.server import BotApi
from tests.chat_scene import ChatScene
from tests.clock import TurnedClock
from tests.cuttable_network import CuttableNetwork
from tests.fleet_control.aws import FakeEc2

TOKEN = "700100:AAtestTokenOfTheFleetBotInTestsOnly"
OPERATOR, VISITOR, CLAW_1 = 1001, 2002, 3003
FLEET = -1001234567890
SOON = Limits(Rate(0.0001, 1000), Rate(0.0001, 1000), Rate(0.0001, 1000))


class TelegramScene(ChatScene):
    """`operator` may deploy, `visitor` may not, `claw` is the account of claw-1's agent.

    Attributes:
        poll_seconds, answer_seconds: how long a poll is held, and how long Telegram may take.
    """

    def __init__(self, clock: TurnedClock, ec2: FakeEc2) -> None:
        line = CuttableNetwork()
        self.telegram = BotApi(TOKEN, clock, middlewares=[line.middleware])
        super().__init__(clock, ec2, line, self.telegram.history.until)
        self.people = People(self.telegram)
        self.operator = user(OPERATOR, "Olga")
        self.visitor = user(VISITOR, "Vera")
        self.claw = user(CLAW_1, "claw", is_bot=True, username="claw_1_bot")
        self.fleet = group(FLEET)
        self.alone = private(OPERATOR)
        self.poll_seconds = 5
        self.answer_seconds = 2.0

    async def __aenter__(self) -> Self:
        await self.telegram.start()
        self._stack.push_async_callback(self.telegram.stop)
        for chat in (self.fleet, self.alone):
            self.telegram.history.chats[chat["id"]] = chat
        await super().__aenter__()
        known = json.loads(self.api.registry)
        known["claw-1"]["telegramUserId"] = str(CLAW_1)
        self.api.registry = json.dumps(known)
        return self

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
        return self.begin(name, self._bot(name, environ))

    def environ(self, name: str) -> dict[str, str]:
        return self.environ_of(name) | {
            "CLAWBOT_OPERATORS": f"telegram:{OPERATOR}",
            "CLAWBOT_TELEGRAM_TOKEN": TOKEN,
            "CLAWBOT_TELEGRAM_CHATS": str(FLEET),
            "CLAWBOT_TELEGRAM_API_URL": self.telegram.url,
        }

    async def _bot(self, name: str, environ: dict[str, str]) -> None:
        async with assemble(load(self.environ(name) | environ), self.host_clock) as bot:
            told = Readiness(["Telegram"], self.told.append).of("Telegram")
            await run(bot, told, SOON, self.poll_seconds, self.answer_seconds)

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

    async def looked_for(self) -> None:
        """Return once the ledger was asked whether it knows an ask already."""
        asked = self.api.asked
        await self.until(
            lambda: any(one["action"] == "runs" and "request_id" in one for one in asked)
        )

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


def labels(message: Json) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]
