"""Fixtures that many tests use."""

import gc
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fleet_control import daemon
from sandbox.botocore_cache import read_once
from sandbox.operator_environ import leave_out
from tests.fleet_control.aws import FakeEc2, serving
from tests.sandbox.warm_python import warm_python


def pytest_configure() -> None:
    leave_out(os.environ)
    read_once()
    look_once("sniffio")
    # No test asserts a time: a loaded machine is as right as a quiet one.
    slow = [HealthCheck.too_slow]
    settings.register_profile("any machine", deadline=None, suppress_health_check=slow)
    settings.load_profile("any machine")


def look_once(module: str) -> None:
    """What is not installed is not looked for again: httpcore does several times a request."""
    if importlib.util.find_spec(module) is None:
        sys.modules[module] = None  # type: ignore[assignment]  # so `import` is told that it is not there


def pytest_collection_finish() -> None:
    """What was imported stays: looking for garbage in it is a tenth of a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ec2() -> Iterator[FakeEc2]:
    """An EC2 that says what it is told to; whoever uses it lets it forget first."""
    with serving() as aws:
        yield aws


@pytest.fixture(autouse=True)
def no_read_outlives_its_test() -> Iterator[None]:
    """Nobody waits for such threads but us: the next test's servers are not theirs to ask."""
    yield
    for thread in threading.enumerate():
        if thread.name == daemon.NAME:
            thread.join(10)


@pytest.fixture(scope="session")
def python() -> Iterator[Path]:
    """A run has a job for each host, of some programs each: they need not all begin in the cold."""
    with warm_python() as one:
        yield one
