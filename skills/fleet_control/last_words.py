"""The last log lines of a host that did not come up, as its run and every reply show them.

A host may have been taken over: whoever shows them shows what a stranger wrote.

Standard library only: the Lambda carries this file.
"""

import re
from typing import NamedTuple

_MOST_LINES = 6
# Of all lines together, in characters.
ROOM = 600
_LONGEST = 200
# In no line itself: those are ASCII.
_END = " ⏎ "
_STRANGE = r"[^ -~]"
_TOLD = re.compile(
    r"(?m)^(?:\ufeff?\d{4}-\S+Z )?##\[notice\]The last words of ([a-z0-9-]{1,32}): (.{1,4000})$"
)


class LastWords(NamedTuple):
    """The last log lines of one host.

    Attributes:
        instance: whose they are.
        lines: of ASCII; already masked.
    """

    instance: str
    lines: tuple[str, ...]


def last(instance: str, said: str) -> LastWords | None:
    """The last few lines of a text, or None where it has none."""
    return _few(instance, said.split("\n"))


def told(words: LastWords) -> str:
    """The notice in a run's log that carries them, on one line."""
    return f"The last words of {words.instance}: {_END.join(words.lines)}"


def read(log: str) -> LastWords | None:
    """The last words in a job's log, or None."""
    found = _TOLD.findall(log)
    return _few(found[-1][0], found[-1][1].split(_END)) if found else None


def quoted(words: LastWords) -> tuple[str, ...]:
    """The lines as any chat may show them: none can end the quote or be taken for a command."""
    return tuple(f"| {line.replace('`', chr(39))}" for line in words.lines)


def _few(instance: str, lines: list[str]) -> LastWords | None:
    kept: list[str] = []
    for line in reversed(lines):
        plain = re.sub(_STRANGE, "?", line.strip())
        short = plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 3]}..."
        if len("".join(kept)) + len(short) > ROOM or len(kept) == _MOST_LINES:
            break
        kept += [short] if short else []
    return LastWords(instance, tuple(reversed(kept))) if kept else None
