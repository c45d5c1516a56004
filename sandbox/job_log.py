"""A job's log as GitHub keeps it: a moment before each line, no secret in it, commands obeyed."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

_COMMAND = re.compile(r"\s*::(?P<command>[a-z0-9][a-z0-9-]*)(?: [^:]*)?::(?P<message>.*)")
_SHOWN = frozenset({"error", "notice"})


class JobLog:
    """Writes into `lines`; `now` gives Unix seconds."""

    def __init__(self, lines: list[str], now: Callable[[], float]) -> None:
        self._lines = lines
        self._now = now
        self._masks: set[str] = set()
        # What a line must say for commands to be obeyed again; empty where they are.
        self._until = ""

    def mask(self, secrets: Iterable[str]) -> None:
        self._masks.update(filter(None, secrets))

    def masked(self, text: str) -> str:
        # The longest first: another secret may be a part of it.
        for secret in sorted(self._masks, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def hear(self, line: str) -> None:
        """Take a line that a step wrote: a workflow command, or just a line."""
        found = _COMMAND.fullmatch(line)
        command = found["command"] if found else ""
        if self._until:
            self._until = "" if command == self._until else self._until
            self.write(line)
        elif not found:
            self.write(line)
        elif command == "stop-commands":
            self._until = _unescaped(found["message"])
            self.write(line)
        elif command in _SHOWN:
            self.write(f"##[{command}]{_unescaped(found['message'])}")
        else:
            # GitHub may obey it: a script that needs it would not do here what it does there.
            self.error(f"I don't play the workflow command `{command}`")

    def error(self, message: str) -> None:
        self.write(f"##[error]{message}")

    def write(self, text: str) -> None:
        stamp = f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
        self._lines += [f"{stamp} {line}" for line in self.masked(text).split("\n")]


def _unescaped(message: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, character)
    return message
