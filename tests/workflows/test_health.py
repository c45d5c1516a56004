"""Waiting has a deadline, and says what was still missing."""

from collections.abc import Iterator

import pytest

from workflows.fleet_deploy.health import Pace, read_pace, wait
from workflows.fleet_deploy.stop import Stopped


class Stepping:
    """A clock that a sleep moves on, and nothing else."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def looks(*words: str) -> Iterator[str]:
    yield from words


def test_waiting_ends_when_nothing_is_missing() -> None:
    clock, found = Stepping(), looks("pending", "initializing", "")

    assert not wait(lambda: next(found), Pace(900, 10), clock)
    assert clock.now() == 20


def test_at_the_deadline_what_is_still_missing_is_said() -> None:
    clock = Stepping()

    assert wait(lambda: "initializing", Pace(900, 10), clock) == "initializing"
    assert clock.now() == 900


def test_even_with_no_time_left_there_is_one_look() -> None:
    assert not wait(lambda: "", Pace(0, 10), Stepping())


def test_the_pace_is_fifteen_minutes_unless_the_runner_says_otherwise() -> None:
    assert Pace(900, 10) == read_pace({})
    assert Pace(2, 0.05) == read_pace({"FLEET_HEALTH_DEADLINE": "2", "FLEET_HEALTH_POLL": "0.05"})


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_a_pace_that_is_no_time_stops_the_run(value: str) -> None:
    with pytest.raises(Stopped, match="FLEET_HEALTH_POLL"):
        read_pace({"FLEET_HEALTH_POLL": value})
