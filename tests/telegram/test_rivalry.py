"""The rule for two pollers, by the clock."""

from itertools import pairwise
from random import Random

from clawbot.telegram.rivalry import Rivalry


def shortest(low: float, _high: float) -> float:
    return low


def longest(_low: float, high: float) -> float:
    return high


def three(rivalry: Rivalry, now: float) -> float:
    return [rivalry.conflict(now + second) for second in (0, 5, 10)][-1]


def test_two_conflicts_are_tried_again_soon() -> None:
    rivalry = Rivalry(shortest)
    assert [rivalry.conflict(0), rivalry.conflict(5)] == [5.0, 5.0]


def test_three_in_more_than_a_minute_are_not_three_in_a_minute() -> None:
    rivalry = Rivalry(shortest)
    assert [rivalry.conflict(now) for now in (0, 31, 62, 93)] == [5.0] * 4


def test_the_third_in_a_minute_pauses_one_to_five_minutes() -> None:
    assert three(Rivalry(shortest), 0) == 60
    assert three(Rivalry(longest), 0) == 300


def test_each_pause_is_longer_up_to_fifteen_minutes_and_never_the_last() -> None:
    seeded = (Random(seed).uniform for seed in range(1000))  # noqa: S311  (no secret)
    for chance in (shortest, longest, *seeded):
        rivalry = Rivalry(chance)
        pauses = [three(rivalry, 1000.0 * turn) for turn in range(20)]
        assert 60 <= pauses[0] <= 300
        assert all(after > before or after == 900 for before, after in pairwise(pauses))
        assert max(pauses) == pauses[-1] == 900


def test_after_half_an_hour_of_calm_it_begins_anew() -> None:
    rivalry = Rivalry(shortest)
    three(rivalry, 0)
    three(rivalry, 1000)
    assert three(rivalry, 5000) == 60


def test_a_pause_grows_by_a_quarter_at_least_and_to_two_and_a_half_times_at_most() -> None:
    for chance, pauses in ((shortest, [60, 75, 93.75]), (longest, [300, 750, 900])):
        rivalry = Rivalry(chance)
        assert [three(rivalry, 1000.0 * turn) for turn in range(3)] == pauses
