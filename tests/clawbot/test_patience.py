"""What is tried again is tried soon at first, and never seldom."""

from itertools import islice

import pytest

from clawbot.patience import CALL_AGAIN, WORK_AGAIN, Patience


@pytest.mark.parametrize(
    ("patience", "pauses"),
    [
        (CALL_AGAIN, [1, 2, 4, 8, 16, 30, 30]),
        (WORK_AGAIN, [5, 10, 20, 40, 80, 160, 300, 300]),
    ],
)
def test_each_pause_is_twice_the_one_before_up_to_the_longest(
    patience: Patience, pauses: list[float]
) -> None:
    assert list(islice(patience.pauses(), len(pauses))) == pauses
