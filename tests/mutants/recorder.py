"""A pytest plugin beside `coverage run`: which test ran a line, and how long each test took."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest
from coverage import Coverage

SECONDS = "MUTANTS_SECONDS"
_seconds: dict[str, float] = defaultdict(float)


def pytest_runtest_logstart(nodeid: str) -> None:
    coverage = Coverage.current()
    assert coverage is not None
    coverage.switch_context(nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid] += report.duration


def pytest_sessionfinish() -> None:
    Path(os.environ[SECONDS]).write_text(json.dumps(_seconds))
