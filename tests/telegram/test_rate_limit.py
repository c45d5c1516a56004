"""How fast the bot speaks: below what Telegram documents, whatever it is asked."""

import asyncio
from collections import defaultdict

import pytest

from clawbot.telegram.rate_limit import Limits, Rate, RateLimit
from tests.clock import TurnedClock

ALONE = Limits(everywhere=Rate(0.001, 99))


async def spoken(
    chats: list[int], seconds: int, limits: Limits | None = None
) -> list[tuple[float, int]]:
    """When each turn came, in a time of so many seconds."""
    clock = TurnedClock()
    begun = clock.now()
    rate_limit = RateLimit(clock, limits or Limits())
    turns: list[tuple[float, int]] = []

    async def speak(chat: int) -> None:
        await rate_limit.turn(chat)
        turns.append((clock.now() - begun, chat))

    tasks = [asyncio.create_task(speak(chat)) for chat in chats]
    await asyncio.sleep(0)
    for _ in range(seconds * 4):
        await clock.turn(0.25)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return turns


def most_within(turns: list[tuple[float, int]], seconds: float) -> int:
    times = [time for time, _ in turns]
    return max(sum(begun <= time < begun + seconds for time in times) for begun in times)


async def test_nowhere_more_than_thirty_a_second() -> None:
    turns = await spoken([1000 + number for number in range(300)], seconds=12)
    assert len(turns) == 300
    assert most_within(turns, 1.0) <= 30


async def test_in_a_group_at_most_twenty_a_minute() -> None:
    turns = await spoken([-1] * 60, seconds=180)
    assert most_within(turns, 60.0) <= 20


async def test_one_chat_does_not_hold_up_another() -> None:
    turns = await spoken([-1] * 30 + [7], seconds=2)
    assert 7 in [chat for _, chat in turns]


async def test_alone_with_somebody_a_few_at_once_and_then_one_a_second() -> None:
    times = [time for time, _ in await spoken([7] * 12, 20, ALONE)]
    assert times[:5] == [0.0] * 5
    assert times[5:] == pytest.approx([1, 2, 3, 4, 5, 6, 7], abs=0.3)


async def test_what_telegram_asked_for_comes_first() -> None:
    clock = TurnedClock()
    rate_limit = RateLimit(clock, Limits(Rate(0.001, 99), Rate(0.001, 99), Rate(0.001, 99)))
    rate_limit.hold(7, 30)
    waited: dict[int, float] = defaultdict(float)

    async def speak(chat: int) -> None:
        begun = clock.now()
        await rate_limit.turn(chat)
        waited[chat] = clock.now() - begun

    tasks = [asyncio.create_task(speak(chat)) for chat in (7, 8)]
    await asyncio.sleep(0)
    await clock.turn(31)
    await asyncio.gather(*tasks)
    assert waited[7] >= 30
    assert waited[8] < 1


async def test_what_waits_already_keeps_silent_too() -> None:
    clock = TurnedClock()
    begun = clock.now()
    rate_limit = RateLimit(clock, Limits(Rate(0.001, 99), Rate(1.0, 1), Rate(1.0, 1)))
    spoke: list[float] = []

    async def speak() -> None:
        await rate_limit.turn(7)
        spoke.append(clock.now() - begun)

    tasks = [asyncio.create_task(speak()) for _ in range(4)]
    await asyncio.sleep(0)
    rate_limit.hold(7, 30)
    for _ in range(400):
        await clock.turn(0.1)
    await asyncio.gather(*tasks)
    assert spoke[0] == 0
    assert min(spoke[1:]) >= 30


async def test_in_a_group_a_few_at_once_and_then_one_in_four_seconds() -> None:
    times = [time for time, _ in await spoken([-1] * 8, 20, ALONE)]
    assert times[:5] == [0.0] * 5
    assert times[5:] == pytest.approx([4, 8, 12], abs=0.3)


async def test_whoever_goes_first_takes_the_next_turn_before_all_who_wait() -> None:
    clock = TurnedClock()
    rate_limit = RateLimit(clock, Limits(Rate(0.001, 99), Rate(1.0, 1), Rate(4.0, 1)))
    spoke: list[tuple[float, str]] = []

    async def speak(chat: int, who: str) -> None:
        begun = clock.now()
        await rate_limit.turn(chat, first=who == "operator")
        spoke.append((clock.now() - begun, who))

    tasks = [asyncio.create_task(speak(-1, "stranger")) for _ in range(9)]
    await asyncio.sleep(0)
    await clock.turn(1.0)
    tasks += [asyncio.create_task(speak(-1, "operator")) for _ in range(2)]
    await asyncio.sleep(0)
    await clock.turn(20.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert spoke[0] == (0.0, "stranger")
    assert spoke[1:3] == [(3.0, "operator"), (7.0, "operator")]
    assert [who for _, who in spoke[3:]] == ["stranger"] * 3


async def test_an_operator_does_not_wait_for_strangers_in_other_chats() -> None:
    clock = TurnedClock()
    rate_limit = RateLimit(clock, Limits(everywhere=Rate(1.0, 1)))
    tasks = [asyncio.create_task(rate_limit.turn(chat)) for chat in range(1, 50)]
    await asyncio.sleep(0)
    await clock.turn(0.5)
    operator = asyncio.create_task(rate_limit.turn(99, first=True))
    await asyncio.sleep(0)
    await clock.turn(1.0)
    assert operator.done()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
