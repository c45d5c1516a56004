"""One line being typed: keys go in, finished lines come out. No terminal is touched here."""

import re
from collections.abc import Callable

# A whole escape sequence, the beginning of one, or a single character.
_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|\x1b\[[0-9;]*\Z|\x1bO?\Z|\x1b?.", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;]*|O)?")
_NAMES = {
    "\r": "enter",
    "\n": "enter",
    "\x7f": "rub",
    "\x08": "rub",
    "\x04": "delete or end",
    "\x1b[3~": "delete",
    "\x01": "home",
    "\x1b[H": "home",
    "\x1bOH": "home",
    "\x1b[1~": "home",
    "\x05": "end",
    "\x1b[F": "end",
    "\x1bOF": "end",
    "\x1b[4~": "end",
    "\x02": "left",
    "\x1b[D": "left",
    "\x1bOD": "left",
    "\x06": "right",
    "\x1b[C": "right",
    "\x1bOC": "right",
    "\x10": "earlier",
    "\x1b[A": "earlier",
    "\x1bOA": "earlier",
    "\x0e": "later",
    "\x1b[B": "later",
    "\x1bOB": "later",
    "\x0b": "cut after",
    "\x15": "cut before",
    "\x17": "cut word",
    "\t": "complete",
}

Complete = Callable[[str], str]


def _as_typed(text: str) -> str:
    return text


class LineEditor:
    """The usual keys of a shell's line.

    Attributes:
        cursor: index into `text`.
        ended: whether Ctrl-D was typed on an empty line.
    """

    def __init__(self, complete: Complete = _as_typed) -> None:
        self.text = ""
        self.cursor = 0
        self.ended = False
        self._complete = complete
        self._history: list[str] = []
        self._at = 0
        self._unfinished = ""

    def feed(self, typed: str) -> list[str]:
        """The lines that these keys finished."""
        keys = _KEY.findall(self._unfinished + typed)
        self._unfinished = keys.pop() if keys and _UNFINISHED.fullmatch(keys[-1]) else ""
        lines = []
        for key in keys:
            name = _NAMES.get(key)
            if name == "enter":
                lines.append(self._enter())
            elif name:
                self._edit(name)
            elif key.isprintable():
                self._put(self.text[: self.cursor] + key, self.text[self.cursor :])
        return lines

    def _enter(self) -> str:
        line = self.text
        if line.strip() and self._history[-1:] != [line]:
            self._history.append(line)
        self._at = len(self._history)
        self._put("", "")
        return line

    def _put(self, before: str, after: str) -> None:
        self.text, self.cursor = before + after, len(before)

    def _edit(self, name: str) -> None:
        match name:
            case "home" | "end" | "left" | "right":
                self._move(name)
            case "earlier" | "later":
                self._recall(-1 if name == "earlier" else 1)
            case "delete or end" if not self.text:
                self.ended = True
            case _:
                self._change(name)

    def _move(self, name: str) -> None:
        there = {"home": 0, "end": len(self.text), "left": self.cursor - 1}
        self.cursor = min(max(there.get(name, self.cursor + 1), 0), len(self.text))

    def _change(self, name: str) -> None:
        before, after = self.text[: self.cursor], self.text[self.cursor :]
        match name:
            case "rub":
                self._put(before[:-1], after)
            case "delete or end" | "delete":
                self._put(before, after[1:])
            case "cut after":
                self._put(before, "")
            case "cut before":
                self._put("", after)
            case "cut word":
                self._put(re.sub(r"\S*\s*\Z", "", before), after)
            case "complete":
                self._put(self._complete(before), after)

    def _recall(self, step: int) -> None:
        self._at = min(max(self._at + step, 0), len(self._history))
        self._put("" if self._at == len(self._history) else self._history[self._at], "")
