"""What is remembered is forgotten again, whatever the clock does."""

from clawbot.recent import Recent
from tests.clock import TurnedClock


async def test_a_name_is_remembered_for_a_while_since_it_was_added_last() -> None:
    clock = TurnedClock()
    recent = Recent(clock, 60)
    recent.add("a")
    await clock.turn(30)
    recent.add("b")
    await clock.turn(30)

    assert ("a" in recent, "b" in recent) == (False, True)
    recent.add("b")
    await clock.turn(59)
    assert "b" in recent
    recent.discard("b")
    assert "b" not in recent


async def test_it_does_not_grow_without_an_end() -> None:
    clock = TurnedClock()
    recent = Recent(clock, 60)
    for number in range(1000):
        recent.add(str(number))
        await clock.turn(1)

    assert len(recent) == 59
