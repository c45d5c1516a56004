"""The fleet's channel of one bot, by itself: the real library against the Bot API on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clawbot.living_reply import LivingReply
from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying, GoesOn, Reply
from clawbot.seal import Seal
from clawbot.telegram.buttons import TelegramDrawing
from clawbot.telegram.chats import FleetChats
from clawbot.telegram.fleet_channel import TelegramFleetChannel
from clawbot.telegram.fleet_place import TelegramFleetPlace
from clawbot.telegram.outbox import Outbox
from clawbot.telegram.rate_limit import Limits, Rate, RateLimit
from fleet_control.preflight import Check
from sandbox.telegram_api.server import BotApi
from tests.clock import TurnedClock
from tests.telegram.library_bot import library_bot
from tests.telegram.scene import FLEET, TOKEN

OTHER_TOKEN = "700200:AAtestTokenOfAnotherBotInTestsOnly"
_AT_ONCE = Limits(Rate(0.0001, 1000), Rate(0.0001, 1000), Rate(0.0001, 1000), edits=0)


@dataclass(frozen=True, slots=True)
class ServedFleet:
    """One bot's fleet's channel, and what it stands on."""

    channel: TelegramFleetChannel
    place: TelegramFleetPlace
    chats: FleetChats
    clock: TurnedClock

    async def tell(self, reply: Reply, id_: str = "", answers: str = "") -> str:
        """The id of the message that says it."""
        message = self.channel.message(id_, answers)
        await LivingReply(message, self.clock).show(reply)
        return message.id

    async def check(self) -> Check:
        return await self.place.check()


@asynccontextmanager
async def serving_fleet(
    api: BotApi,
    clock: TurnedClock,
    named: str = str(FLEET),
    calls: tuple[int, ...] = (),
    token: str = TOKEN,
    limits: Limits = _AT_ONCE,
    chats: tuple[int, ...] = (),
) -> AsyncIterator[ServedFleet]:
    known = FleetChats([int(named.partition("/")[0]), *chats])
    drawing = TelegramDrawing(Seal("secret"), clock)
    async with library_bot(token, api.url) as telegram:
        outbox = Outbox(telegram, clock, RateLimit(clock, limits), known)
        place = TelegramFleetPlace(telegram, known, named, calls, drawing.names)
        channel = TelegramFleetChannel(outbox, drawing, clock, known, place, named, calls)
        yield ServedFleet(channel, place, known, clock)


def deploying(stage: Stage = Stage.RUNNING, **more: object) -> Deploying:
    took = 60.0 if stage is Stage.DONE else 0.0
    return Deploying(Progress(stage, "claw-2", run_id=1, took=took), **more)  # type: ignore[arg-type]


def gone_on(message: str = "77", channel: str = f"telegram:{FLEET}/5") -> GoesOn:
    return GoesOn("Deploy claw-2", channel, message)
