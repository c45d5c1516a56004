"""`clawbot run` says in a sentence why it can't, and tries a front again that stopped."""

import asyncio
from collections.abc import Callable

import pytest

from clawbot.bot import Bot, assemble
from clawbot.front import BadSettings, Front, Unserved
from clawbot.readiness import FrontReadiness
from clawbot.serve import (
    serve,
    side_by_side,
)
from clawbot.settings import load
from tests.fleet_control.hasty_clock import HastyClock

SETTINGS = {
    "CLAWBOT_NAME": "demo",
    "CLAWBOT_REGION": "eu-central-1",
    "CLAWBOT_CONTROL_API_URL": "http://127.0.0.1:1/",
    "CLAWBOT_CONTROL_TOKEN": "token",
    "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
    "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
}


def test_without_settings_it_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve({}) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "clawbot can't serve:"
    assert len(said) == 7


def test_without_a_token_there_is_no_front(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(SETTINGS) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  No front is configured: set CLAWBOT_DISCORD_TOKEN or CLAWBOT_TELEGRAM_TOKEN."
    ]


async def pauses(serves: list[float], stop: Callable[[], None]) -> list[float]:
    """Between the tries of a front that serves so many seconds each time, and stops like that."""
    clock = HastyClock()
    begun: list[float] = []
    ended: list[float] = []

    async def run(bot: Bot, _told: FrontReadiness) -> None:
        if len(begun) == len(serves):
            raise BadSettings("Enough.")
        begun.append(clock.now())
        await bot.clock.sleep(serves[len(begun) - 1])
        ended.append(clock.now())
        stop()

    async with assemble(load(SETTINGS), clock) as bot, asyncio.timeout(20):
        with pytest.raises(BadSettings, match="Enough"):
            await side_by_side(bot, [Front("one", run)])
    return [after - before for before, after in zip(ended, begun[1:], strict=False)]


def trouble() -> None:
    raise Unserved("away") from ConnectionError()


def broken() -> None:
    raise ValueError("nobody thought of this")


@pytest.mark.parametrize("stop", [lambda: None, trouble, broken])
async def test_the_pause_grows_while_a_front_does_not_stay_up(stop: Callable[[], None]) -> None:
    found = await pauses([599.0] * 9, stop)

    assert found == [5, 10, 20, 40, 80, 160, 300, 300]


def unmended() -> None:
    raise Unserved("somebody has to mend this")


async def test_what_somebody_has_to_mend_is_tried_ever_later_up_to_an_hour() -> None:
    assert await pauses([0.0] * 8, unmended) == [300, 600, 1200, 2400, 3600, 3600, 3600]


@pytest.mark.parametrize("stop", [lambda: None, trouble, broken])
async def test_a_front_that_was_well_for_a_while_is_tried_again_soon(
    stop: Callable[[], None],
) -> None:
    found = await pauses([0, 0, 0, 600.0, 0, 0], stop)

    assert found == [5, 10, 20, 5, 10]


async def test_a_front_that_breaks_while_it_ends_is_not_begun_anew() -> None:
    begun = asyncio.Event()

    async def run(_bot: Bot, _told: FrontReadiness) -> None:
        assert not begun.is_set()
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the network went first")

    async with assemble(load(SETTINGS), HastyClock()) as bot, asyncio.timeout(20):
        serving = asyncio.create_task(side_by_side(bot, [Front("one", run)]))
        await begun.wait()
        serving.cancel()
        await asyncio.wait({serving})
    assert serving.cancelled()
