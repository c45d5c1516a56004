"""The rule for two pollers, by the clock."""

from itertools import pairwise
from random import Random

from clawbot.telegram.conflict import PollConflicts


def shortest(low: float, _high: float) -> float:
    return low


def longest(_low: float, high: float) -> float:
    return high


def three(conflicts: PollConflicts, now: float) -> float:
    return [conflicts.conflict(now + second) for second in (0, 5, 10)][-1]


def test_two_conflicts_are_tried_again_soon() -> None:
    conflicts = PollConflicts(shortest)
    assert [conflicts.conflict(0), conflicts.conflict(5)] == [5.0, 5.0]


def test_three_in_more_than_a_minute_are_not_three_in_a_minute() -> None:
    conflicts = PollConflicts(shortest)
    assert [conflicts.conflict(now) for now in (0, 31, 62, 93)] == [5.0] * 4


def test_the_third_in_a_minute_pauses_one_to_five_minutes() -> None:
    assert three(PollConflicts(shortest), 0) == 60
    assert three(PollConflicts(longest), 0) == 300


def test_each_pause_is_longer_up_to_fifteen_minutes_and_never_the_last() -> None:
    seeded = (Random(seed).uniform for seed in range(1000))  # noqa: S311  (no secret)
    for chance in (shortest, longest, *seeded):
        conflicts = PollConflicts(chance)
        pauses = [three(conflicts, 1000.0 * turn) for turn in range(20)]
        assert 60 <= pauses[0] <= 300
        assert all(after > before or after == 900 for before, after in pairwise(pauses))
        assert max(pauses) == pauses[-1] == 900


def test_after_half_an_hour_of_calm_it_begins_anew() -> None:
    conflicts = PollConflicts(shortest)
    three(conflicts, 0)
    three(conflicts, 1000)
    assert three(conflicts, 5000) == 60


def test_a_pause_grows_by_a_quarter_at_least_and_to_two_and_a_half_times_at_most() -> None:
    for chance, pauses in ((shortest, [60, 75, 93.75]), (longest, [300, 750, 900])):
        conflicts = PollConflicts(chance)
        assert [three(conflicts, 1000.0 * turn) for turn in range(3)] == pauses
