"""Lengths of time as people say them; a clock that was set back makes none of them odd."""

import pytest

from fleet_control.duration import exact, older, short

DAY = 86_400.0


@pytest.mark.parametrize(
    ("seconds", "words", "in_short"),
    [
        (-3600, "moments", "0 s"),
        (0, "moments", "0 s"),
        (59, "moments", "59 s"),
        (60, "1 minute", "1 min"),
        (7199, "1 hour", "1 h"),
        (2 * 3600, "2 hours", "2 h"),
        (DAY, "1 day", "1 d"),
        (39.9 * DAY, "39 days", "39 d"),
    ],
)
def test_in_its_largest_unit(seconds: float, words: str, in_short: str) -> None:
    assert (older(seconds), short(seconds)) == (words, in_short)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (723, "12 min 3 s")]
)
def test_to_the_second(seconds: float, words: str) -> None:
    assert exact(seconds) == words
