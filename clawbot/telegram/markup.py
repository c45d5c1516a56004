"""Telegram's HTML: its pieces, how long they are once they were read, and moments in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape, unescape

from clawbot import backquotes
from fleet_control.line import printable

# All of these in UTF-16 code units after the markup was read, as Telegram counts.
LONGEST = 4096
LONGEST_LINE = 400
# What one thing of a preflight or a watch has at least, of which all fit into a message, and at
# most.
ROW = range(130, 700)
INDENT = "    "
_TAG = re.compile("<[^>]*>")
_MOMENT_TAG = re.compile("</?tg-time[^>]*>")
# Telegram itself makes a mention of it, where it is no code.
_MENTION = re.compile(r"(?<!\w)@(?=\w)")


def said(line: str, longest: int = LONGEST_LINE) -> str:
    """A line of ours: what stands in backquotes is code, nothing else is any markup."""
    return backquotes.drawn(line, longest, _piece, seen_units)


def _piece(text: str, is_code: bool) -> str:
    return code(text, LONGEST) if is_code else plain(text, LONGEST)


def plain(text: str, longest: int = LONGEST_LINE) -> str:
    """What somebody wrote: in it Telegram finds no markup, and nobody to tell of it."""
    return escape(_MENTION.sub("\uff20", _cut(printable(text), longest)), quote=False)


def code(text: str, longest: int = LONGEST_LINE) -> str:
    return f"<code>{escape(_cut(printable(text), longest), quote=False)}</code>"


def bold_piece(text: str, is_code: bool) -> str:
    return code(text, LONGEST) if is_code else bold(text, LONGEST)


def bold(text: str, longest: int = LONGEST_LINE) -> str:
    return f"<b>{plain(text, longest)}</b>"


def mention(user: int, name: str, longest: int = LONGEST_LINE) -> str:
    """What calls one where it stands in a new message."""
    return f'<a href="tg://user?id={user}">{plain(name, longest)}</a>'


def moment(at: float) -> str:
    """A moment, in Unix seconds, that each reader's Telegram spells by its own clock and language,
    as in `in 5 minutes`, and keeps current. One that is too old for that shows it in UTC."""
    told = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    return f'<tg-time unix="{int(at)}" format="r">{told}</tg-time>'


def without_moments(html: str) -> str:
    """The same for a Bot API server that knows no moments: each stands in UTC."""
    return _MOMENT_TAG.sub("", html)


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, longest: int) -> str:
    return text if units(text) <= longest else f"{_first(text, longest - 1)}…"


def _first(text: str, count: int) -> str:
    """The first so many units; a character of two is not cut in two."""
    return text.encode("utf-16-le")[: 2 * count].decode("utf-16-le", "ignore")


def seen_units(html: str) -> int:
    """How long our markup is once it was read."""
    return units(as_read(html))


def as_read(html: str) -> str:
    """The text that Telegram makes of our markup."""
    return unescape(_TAG.sub("", html))


def in_two_lines(light: str, name: str, words: str, advice: str, longest: int) -> str:
    """What there is to say of one, and below it what to do; of each something is said, however
    long what is before it."""
    head = f"{light} {bold(name, longest // 2)} · "
    room = longest - seen_units(head)
    below = said(advice, room // 2)
    told = said(words, room - seen_units(below) - len(INDENT) - 1)
    return f"\n{INDENT}".join(filter(None, (head + told, below)))


def fit(lines: Iterator[str], begin: str = "") -> str:
    """As many whole lines as there is room for, so that no tag is cut open."""
    text, room = begin, LONGEST - 2 - seen_units(begin)
    for line in lines:
        room -= seen_units(line) + 1
        if room < 0:
            return f"{text}…"
        text += f"{line}\n"
    return text.rstrip("\n")
