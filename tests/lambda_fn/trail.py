"""The function's log as a test reads it: one JSON object a line."""

import json
from typing import Any

import pytest


def trail(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What it wrote of each request, oldest first."""
    lines = [record.getMessage() for record in caplog.records if record.name == "lambda_fn"]
    assert not [line for line in lines if "\n" in line]
    return [json.loads(line) for line in lines]
