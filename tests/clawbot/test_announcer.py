"""About which deploys a channel's bot asks the Control API, and when, by what that answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from clawbot.fleet_channel.announcing import LEFT_AFTER_FAILURE_SECONDS, Announcer
from clawbot.lease import LEFT_TO_OTHERS_SECONDS
from clawbot.living_reply import ReplyMessage
from clawbot.replies import Deploying, GoesOn, Notice, Reply
from clawbot.tracking import Tracker
from fleet_control.control_api import ControlApi
from tests.clawbot.control_api import Api, run
from tests.clawbot.told_platform import Platform, ToldChannel
from tests.clock import TurnedClock

LOOK_SECONDS = 30
AWAY = (502, {"ok": False, "code": "table_unreachable", "error": "The control table is away."})
UNKNOWN = (404, {"ok": False, "code": "unknown_run", "error": "There is no such deploy."})
NONSENSE = (200, {"ok": True, "announcement": "none"})
BUTTONS = {"reply": "", "request_id": ""}


class BrokenMessage:
    """Of an adapter that has a slip."""

    @property
    def id(self) -> str:
        raise RuntimeError("a slip")

    async def show(self, _reply: Reply, _within: float | None) -> bool:
        return True

    async def heard(self) -> None: ...

    async def whisper(self, notice: Notice) -> None: ...

    async def call(self, reply: Deploying) -> None: ...


@dataclass
class BreakableChannel(ToldChannel):
    is_broken: bool = False

    def message(self, id_: str = "", answers: str = "") -> ReplyMessage:
        if self.is_broken:
            return BrokenMessage()
        return super().message(id_, answers)


class LogEvent(logging.Handler):
    """Waits for a line of the log that has these words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self._heard: asyncio.Future[logging.LogRecord] = asyncio.Future()

    def emit(self, record: logging.LogRecord) -> None:
        if self._words in record.msg and not self._heard.done():
            self._heard.set_result(record)

    async def heard(self) -> logging.LogRecord:
        return await self._heard


@dataclass
class Announcing:
    """What one bot asks, look by look; its own replies tell of run 99."""

    api: Api
    clock: TurnedClock
    channel: BreakableChannel

    @property
    def discord(self) -> Platform:
        return self.channel.on

    async def look(self, times: int = 1) -> list[list[int]]:
        """The runs that it asks about in each of so many looks."""
        asked = []
        for _ in range(times):
            before = len(self.api.asked)
            await self.clock.turn(LOOK_SECONDS)
            await self.clock.asleep(1)
            new = self.api.asked[before:]
            asked.append([one["run_id"] for one in new if one["action"] == "announce"])
        for _ in range(20):
            await asyncio.sleep(0)  # what is said in consequence waits for nothing
        return asked


@pytest.fixture
async def announcing(
    outside: tuple[Api, ControlApi], tracker: Tracker, clock: TurnedClock
) -> AsyncIterator[Announcing]:
    api, client = outside
    api.announced = {"silence": "leased", "by": "claw-2"}
    channel = BreakableChannel(Platform("discord"), "demo")
    announcer = Announcer(client, tracker, lambda run: run.id == 99, channel, "demo", clock)
    task = asyncio.create_task(announcer.run())
    await clock.asleep(1)
    yield Announcing(api, clock, channel)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_a_reply_tells_is_left_for_two_minutes_after_each_time_it_saw_nothing(
    announcing: Announcing,
) -> None:
    api = announcing.api
    api.runs = [run(1), run(99)]
    assert await announcing.look(5) == [[], [], [], [1], [1]]
    assert api.count("holds") == 0
    assert LEFT_TO_OTHERS_SECONDS == 120

    api.refused["runs"] = AWAY
    assert await announcing.look() == [[]]
    del api.refused["runs"]
    api.refused["holds"] = AWAY
    assert await announcing.look() == [[]]
    del api.refused["holds"]

    assert await announcing.look(5) == [[], [], [], [], [1]]
    assert api.count("holds") == 2


async def test_what_nobody_s_reply_tells_and_another_bot_does_is_asked_about_at_once_until_then(
    announcing: Announcing,
) -> None:
    announcing.api.runs = [run(1, **BUTTONS)]

    assert await announcing.look(4) == [[1], [], [], [1]]


async def test_a_run_that_the_control_api_does_not_know_yet_is_asked_about_again_at_once(
    announcing: Announcing,
) -> None:
    announcing.api.runs = [run(1, **BUTTONS)]
    announcing.api.refused["announce"] = UNKNOWN

    assert await announcing.look(3) == [[1], [1], [1]]
    assert announcing.api.count("holds") == 0


@pytest.mark.parametrize("answer", [AWAY, NONSENSE])
async def test_a_run_that_can_t_be_asked_about_is_left_until_another_could_have_taken_it(
    announcing: Announcing, answer: tuple[int, dict[str, Any]]
) -> None:
    announcing.api.runs = [run(1, **BUTTONS)]
    announcing.api.refused["announce"] = answer

    assert await announcing.look(8) == [[1], *[[]] * 6, [1]]
    assert LEFT_AFTER_FAILURE_SECONDS == 7 * LOOK_SECONDS
    assert announcing.api.count("holds") == 2


async def test_of_a_duplicate_nobody_asks_any_more_once_it_ended(announcing: Announcing) -> None:
    announcing.api.announced = {"silence": "duplicate"}
    ended = run(2, "completed", "cancelled", **BUTTONS)
    announcing.api.runs = [run(1, **BUTTONS), ended]

    assert await announcing.look(5) == [[1, 2], [], [], [1], [1]]


async def test_our_own_earlier_message_points_on_as_soon_as_there_is_another(
    announcing: Announcing,
) -> None:
    announcing.api.announced |= {"earlier": [["demo", "55"]]}
    announcing.api.runs = [run(1, **BUTTONS)]
    await announcing.look(4)
    assert announcing.discord.messages == {}

    announcing.api.announced["message"] = "77"
    await announcing.look()

    (stands,) = announcing.discord.messages.values()
    assert stands.shown == [GoesOn("Deploy claw-2", "discord:900", "77")]


async def test_where_its_end_was_told_without_a_message_ours_says_that_it_goes_on_elsewhere(
    announcing: Announcing,
) -> None:
    announcing.api.announced = {"silence": "told", "by": "", "earlier": [["demo", "55"]]}
    announcing.api.runs = [run(1, **BUTTONS)]
    await announcing.look()

    (stands,) = announcing.discord.messages.values()
    assert stands.shown == [GoesOn("Deploy claw-2", "discord:900", "")]


@pytest.mark.parametrize(
    "seen",
    [
        {"silence": "told", "end": "done"},
        {"silence": "told", "message": ""},
        {"silence": "duplicate"},
    ],
)
async def test_our_message_of_what_is_told_or_of_a_duplicate_stays_as_it_is(
    announcing: Announcing, seen: dict[str, str]
) -> None:
    announcing.api.announced = {"by": "demo", "message": "77", **seen}
    announcing.api.runs = [run(1, **BUTTONS)]

    assert await announcing.look(3) == [[1], [], []]
    assert announcing.discord.messages == {}


@pytest.mark.parametrize("is_broken", [False, True])
async def test_what_can_t_be_told_is_logged_with_its_trace_where_it_broke_in_us(
    announcing: Announcing, is_broken: bool
) -> None:
    said = LogEvent("fleet.not_announced")
    logging.getLogger("clawbot").addHandler(said)
    announcing.api.announced, announcing.api.runs = {}, [run(1, **BUTTONS)]
    announcing.discord.shut_out, announcing.channel.is_broken = {"demo"}, is_broken
    await announcing.look()
    record = await said.heard()
    logging.getLogger("clawbot").removeHandler(said)

    assert bool(record.exc_info) is is_broken
