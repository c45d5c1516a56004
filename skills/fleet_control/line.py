"""What others wrote, as one line that can be shown: names, tags, titles, errors.

Standard library only: the Lambda carries this file.
"""

import json
import re
import unicodedata
from collections.abc import Iterator

# Letters to Unicode, of which nothing is seen.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# What separates words in other scripts, or keeps them together.
_SPACES = frozenset("\u00a0\u1680\u202f\u205f\u3000") | {chr(one) for one in range(0x2000, 0x200B)}
# Joins letters of some scripts, and emoji; where it is left out, each is still itself.
_JOINER = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
# How the letter before it is drawn; after a plain one nothing is seen of it.
_SELECTOR = re.compile("(?<![^\x00-\x7f])[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
# Of more marks on one letter than any script has, the line above would be covered.
_MARKS = 4
_LONGEST_CODE = 40


def printable(text: str) -> str:
    """The text with `?` for whatever breaks a line, turns it round, moves a cursor or is not seen.

    A `?` rather than nothing: two names that differ look different.
    """
    if text.isascii() and text.isprintable():
        return text
    drawn = _SELECTOR.sub(lambda found: "?" * len(found[0]), _JOINER.sub("", text))
    return "".join(_shown(drawn))


def _shown(text: str) -> Iterator[str]:
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) == "Mn" else 0
        if letter in _SPACES:
            yield " "
        else:
            is_seen = letter.isprintable() and letter not in _BLANK and marks <= _MARKS
            yield letter if is_seen else "?"


def code(text: str) -> str:
    """What somebody typed, cut, between backquotes of ours; it can't end them."""
    whole = printable(text).replace("`", "'")
    cut = whole if len(whole) <= _LONGEST_CODE else f"{whole[: _LONGEST_CODE - 1]}…"
    return f"`{cut}`"


def spelled_out(document: str) -> str:
    """JSON with an escape for whatever a terminal would not show; it says the same."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1]
        for letter in document
    )
