"""Whose the lock on the state is."""

import getpass
import socket
from dataclasses import replace

import pytest

from workflows.fleet_deploy.lock import Held, held, is_left_by

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
NAMED = Held(
    "11111111-2222-3333-4444-555555555555", "sam@laptop", "OperationTypeApply", 1795507200.0
)
OURS = replace(NAMED, who=f"{getpass.getuser()}@{socket.gethostname()}")


def test_it_is_read_from_the_engines_words() -> None:
    assert held(LINES) == NAMED


def test_other_words_name_no_lock() -> None:
    assert held(["Error: Saved plan is stale", "ID: it has none"]) is None


def test_the_sentence_says_who_and_how_to_release_it() -> None:
    assert NAMED.sentence() == (
        "the state was locked by sam@laptop since 2026-11-24 08:00 UTC and stayed so; if nobody is "
        "at work there, release it: "
        "tofu -chdir=tofu/fleet force-unlock 11111111-2222-3333-4444-555555555555"
    )


def test_a_holders_name_can_not_write_markup() -> None:
    assert held([*LINES, "Who: <b>`sam`\t"]) == replace(NAMED, who=" b sam ")


def test_an_apply_of_ours_that_began_since_is_what_it_left() -> None:
    assert is_left_by(OURS, OURS.created - 3)


@pytest.mark.parametrize(
    ("lock", "began"),
    [
        (NAMED, NAMED.created - 3),
        (OURS, OURS.created + 3),
        (replace(OURS, operation="OperationTypePlan"), OURS.created - 3),
        (replace(OURS, created=0.0), OURS.created - 3),
    ],
    ids=["another's", "an older one", "a plan's", "without a time"],
)
def test_any_other_is_left_alone(lock: Held, began: float) -> None:
    assert not is_left_by(lock, began)
