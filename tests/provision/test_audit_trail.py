"""Who is said to have asked, and since when."""

import pytest

from clawbot.provision.audit_trail import since, trail
from clawbot.provision.control_log import ControlLine
from fleet_control.ledger import seconds

SAM = "discord:80351110224678912 sam"
HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("signer", "code", "who"),
    [
        ("agent:claw-9", "not_operator", "claw-9 through its agent"),
        ("agent:claw-9", "forged_caller", "claw-9 through its agent"),
        ("chat:claw-9", "forged_caller", "the bot claw-9"),
        ("chat:claw-9", "frozen", "sam in Discord"),
        ("operator:alice", "bad_request", "alice at a desk"),
        ("unproven", "frozen", "sam in Discord"),
    ],
)
def test_nobody_is_said_to_have_asked_what_another_key_asked_in_their_name(
    signer: str, code: str, who: str
) -> None:
    fields = {"action": "deploy", "target": "all", "operation": "rollback", "requested_by": SAM}
    line = ControlLine(9.0, 403, {**fields, "signer": signer, "code": code})
    (told,) = trail([], [line], 0.0)
    assert told.who == who
    accounts = {"sam in Discord": SAM.partition(" ")[0], "alice at a desk": "operator:alice"}
    assert told.account == accounts.get(who, "")


@pytest.mark.parametrize(
    ("said", "ago"), [("30m", 1800), ("2h", 2 * HOUR), ("3d", 3 * DAY), ("1w", 7 * DAY)]
)
def test_how_far_back_is_said_in_a_letter(said: str, ago: float) -> None:
    assert since(said, 2e9) == 2e9 - ago


def test_or_by_a_date_which_begins_in_utc() -> None:
    assert since("2026-11-20", 2e9) == seconds("2026-11-20T00:00:00Z")


def test_what_is_to_come_is_not_in_any_log() -> None:
    with pytest.raises(ValueError, match="that is to come"):
        since("2033-05-19", 2e9)


@pytest.mark.parametrize("said", ["", "2", "h", "0h", "2 h", "-1d", "2026-13-01", "20261120", "x"])
def test_whatever_else_is_no_time(said: str) -> None:
    with pytest.raises(ValueError, match="say `30m`, `2h`, `3d`, `1w`, or a date"):
        since(said, 2e9)
