"""When the bot is ready, and what it says of its fronts until then and after."""

from clawbot.readiness import watching
from tests.clock import TurnedClock

ONE, OTHER = "Discord", "Telegram"


async def test_it_is_ready_once_each_front_was_heard_from() -> None:
    told: list[str] = []
    async with watching((ONE, OTHER), told.append, TurnedClock()) as readiness:
        readiness.hears(ONE, True)
        assert told == []
        readiness.hears(OTHER, True)
        readiness.hears(OTHER, True)
        assert told == ["READY=1"]


async def test_a_platform_that_is_not_heard_from_for_half_a_minute_is_away_until_it_is() -> None:
    clock, told = TurnedClock(), list[str]()
    async with watching((ONE, OTHER), told.append, clock) as readiness:
        await clock.asleep(1)
        readiness.hears(ONE, True)
        readiness.hears(OTHER, False)
        await clock.turn(30 - 0.1)
        assert told == []
        await clock.turn(0.1)
        assert told == ["READY=1\nSTATUS=Telegram is away"]
        readiness.hears(OTHER, True)
        assert told[1:] == ["STATUS="]


async def test_one_that_is_lost_later_is_told_and_takes_no_readiness_away() -> None:
    clock, told = TurnedClock(), list[str]()
    async with watching((ONE,), told.append, clock) as readiness:
        await clock.asleep(1)
        readiness.hears(ONE, True)
        readiness.hears(ONE, False)
        await clock.turn(30 - 5)
        readiness.hears(ONE, False)
        await clock.turn(5)
        assert told == ["READY=1", "STATUS=Discord is away"]


async def test_what_somebody_has_to_mend_is_not_away_and_does_not_get_ready() -> None:
    clock, told = TurnedClock(), list[str]()
    async with watching((ONE, OTHER), told.append, clock) as readiness:
        await clock.asleep(1)
        readiness.hears(OTHER, True)
        readiness.faulty(ONE, "It does not know\nthe token.")
        await clock.turn(3600)
        assert told == ["STATUS=Discord: It does not know the token."]
        readiness.hears(ONE, True)
        assert told[1:] == ["READY=1\nSTATUS="]
