"""A user of the demo's terminal: types keys, and reads the screen of a terminal emulator."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO

import pyte

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "sandbox"]
# Without the size that readline leaves to what a test runner starts: a terminal knows its own.
ENVIRON = {name: value for name, value in os.environ.items() if name not in ("LINES", "COLUMNS")}
ENVIRON |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'skills'}", "TERM": "xterm", "LANG": "C.UTF-8"}
PATIENCE_SECONDS = 60
# A terminal that is a session's own tells it when it is closed; what is ignored is inherited.
AT_ITS_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Screen(pyte.Screen):
    """An emulated screen that also answers what programs ask of a terminal."""

    def __init__(self, terminal: int, columns: int, lines: int) -> None:
        self._terminal = terminal
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        os.write(self._terminal, data.encode())


class TerminalUser:
    """The user of a terminal of that many lines; `process` is the demo that runs there."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, terminal: int, lines: int) -> None:
        self._terminal = terminal
        self._before = termios.tcgetattr(terminal)
        self._screen = Screen(terminal, 100, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.resizes(lines)

    def resizes(self, lines: int) -> None:
        """The terminal has this many lines now."""
        size = struct.pack("HHHH", lines, self._screen.columns, 0, 0)
        self._screen.resize(lines)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def types(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def pastes(self, text: str) -> None:
        """As a terminal does that brackets what is pasted."""
        self.types(f"\x1b[200~{text}\x1b[201~")

    def sees(self, *patterns: str) -> str:
        """The screen, once each of these is on it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not all(re.search(one, self.screen) for one in patterns):
            self._look(until)
        return self.screen

    def ends_up_seeing(self, pattern: str) -> str:
        """The screen, once this is the end of it.

        With the prompt at its end nothing is being printed: meanwhile the terminal takes keys for
        itself, and a Ctrl-D that is typed then is lost.
        """
        return self.sees(rf"{pattern}\Z")

    @property
    def screen(self) -> str:
        """What was last seen, without the spaces and the empty lines at its end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def is_left_with(self, code: int) -> None:
        """The demo ends with this exit code, and the terminal is as it was before."""
        until = time.monotonic() + PATIENCE_SECONDS
        with suppress(OSError):  # nobody holds the other end any more
            while True:
                self._look(until)
        assert self.process.wait(PATIENCE_SECONDS) == code
        assert termios.tcgetattr(self._terminal) == self._before

    def _look(self, until: float) -> None:
        left = max(0, until - time.monotonic())
        ready, _, _ = select.select([self._terminal], [], [], left)
        assert ready, f"nothing else is seen than\n{self.screen}"
        self._stream.feed(os.read(self._terminal, 65536))


@contextmanager
def at_a_terminal(
    lines: int = 40, errors: IO[str] | None = None, **environ: str
) -> Iterator[tuple[TerminalUser, FileIO]]:
    """Somebody who started the demo; nobody waits for it when the test has failed."""
    ours, theirs = pty.openpty()
    with FileIO(ours, "r+") as terminal:
        person = TerminalUser(ours, lines)
        with subprocess.Popen(  # noqa: S603  (this interpreter and a module of ours)
            [sys.executable, "-c", AT_ITS_TERMINAL, *COMMAND],
            stdin=theirs,
            stdout=theirs,
            stderr=errors or theirs,
            env=ENVIRON | environ,
            cwd=ROOT,
            start_new_session=True,
        ) as person.process:
            os.close(theirs)
            try:
                yield person, terminal
            finally:
                person.process.kill()
