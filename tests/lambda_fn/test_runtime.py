"""The built zip, run as AWS runs it: by its runtime client, on events as AWS documents them."""

import base64
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lambda_fn.build import build
from tests.lambda_fn.events import (
    AGENT_1,
    CHAT_1,
    CONTROL_TOKEN,
    by_agent,
    by_person,
    fleet_key,
    function_url,
)
from tests.lambda_fn.runtime_api import RuntimeApi, started
from tests.lambda_fn.small_github import SmallGitHub

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def runtime(tmp_path: Path, environ: dict[str, str]) -> AsyncIterator[RuntimeApi]:
    task_root = tmp_path / "task"
    (tmp_path / "control-api.zip").write_bytes(build(ROOT))
    with zipfile.ZipFile(tmp_path / "control-api.zip") as archive:
        archive.extractall(task_root)
    async with started(task_root, environ) as api:
        yield api


def in_base64(event: dict[str, Any]) -> dict[str, Any]:
    text = base64.b64encode(event["body"].encode()).decode()
    return {**event, "body": text, "isBase64Encoded": True}


async def test_what_aws_hands_over_is_answered(runtime: RuntimeApi, github: SmallGitHub) -> None:
    read = {"action": "registry"}
    direct = {**by_agent(target="clawdinator-1"), "control_token": CONTROL_TOKEN}
    elsewhere = fleet_key("agent", "clawdinator-1", "999999999999")
    asked: list[tuple[object, int, str | None]] = [
        (function_url(by_person(), CHAT_1), 200, None),
        (in_base64(function_url(by_person(), CHAT_1)), 200, None),
        (function_url(by_agent(target="all"), AGENT_1), 403, "self_deploy"),
        (function_url(by_agent(), CHAT_1), 403, "forged_caller"),
        (function_url(by_agent(), elsewhere), 403, "forged_caller"),
        (function_url(read, "arn:aws:iam::123456789012:user/sam"), 403, "unknown_caller"),
        (function_url(read), 403, "unproven_caller"),
        (direct, 403, "unproven_caller"),
        (function_url(read, AGENT_1, "wrong"), 401, "unauthorized"),
        (function_url(read, AGENT_1, method="GET"), 405, "method_not_allowed"),
        (function_url("{", AGENT_1), 400, "bad_request"),
        (in_base64(function_url(" " * 17000, AGENT_1)), 413, "too_large"),
        (function_url({"action": "run", "run_id": 7}, AGENT_1), 404, "unknown_run"),
        (function_url({"action": "runs"}, AGENT_1), 200, None),
        (function_url(read, AGENT_1), 200, None),
        (None, 401, "unauthorized"),
        (["x"], 401, "unauthorized"),
    ]

    for event, status, code in asked:
        kind, response = await runtime.invoke(event)
        body = json.loads(response["body"])
        assert (kind, response["statusCode"], body.get("code")) == ("response", status, code), body
        assert response["headers"] == {"content-type": "application/json"}

    assert [one["inputs"]["target"] for one in github.dispatched] == ["clawdinator-2"] * 2
