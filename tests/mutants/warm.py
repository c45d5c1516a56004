"""A Python that has imported what the tests import, and runs some of them in a fork of itself.

It reads lines of JSON, `[[an argument of pytest, ...], seconds]`, and answers `green` or `red`.
What the tree itself has is forgotten after it was imported: a fork reads it anew, with its mutant.
"""

import gc
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest


def main() -> None:
    # What pytest prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if pytest.main(["--collect-only", "-q", *sys.argv[1:]]):
        sys.exit("no such tests")
    forget(Path.cwd())
    gc.freeze()
    # Two mutants of one size and second would be one to whoever reads its bytecode.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for line in sys.stdin:
        arguments, seconds = json.loads(line)
        answers.write("green\n" if green(arguments, seconds) else "red\n")
        answers.flush()


def forget(tree: Path) -> None:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(tree):
            del sys.modules[name]


def green(arguments: list[str], seconds: float) -> bool:
    """Whether pytest ends well, and in time; what it started ends with it."""
    child = os.fork()
    if not child:
        _pytest(arguments)
    until = time.monotonic() + seconds
    ended, status = 0, 1
    while not ended and time.monotonic() < until:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
    return bool(ended) and status == 0


def _pytest(arguments: list[str]) -> None:
    os.setsid()
    os._exit(pytest.main(arguments))


if __name__ == "__main__":
    main()
