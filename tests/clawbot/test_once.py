"""What counts once is remembered for as long as it may come again, and no longer."""

from clawbot.once import REMEMBERED_SECONDS, Once
from tests.clock import TurnedClock


async def test_only_the_first_counts_and_says_as_what() -> None:
    once = Once(TurnedClock())

    assert once.first("deploy", "1", as_="no")
    assert not once.first("deploy", "1", as_="yes")
    assert once.first("press", "1")
    assert (once.was("deploy", "1"), once.was("deploy", "2")) == ("no", "")


async def test_what_came_to_nothing_counts_again() -> None:
    once = Once(TurnedClock())
    once.first("deploy", "1")
    once.forget("deploy", "1")

    assert once.first("deploy", "1")


async def test_it_is_forgotten_a_day_and_an_hour_after_it_came_first() -> None:
    clock = TurnedClock()
    once = Once(clock)
    once.first("deploy", "1")
    await clock.turn(REMEMBERED_SECONDS - 1)
    assert not once.first("deploy", "1")
    await clock.turn(1)

    assert ("deploy", "1") not in once
    assert once.was("deploy", "1") == ""
    assert once.first("deploy", "1")
