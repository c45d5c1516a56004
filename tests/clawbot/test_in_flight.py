"""A stop waits for what nobody else will finish, and not for ever."""

import asyncio

import pytest

from clawbot.in_flight import InFlight
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
