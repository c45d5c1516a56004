"""Who asked, as a run's title names them."""

from hypothesis import given
from hypothesis import strategies as st

from fleet_control.caller import BotInstance, Human, Unknown
from fleet_control.ledger import is_requested_by
from fleet_control.requester import caller_field, requested_by


def test_only_a_bot_instance_is_named_as_the_ledgers_caller() -> None:
    assert caller_field(BotInstance("clawdinator-1")) == "clawdinator-1"
    assert caller_field(Human("discord:1", "clawdinator-1")) == ""
    assert caller_field(Unknown("clawdinator-1")) == ""


def test_a_person_is_named_by_the_account_and_32_safe_characters() -> None:
    assert requested_by("discord:1", "Sam | the\nOperator") == "discord:1 Sam-the-Operator"
    assert requested_by("discord:1", "n" * 40) == f"discord:1 {'n' * 32}"
    assert requested_by("discord:1", "|||") == "discord:1"


@given(st.text(max_size=100))
def test_every_name_has_the_ledgers_form(name: str) -> None:
    assert is_requested_by(requested_by("discord:1", name))
