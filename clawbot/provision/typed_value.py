"""A secret typed or pasted at a terminal: one line, which is not shown, and no other."""

import os
import sys
import termios
from typing import Any, TypeAlias

from clawbot.provision.error import ProvisionError

# A terminal hands over no more of one line, and drops the rest without a word.
LONGEST_LINE = 4095
# What was pasted comes at once; so long is waited for more of it, in tenths of a second.
_REST_TENTHS = 3
_CHUNK = 65536
_LOCAL_FLAGS, _CHARACTERS = 3, 6

# As termios has them: numbers, and in the last place a list.
TerminalSettings: TypeAlias = list[Any]


def typed(name: str, command: str) -> bytes:
    """The line; ProvisionError where more than that came, or may have been cut.

    `command` is what takes it from a file too.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        # Before it asks: what is typed then is not shown, and not lost.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, _silent(before))
        sys.stderr.write(f"{name} (is not shown): ")
        sys.stderr.flush()
        line = _line(terminal)
        termios.tcsetattr(terminal, termios.TCSANOW, _unlined(before))
        more = False
        while rest := os.read(terminal, _CHUNK):
            more = more or bool(rest.strip())
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        sys.stderr.write("\n")
    if more:
        raise ProvisionError(
            f"More than one line came; nothing was taken in. {_from_file(command)}"
        )
    if len(line) >= LONGEST_LINE:
        raise ProvisionError(
            f"A terminal hands over {LONGEST_LINE} characters of a line at most, and this one may "
            f"have been cut; nothing was taken in. {_from_file(command)}"
        )
    return line


def _from_file(command: str) -> str:
    return f"Give it from a file: {command} < FILE"


def _line(terminal: int) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (part := os.read(terminal, _CHUNK)):
        line += part
    return line.rstrip(b"\n")


def _silent(before: TerminalSettings) -> TerminalSettings:
    return _without(before, termios.ECHO)


def _unlined(before: TerminalSettings) -> TerminalSettings:
    """What is there already is read without a line's end."""
    changed = _without(before, termios.ECHO | termios.ICANON)
    characters = list(changed[_CHARACTERS])
    characters[termios.VMIN], characters[termios.VTIME] = 0, _REST_TENTHS
    changed[_CHARACTERS] = characters
    return changed


def _without(before: TerminalSettings, flags: int) -> TerminalSettings:
    changed = list(before)
    changed[_LOCAL_FLAGS] &= ~flags
    return changed
