"""Typing at the prompt, key by key."""

import pytest

from sandbox.line_editor import LineEditor

LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = (
    "\x1b[D",
    "\x1b[C",
    "\x1b[A",
    "\x1b[B",
    "\x1b[H",
    "\x1b[F",
    "\x1b[3~",
)


@pytest.mark.parametrize(
    ("keys", "text", "cursor"),
    [
        ("abc", "abc", 3),
        ("abc\x7f", "ab", 2),
        (f"abc{LEFT}{LEFT}x", "axbc", 2),
        (f"ac{LEFT}b{RIGHT}d", "abcd", 4),
        (f"bc{HOME}a", "abc", 1),
        (f"ab{HOME}{END}c", "abc", 3),
        (f"abc{HOME}{DELETE}", "bc", 0),
        ("abc\x01\x04", "bc", 0),
        ("one two\x17", "one ", 4),
        ("one two\x15", "", 0),
        (f"one two{LEFT}{LEFT}\x0b", "one t", 5),
        (f"{LEFT}{LEFT}a{RIGHT}{RIGHT}", "a", 1),
        ("é✓日", "é✓日", 3),
        ("a\x00\x1b[5~\x1bxb", "ab", 2),
    ],
)
def test_keys_edit_the_line(keys: str, text: str, cursor: int) -> None:
    editor = LineEditor()

    assert editor.feed(keys) == []
    assert (editor.text, editor.cursor) == (text, cursor)


def test_a_sequence_that_arrives_in_pieces_is_one_key() -> None:
    editor = LineEditor()
    for piece in ("ab", "\x1b", "[", "D", "x"):
        editor.feed(piece)

    assert editor.text == "axb"


def test_enter_finishes_a_line_and_a_paste_finishes_several() -> None:
    editor = LineEditor()

    assert editor.feed("one\rtwo\nthr") == ["one", "two"]
    assert editor.feed("ee\r") == ["three"]
    assert editor.text == ""


def test_earlier_lines_come_back() -> None:
    editor = LineEditor()
    editor.feed("one\rtwo\rtwo\r\r")

    editor.feed(UP)
    assert editor.text == "two"
    editor.feed(UP + UP)
    assert editor.text == "one"
    editor.feed(DOWN + DOWN)
    assert editor.text == ""


def test_ctrl_d_ends_on_an_empty_line_only() -> None:
    editor = LineEditor()
    editor.feed("a\x04")
    assert not editor.ended

    editor.feed("\x7f\x04")
    assert editor.ended


def test_tab_completes_what_is_before_the_cursor() -> None:
    editor = LineEditor(lambda typed: {"/fl": "/fleet "}.get(typed, typed))
    editor.feed(f"/flstatus{LEFT * 6}\t")

    assert (editor.text, editor.cursor) == ("/fleet status", 7)
