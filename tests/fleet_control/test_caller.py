"""Who speaks, and what may be named."""

import pytest

from fleet_control.caller import Human, is_instance_id, is_target
from fleet_control.policy import Facts, RefusalCode, Refused, judge


@pytest.mark.parametrize("id_", ["a", "7", "clawdinator-1", "clawdinator-babelfish", "a" * 32])
def test_an_id_is_lower_case_letters_digits_and_single_hyphens(id_: str) -> None:
    assert is_instance_id(id_)
    assert is_target(id_)


@pytest.mark.parametrize(
    "text", ["", "-a", "a-", "a--b", "A", "a b", "a.b", "a\n", "ä", "\u0661", "a" * 33, "all"]
)
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_instance_id(text)


def test_all_is_a_target_but_no_id() -> None:
    assert is_target("all")


@pytest.mark.parametrize("text", ["", "ALL", "all ", "a--b", "a" * 33])
def test_what_is_neither_all_nor_an_id_is_no_target(text: str) -> None:
    assert not is_target(text)


def test_a_person_is_no_operator_unless_that_is_said() -> None:
    verdict = judge(Human("discord:1"), "claw-1", "", Facts())

    assert isinstance(verdict, Refused)
    assert verdict.code is RefusalCode.NOT_OPERATOR
