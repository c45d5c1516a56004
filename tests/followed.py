"""One ask, followed by its request id through every log that the sandbox has."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3

from clawbot.log_line import formatter
from clawbot.settings import LogForm
from sandbox.function_log import GROUP
from sandbox.principal import REGION
from sandbox.sandbox import Sandbox

# Of a line of the bot's or the function's, what an excerpt shows.
_SHOWN = ("time", "event", "signer", "action", "account", "what", "run", "status", "code")


@contextmanager
def bot_log() -> Iterator[io.StringIO]:
    """The bot's log in JSON, as `CLAWBOT_LOG=json` has it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(LogForm.JSON))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


async def followed(sandbox: Sandbox, request_id: str, written: str) -> dict[str, list[str]]:
    """The lines that have this request id, by log, as an excerpt shows them."""
    await sandbox.function_log.written()
    (run,) = (one for one in sandbox.github.runner.runs if request_id in one.title)
    said = [line for job in run.jobs for line in job.log if f" request_id={request_id}" in line]
    return {
        "bot": [*_with(map(json.loads, written.splitlines()), request_id)],
        "Control API": [*_with(await asyncio.to_thread(_function_lines, sandbox), request_id)],
        "run's title": [run.title],
        "job logs": said,
    }


def _function_lines(sandbox: Sandbox) -> list[dict[str, Any]]:
    with closing(
        boto3.client(
            "logs",
            region_name=REGION,
            endpoint_url=sandbox.aws_url,
            aws_access_key_id="operator",
            aws_secret_access_key="operator",
        )
    ) as logs:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
        return [json.loads(event["message"]) for page in pages for event in page["events"]]


def _with(lines: Any, request_id: str) -> Iterator[str]:
    for line in lines:
        if line.get("request_id") == request_id:
            shown = (f"{name}={line[name]}" for name in _SHOWN if line.get(name) not in (None, ""))
            yield " ".join(shown)
