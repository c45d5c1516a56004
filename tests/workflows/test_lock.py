"""Whose the lock on the state is."""

import getpass
import socket

import pytest

from fleet_control.state_lock import StateLock
from workflows.fleet_deploy.lock import held, is_left_by, stays

SAID = """Error: Error acquiring the state lock
Lock Info:
  ID:        11111111-2222-3333-4444-555555555555
  Path:      state/fleet.tfstate
  Operation: OperationTypeApply
  Who:       sam@laptop
  Version:   1.12.6
  Created:   2026-11-24 08:00:00.5 +0000 UTC
  Info:
"""
LINES = [line.strip() for line in SAID.splitlines()]
SINCE = 1795507200.0
NAMED = StateLock("11111111-2222-3333-4444-555555555555", "sam@laptop", SINCE)
OURS = NAMED._replace(who=f"{getpass.getuser()}@{socket.gethostname()}")


def test_it_is_read_from_the_engines_words() -> None:
    assert held(LINES) == NAMED


def test_other_words_name_no_lock() -> None:
    assert held(["Error: Saved plan is stale", "ID: it has none"]) is None


def test_the_sentence_says_who_and_how_to_release_it() -> None:
    assert stays(NAMED) == (
        "the state was locked by sam@laptop since 2026-11-24 08:00 UTC and stayed so. If nobody is "
        "at work there, release it: /fleet unlock (lock 11111111-2222-3333-4444-555555555555)"
    )


def test_a_holders_name_can_not_write_markup() -> None:
    assert held([*LINES, "Who: <b>`sam`\t"]) == NAMED._replace(who=" b sam ")
    assert held([*LINES, f"Who: {'s' * 99}"]) == NAMED._replace(who="s" * 60)


@pytest.mark.parametrize(
    "created",
    ["", "yesterday", "0001-01-01 00:00:00 +0000 UTC"],
    ids=["none", "no date", "Go's zero"],
)
def test_a_time_that_can_not_be_read_is_none(created: str) -> None:
    found = held([*LINES, f"Created: {created}"])

    assert found == NAMED._replace(created=None)
    assert stays(found).startswith("the state was locked by sam@laptop and stayed so. ")


def test_a_lock_of_ours_that_was_taken_since_is_what_it_left() -> None:
    assert is_left_by(OURS, SINCE - 3)


@pytest.mark.parametrize(
    ("lock", "began"),
    [
        (NAMED, SINCE - 3),
        (OURS, SINCE + 3),
        (OURS._replace(created=None), SINCE - 3),
    ],
    ids=["another's", "an older one", "without a time"],
)
def test_any_other_is_left_alone(lock: StateLock, began: float) -> None:
    assert not is_left_by(lock, began)
