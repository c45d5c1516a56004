"""A host's last own answer, as a tag keeps it: written plainly, and read as a stranger's."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control.host_answer import HostAnswer, read, write

WHEN = 1_795_756_200.0
PLAIN = set(string.ascii_letters + string.digits + " .,;:'()+=-")


@pytest.mark.parametrize(
    "answer",
    [HostAnswer(True, WHEN), HostAnswer(False, WHEN, "a.service is activating (auto-restart)")],
)
def test_what_is_written_is_read(answer: HostAnswer) -> None:
    assert read(write(answer), WHEN) == answer


def test_it_is_capped_and_plain() -> None:
    written = write(HostAnswer(False, WHEN, "<@1> `x`\n" * 99))

    assert len(written) <= 256  # of a tag's value
    assert read(written, WHEN)
    assert not set("<@`\n") & set(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "well",
        "Well 2026-11-27T05:10:00Z",
        "good 2026-11-27T05:10:00Z",
        "well 2026-11-27 05:10",
        "well 2026-11-27T05:10:00Z\n",
        " well 2026-11-27T05:10:00Z",
        "ill 2026-11-27T05:10:00Z ",
        "well 2026-13-27T05:10:00Z",
        "well 2026-11-27T05:10:00Z x",
        "ill 2026-11-27T05:10:00Z",
        "ill 2026-11-27T05:10:00Z <@1>",
        "ill 2026-11-27T05:10:00Z " + "x" * 256,
    ],
)
def test_what_no_run_wrote_is_none(text: str) -> None:
    assert read(text, 2 * WHEN) is None


def test_of_a_moment_that_is_still_to_come_is_none() -> None:
    written = write(HostAnswer(True, WHEN))

    assert read(written, WHEN - 61) is None
    assert read(written, WHEN) == HostAnswer(True, WHEN)


def test_of_a_run_whose_clock_is_a_little_ahead_it_is_of_now() -> None:
    assert read(write(HostAnswer(True, WHEN)), WHEN - 60) == HostAnswer(True, WHEN - 60)


@given(st.text() | st.from_regex(r"(well|ill) [0-9-]{8,10}T[0-9:]{4,5}Z.*", fullmatch=True))
def test_whatever_a_tag_holds_what_is_read_is_plain_and_of_the_past(text: str) -> None:
    if found := read(text, WHEN):
        assert found.when <= WHEN
        assert found.well == (not found.why)
        assert set(found.why) <= PLAIN
