"""Numbers in few characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbot.base62 import number, spelled


@given(st.integers(0, 2**64))
def test_a_number_comes_back(value: int) -> None:
    assert number(spelled(value)) == value
    assert len(spelled(value)) <= 11


def test_no_digits_are_nothing() -> None:
    assert number("") == number("0") == 0


@pytest.mark.parametrize("digits", ["-1", "1 ", "é", "²", "\ud800"])
def test_what_is_no_digit_is_no_number(digits: str) -> None:
    with pytest.raises(ValueError, match="not found"):
        number(digits)
