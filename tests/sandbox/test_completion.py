"""What Tab makes of a line that is being typed."""

import pytest

from sandbox.completion import completed


@pytest.mark.parametrize(
    ("typed", "longer"),
    [
        ("", ""),
        ("/", "/fleet "),
        ("/fleet s", "/fleet status "),
        ("/fleet ", "/fleet "),
        ("/fleet deploy ", "/fleet deploy "),
        ("/fleet deploy c", "/fleet deploy claw-"),
        ("/fleet deploy claw-2", "/fleet deploy claw-2 "),
        ("/fleet deploy a", "/fleet deploy all "),
        ("/fleet deploy x", "/fleet deploy x"),
        ("/fleet deploy all c", "/fleet deploy all c"),
        ("c", "claw-"),
        ("claw-1", "claw-1: "),
        ("claw-1: /f", "claw-1: /fleet "),
        ("claw-1: /fleet d", "claw-1: /fleet deploy "),
    ],
)
def test_as_much_is_added_as_is_certain(typed: str, longer: str) -> None:
    assert completed(typed, ("claw-1", "claw-2")) == longer
