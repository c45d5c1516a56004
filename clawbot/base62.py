"""Numbers in few characters, for what a platform gives little room."""

import string

_DIGITS = string.digits + string.ascii_letters


def spelled(value: int) -> str:
    """A number, not below 0, in base 62."""
    digits = ""
    while value:
        value, digit = divmod(value, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits or _DIGITS[0]


def number(digits: str) -> int:
    """The number back, 0 of no digits; a ValueError for what is no digit."""
    value = 0
    for digit in digits:
        value = value * len(_DIGITS) + _DIGITS.index(digit)
    return value
