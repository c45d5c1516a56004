"""Which job took a lock, and from when on it may be broken."""

import json

import pytest

from fleet_control import state_lock
from fleet_control.state_lock import LockNote, StateLock, begun, breakable, item, note_of, read_info

ID = "11111111-2222-3333-4444-555555555555"
NOW = 1795507200.0  # 2026-11-24 08:00 UTC
RUNNER = "runner@runnervm1"
LOCK = StateLock(ID, RUNNER, NOW + 60)
NOTE = begun(RUNNER, 17, "clawdinator-2: none -> ami-1", NOW)


def test_a_job_notes_how_long_its_credentials_last() -> None:
    """An hour, as the workflow asks for and the role allows; its row outlives every run."""
    assert LockNote(RUNNER, 17, "clawdinator-2: none -> ami-1", NOW, NOW + 3600) == NOTE
    assert item(NOTE) == {
        "pk": f"lock#{RUNNER}",
        "expires": NOW + 40 * 86400,
        "run": 17,
        "job": "clawdinator-2: none -> ami-1",
        "began": NOW,
        "ends": NOW + 3600,
    }


def test_a_lock_within_that_time_is_its() -> None:
    assert note_of(LOCK, item(NOTE)) == NOTE
    for created in (NOW, NOW + 3600):
        assert note_of(LOCK._replace(created=created), item(NOTE)) == NOTE


@pytest.mark.parametrize("created", [NOW - 1, NOW + 3601, None])
def test_a_lock_of_another_time_is_not(created: float | None) -> None:
    assert note_of(LOCK._replace(created=created), item(NOTE)) is None


@pytest.mark.parametrize("row", [None, {}, {"run": 17}, {**item(NOTE), "began": "x"}])
def test_no_row_and_no_such_row_tell_of_no_job(row: state_lock.Item | None) -> None:
    assert note_of(LOCK, row) is None


def test_it_is_breakable_once_whoever_took_it_has_no_credentials_any_more() -> None:
    """Ten minutes more: each of two clocks may be five from AWS's."""
    assert breakable(LOCK, NOTE) == NOW + 60 + 3600 + 600
    assert breakable(LOCK, NOTE._replace(ends=NOW + 4000)) == NOW + 4000 + 600


def test_it_is_read_from_the_table_as_from_the_engines_words() -> None:
    fields = {"ID": ID, "Who": RUNNER, "Created": "2026-11-24T08:01:00.123456789Z"}

    assert read_info(json.dumps(fields)) == LOCK
    assert read_info(json.dumps(fields | {"Created": "yesterday"})) == LOCK._replace(created=None)
    assert read_info(json.dumps(fields | {"Who": "<b>`sam`"})) == LOCK._replace(who=" b sam ")


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"ID": "rm -rf"}'])
def test_what_names_no_lock_is_none(text: str) -> None:
    assert read_info(text) is None
