"""A stop waits for what nobody else will finish, and not for ever."""

import asyncio

import pytest

from clawbot.deadline import END_WITHIN_SECONDS
from clawbot.in_flight import FINISH_WITHIN_SECONDS, InFlight
from tests.clock import TurnedLoop


@pytest.mark.parametrize(("seconds", "ends"), [(25, True), (35, False)])
async def test_a_stop_waits_half_a_minute(seconds: float, ends: bool) -> None:
    loop, flight, answered = (
        TurnedLoop(),
        InFlight(print),
        asyncio.Event(),
    )
    work = flight.begin(answered.wait())
    closing = asyncio.create_task(flight.close())
    await loop.turn(seconds)
    answered.set()
    await closing
    assert work.cancelled() != ends


@pytest.mark.parametrize(("swallows", "ends"), [(1, True), (4, True), (1000, False)])
async def test_what_swallows_its_cancellation_is_cancelled_again_and_not_waited_for_for_ever(
    swallows: int, ends: bool
) -> None:
    loop, flight = TurnedLoop(), InFlight(print)
    left = swallows

    async def stubborn() -> None:
        nonlocal left
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not left:
                    raise
                left -= 1

    work = flight.begin(stubborn(), lambda: True)
    await asyncio.sleep(0)
    closing = asyncio.create_task(flight.close())
    for _ in range(5):
        await loop.turn(1.0)
    closed, over = closing.done(), work.done()
    left = 0
    work.cancel()
    await asyncio.gather(work, closing, return_exceptions=True)

    assert (closed, over) == (True, ends)


def test_a_stop_has_half_a_minute_for_what_is_in_flight_and_ends_before_a_minute() -> None:
    """Telegram's last poll comes before it (10 s), and what swallows its cancellation after it."""
    assert (FINISH_WITHIN_SECONDS, END_WITHIN_SECONDS) == (30.0, 45.0)
