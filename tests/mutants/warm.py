"""A pytest plugin: what it is asked for it runs in a fork of a Python that has collected all tests.

Each line it reads is a TrialRequest in JSON, and it answers each with a TrialOutcome. A function
that was changed on disk gets its new code in the fork; so nothing has to be imported for a mutant.
"""

import functools
import inspect
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum, auto
from pathlib import Path
from types import CodeType, FunctionType
from typing import NamedTuple

import pytest
from coverage import Coverage

# The environment's name for the two ends of pipes: what is asked, and what is answered.
PIPES = "MUTANTS_PIPES"


class TrialRequest(NamedTuple):
    """Run these tests.

    Attributes:
        tests: each by its id, or by its file for all of that.
        seconds: how long they may take.
        changed: a file and the function in it whose code is to be read again; or empty.
        measured: where to write which test ran which line, and how long each took; or empty.
        of: the files whose lines these are.
    """

    tests: list[str]
    seconds: float
    changed: tuple[str, str] | tuple[()] = ()
    measured: str = ""
    of: list[str] = []  # noqa: RUF012  (nobody changes it)


class TrialOutcome(StrEnum):
    GREEN = auto()
    RED = auto()
    BROKEN = auto()


def pytest_runtestloop(session: pytest.Session) -> bool:
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    items: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in session.items:
        items[item.nodeid].append(item)
        items[item.nodeid.partition("::")[0]].append(item)
    reading, writing = (int(end) for end in os.environ[PIPES].split(","))
    with os.fdopen(reading) as asked, os.fdopen(writing, "w") as answers:
        for line in asked:
            ask = TrialRequest(*json.loads(line))
            chosen = [item for one in ask.tests for item in items[one]]
            answers.write(f"{_forked(session, chosen, ask)}\n")
            answers.flush()
    return True


def _forked(session: pytest.Session, items: list[pytest.Item], ask: TrialRequest) -> TrialOutcome:
    """What came of it; too late is red. What the tests started ends with them."""
    child = os.fork()
    if not child:
        os.setsid()
        os._exit(_code(session, items, ask))
    until = time.monotonic() + ask.seconds
    ended, status = 0, 1
    while not ended and time.monotonic() < until:
        time.sleep(0.005)
        ended, status = os.waitpid(child, os.WNOHANG)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
        return TrialOutcome.RED
    return [TrialOutcome.GREEN, TrialOutcome.RED, TrialOutcome.BROKEN][
        os.waitstatus_to_exitcode(status)
    ]


def _code(session: pytest.Session, items: list[pytest.Item], ask: TrialRequest) -> int:
    try:
        if ask.changed:
            _read_again(*ask.changed)
        if ask.measured:
            _measure(session, items, ask)
        else:
            _run(session, items)
    except BaseException:  # noqa: BLE001  (it is a process of its own, which ends here)
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        return 2
    return 1 if session.testsfailed else 0


def _run(session: pytest.Session, items: list[pytest.Item]) -> None:
    for item, following in _pairs(items):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return


def _measure(session: pytest.Session, items: list[pytest.Item], ask: TrialRequest) -> None:
    seconds: dict[str, float] = {}
    coverage = Coverage(data_file=ask.measured, include=ask.of, config_file=False)
    # Tests of what runs in another process, or of the tree itself, run no line here.
    coverage.set_option("run:disable_warnings", ["no-data-collected"])
    coverage.start()
    for item, following in _pairs(items):
        coverage.switch_context(item.nodeid)
        began = time.perf_counter()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds[item.nodeid] = time.perf_counter() - began
    coverage.stop()
    coverage.save()
    Path(f"{ask.measured}.json").write_text(json.dumps(seconds))


def _pairs(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _read_again(file: str, name: str) -> None:
    """Give a function the code that its file now has for it."""
    (module,) = {one for one in sys.modules.values() if getattr(one, "__file__", "") == file}
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    match found:
        case property():
            found = found.fget
        case classmethod() | staticmethod():
            found = found.__func__
        case functools.cached_property():
            found = found.func
    function = inspect.unwrap(found)  # type: ignore[arg-type]  # a callable
    assert isinstance(function, FunctionType)
    (function.__code__,) = _named(name, compile(Path(file).read_text(), file, "exec"))


def _named(name: str, code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_qualname == name:
                yield one
            yield from _named(name, one)
