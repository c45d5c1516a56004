"""Who may ask what, how often, and the trouble that a test can wish for."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.clock import TurnedClock
from tests.sandbox.workflows import DISPATCH, ONE_JOB, RUNS, TOKEN, github_of, steps

ASKED: dict[str, Any] = {"ref": "main", "inputs": {"target": "x"}}


@pytest.mark.parametrize(
    ("authorization", "status", "message"),
    [
        ("Bearer x", 401, "Bad credentials"),
        ("", 401, "Requires authentication"),
        (f"token {TOKEN}", 404, "Not Found"),
    ],
)
async def test_a_token_is_looked_at_first(
    authorization: str, status: int, message: str, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        headers = {"Authorization": authorization}
        answer = await github.call("GET", "/actions/runs/1", headers=headers)

    assert (answer[0], answer[1]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/actions/runs/1"),
        ("GET", "/actions/runs/x"),
        ("GET", "/actions/jobs/1"),
        ("GET", "/actions/jobs/1/logs"),
        ("POST", "/actions/runs/1/cancel"),
        ("POST", "/actions/runs/1/rerun"),
        ("POST", "/actions/jobs/1/rerun"),
        ("GET", "/actions/workflows/other.yml/runs"),
        ("POST", "/actions/workflows/other.yml/dispatches"),
        ("GET", DISPATCH),
        ("GET", "/contents/none"),
        ("GET", "/contents/../../etc/passwd"),
    ],
)
async def test_what_is_not_there_is_not_found(method: str, path: str, tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        status, body = await github.call(method, path)

    assert (status, body["message"]) == (404, "Not Found")


async def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        headers = {"X-GitHub-Api-Version": "2020-01-01"}
        status, _ = await github.call("GET", RUNS, headers=headers)

    assert status == 400


ASKING = """
import json, os, urllib.error, urllib.request
def ask(method, path):
    request = urllib.request.Request(
        os.environ["GITHUB_API_URL"] + "/repos/" + os.environ["GITHUB_REPOSITORY"] + path,
        method=method, headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    try:
        with urllib.request.urlopen(request) as answer:
            print(answer.status)
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["message"])
run = "/actions/runs/" + os.environ["GITHUB_RUN_ID"]
ask("GET", run)
ask("GET", "/contents/nix/instances.json")
ask("POST", run + "/cancel")
"""


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        (
            "    permissions: {actions: read}",
            [
                "200",
                "403 Resource not accessible by integration",
                "403 Resource not accessible by integration",
            ],
        ),
        (
            "    permissions: {contents: read}",
            [
                "403 Resource not accessible by integration",
                "200",
                "403 Resource not accessible by integration",
            ],
        ),
    ],
)
async def test_a_jobs_token_may_what_its_permissions_say_while_it_runs(
    permissions: str, said: list[str], tmp_path: Path
) -> None:
    script = "\n".join(f"  {line}" for line in ASKING.strip().splitlines())
    step = (
        f"run: |\n  python3 - <<'END'\n{script}\n  END\nenv: {{TOKEN: '${{{{ github.token }}}}'}}"
    )
    async with github_of(steps(step, job=permissions), tmp_path) as github:
        assert await github.outcome() == ("success", said)
        assert github.github.runner.tokens == {}


async def test_an_answer_says_how_much_is_left(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        await github.call("GET", RUNS)

    assert github.answered["X-RateLimit-Remaining"] == "4999"
    assert github.answered["X-GitHub-Api-Version-Selected"] == "2026-03-10"


async def test_a_rate_limit_comes_when_it_is_wished(tmp_path: Path) -> None:
    clock = TurnedClock(1_000_000.0)
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.limit_next(60)
        github.github.limit_next(7, secondary=True)
        first, told = await github.call("GET", RUNS)
        left = github.answered["X-RateLimit-Remaining"], github.answered["X-RateLimit-Reset"]
        second, _ = await github.call("GET", RUNS)
        after = github.answered["Retry-After"]
        third, _ = await github.call("GET", RUNS)

    assert (first, left) == (403, ("0", "1000060"))
    assert told["message"].startswith("API rate limit exceeded")
    assert (second, after, third) == (403, "7", 200)


async def test_a_refusal_comes_when_it_is_wished(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.refuse_next(502, {"X-Odd": "1"}, b"<html>")
        github.github.refuse_next(500)
        first = await github.call("POST", DISPATCH, ASKED)
        odd = github.answered["X-Odd"]
        second, _ = await github.call("GET", RUNS)

        assert github.github.runs == []
    assert (first, odd, second) == ((502, "<html>"), "1", 500)


@pytest.mark.parametrize("after_accepting", [True, False])
async def test_a_dispatch_can_hang_with_or_without_a_run(
    after_accepting: bool, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hang_next(after_accepting=after_accepting)
        hanging = asyncio.create_task(github.call("POST", DISPATCH, ASKED))
        await github.github.hung()
        _, after = await github.call("GET", RUNS)

        assert not hanging.done()
        assert len(after["workflow_runs"]) == int(after_accepting)
        await github.github.stop()
        with suppress(aiohttp.ClientError):
            await hanging
