"""A bot that is killed at any moment of a deploy, and what its replies say at last.

Its successor makes each reply final that a run answers to. One that was left before the dispatch
stays "asking …", and is true by itself: it says what to do if it has not changed in two minutes
(`tests.killed_deploys.untrue`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sandbox.telegram_api.history import Json
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2
from tests.idle import idle
from tests.killed_deploys import KilledDeploys
from tests.telegram.bringing import Bringing
from tests.telegram.scene import OPERATOR, TelegramScene, labels
from tests.telegram.test_webhook import free_port, serving
from tests.timed_control_api import TimedControlApi

Asks = Callable[[TelegramScene], Awaitable[tuple[str, Json]]]


@pytest.fixture
def rolling() -> TimedControlApi:
    return TimedControlApi(clock=TurnedClock())


@pytest.fixture
async def killed(ec2: FakeEc2, rolling: TimedControlApi) -> AsyncIterator[TelegramScene]:
    ec2.forget()
    scene = TelegramScene(rolling.clock, ec2)
    scene.api = rolling
    async with scene:
        yield scene


def replies(scene: TelegramScene, asked: str) -> dict[str, str]:
    shown = scene.telegram.history.shown(OPERATOR)
    return {
        str(one["message_id"]): one["text"]
        for one in shown
        if one["message_id"] > int(asked) and "Confirm" not in labels(one)
    }


def calls(scene: TelegramScene, asked: str) -> int:
    shown = scene.telegram.history.shown(OPERATOR)
    return sum(one["message_id"] > int(asked) and "Your deploy of" in one["text"] for one in shown)


async def say(scene: TelegramScene) -> tuple[str, Json]:
    """The id of the message that asks, and the update that brings it."""
    asked = await scene.say("/fleet deploy claw-2")
    return str(asked["message_id"]), {"message": asked}


async def confirm(scene: TelegramScene) -> tuple[str, Json]:
    """The id of the message that asks, and the update that brings the yes."""
    asked = await scene.say("/fleet deploy all")

    def question() -> Json | None:
        answer = scene.answer_to(asked)
        return answer if answer and labels(answer) else None

    await scene.until(lambda: scene.line.is_cut or question(), each=0.0)
    if shown := question():
        await scene.press(shown, "Confirm")
        return str(asked["message_id"]), scene.telegram.updates.waiting[-1]
    return str(asked["message_id"]), {}


@pytest.mark.parametrize(
    ("asks", "lag"),
    [(say, 6), (say, 12), (confirm, 12)],
    ids=["6", "12", "12, after a yes"],
)
async def test_each_reply_that_a_run_answers_to_ends_final_and_each_other_is_true(
    killed: TelegramScene, rolling: TimedControlApi, asks: Asks, lag: float
) -> None:
    """And nothing is begun anew, though Telegram brings the ask once more."""
    rolling.lag = lag
    update: Json = {}

    async def ask() -> str:
        nonlocal update
        asked, update = await asks(killed)
        return asked

    async def say_again() -> bool:
        for kind in ("message", "callback_query"):
            if kind in update:
                await killed.telegram.updates.put(kind, update[kind])
        return bool(update)

    killing = KilledDeploys(
        killed,
        rolling,
        killed.start,
        ask,
        lambda asked: replies(killed, asked),
        say_again,
        lambda asked: calls(killed, asked),
        calls_once=False,
    )
    assert await killing.at_each_moment() == {}


class NoneLost(KilledDeploys):
    """Notes the moments after which neither a deploy nor a question came of the ask."""

    lost: tuple[str, ...] = ()
    bringing: Bringing

    async def _idle(self) -> None:
        await idle(lambda: self.scene.line.under_way or self.bringing.is_about_to_bring)

    async def _killed_at(self, moment: int) -> str:
        killed = await super()._killed_at(moment)
        scene = self.scene
        assert isinstance(scene, TelegramScene)
        shown = scene.telegram.history.shown(OPERATOR)
        asks = any(
            one["message_id"] > int(self.asked) and "Confirm" in labels(one) for one in shown
        )
        if not (self.api.runs or asks):
            self.lost += (f"{moment}, {killed}",)
        return killed


@pytest.mark.parametrize(("asks", "way"), [(say, "poll"), (confirm, "webhook")])
async def test_whenever_it_dies_an_ask_is_not_lost_and_deploys_once(
    killed: TelegramScene, rolling: TimedControlApi, asks: Asks, way: str
) -> None:
    """Telegram is told that it may forget an ask no sooner than a successor would not need it."""

    port = free_port()

    async def start() -> None:
        await (killed.start() if way == "poll" else serving(killed, port))

    async def ask() -> str:
        asked, _ = await asks(killed)
        return asked

    async def left_to_telegram() -> bool:
        """What asked first leads to a question where that was to be confirmed, and to no more."""
        begins = "message" if asks is say else "callback_query"
        return any(begins in update for update in killed.telegram.updates.waiting)

    def said(asked: str) -> dict[str, str]:
        return replies(killed, asked)

    def called(asked: str) -> int:
        return calls(killed, asked)

    killing = NoneLost(
        killed, rolling, start, ask, said, left_to_telegram, called, calls_once=False
    )
    killing.bringing = Bringing(killed)
    bringing = asyncio.create_task(killing.bringing.run())
    assert await killing.at_each_moment() == {}
    assert killing.lost == ()
    bringing.cancel()
