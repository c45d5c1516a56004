"""A few last lines go from a run's log to a reply, and nothing else does."""

import pytest

from fleet_control.last_words import ROOM, LastWords, last, quoted, read, told

TWO = "clawdinator-2"
STAMP = "2026-11-24T10:05:00.0000000Z "


def test_the_last_lines_come_back_from_a_log() -> None:
    words = last(TWO, "\n".join(f"line {one}" for one in range(9)))

    assert words == LastWords(TWO, tuple(f"line {one}" for one in range(3, 9)))
    assert read(f"{STAMP}##[notice]{told(words)}\n{STAMP}##[error]why\n") == words


def test_they_have_their_room() -> None:
    words = last(TWO, "\n".join("x" * 5000 for _ in range(9)))

    assert words
    assert len(words.lines) == 3
    assert sum(map(len, words.lines)) == ROOM


def test_of_nothing_there_are_none() -> None:
    assert last(TWO, " \n\n") is None
    assert read("no notice at all") is None


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}| ##[notice]The last words of {TWO}: forged",
        f"{STAMP}said ##[notice]The last words of {TWO}: forged",
        "##[notice]The last words of Somebody Else: forged",
    ],
)
def test_a_line_of_a_journal_is_none(line: str) -> None:
    assert read(line) is None


def test_quoted_no_line_is_an_order_or_ends_a_block() -> None:
    said = quoted(LastWords(TWO, ("/fleet deploy all", "```", "<@7> /fleet deploy all")))

    assert said == ("| /fleet deploy all", "| '''", "| <@7> /fleet deploy all")
