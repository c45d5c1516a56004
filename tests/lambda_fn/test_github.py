"""What GitHub's refusals, silences and nonsense become."""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import Call
from lambda_fn.http_client import Budget
from lambda_fn.settings import SecretReader
from tests.lambda_fn.conftest import ApiAnswer, Ask
from tests.lambda_fn.events import (
    AGENT_1,
    BEGAN,
    CHAT_1,
    InvocationContext,
    by_agent,
    by_person,
    function_url,
)
from tests.lambda_fn.small_github import TOKEN, SmallGitHub

SPENT = {"x-ratelimit-remaining": "0"}
REFUSALS = [
    (401, {}, "Bad credentials", (502, "github_refused"), None),
    (403, {}, "Resource not accessible by integration", (502, "github_refused"), None),
    (404, {}, "Not Found", (502, "github_refused"), None),
    (409, {}, "Conflict", (502, "github_refused"), None),
    (422, {}, 'Unexpected inputs provided: ["reply"]', (502, "github_refused"), None),
    (422, {}, "No ref found for: main", (502, "github_refused"), None),
    (300, {}, "Multiple Choices", (502, "github_refused"), None),
    (301, {}, "Moved Permanently", (502, "github_refused"), None),
    (429, {}, "slow down", (429, "github_busy"), 60),
    (429, {"retry-after": "7"}, "slow down", (429, "github_busy"), 7),
    (429, {"retry-after": "soon"}, "slow down", (429, "github_busy"), 60),
    (403, {"retry-after": "9"}, "secondary", (429, "github_busy"), 9),
    (403, {}, "You have exceeded a secondary rate limit.", (429, "github_busy"), 60),
    (403, SPENT | {"x-ratelimit-reset": "1"}, "API rate limit", (429, "github_busy"), 1),
    (403, SPENT, "API rate limit", (429, "github_busy"), 60),
    (403, {"retry-after": "9" * 30}, "forever", (429, "github_busy"), 86400),
    (500, {}, "oops", (502, "github_unreachable"), None),
    (502, {}, "Server Error", (502, "github_unreachable"), None),
    (504, {}, "timeout", (502, "github_unreachable"), None),
]


@pytest.mark.parametrize(("status", "headers", "words", "code", "wait"), REFUSALS)
async def test_a_refusal_is_told_in_githubs_words(
    ask: Ask,
    github: SmallGitHub,
    status: int,
    headers: Mapping[str, str],
    words: str,
    code: tuple[int, str],
    wait: int | None,
) -> None:
    github.refusals.append(web.json_response({"message": words}, status=status, headers=headers))

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.code == code
    assert answer.body.get("retry_after") == wait
    assert words in answer.body["error"]
    assert github.dispatched == []


ACTIONS: list[dict[str, object]] = [
    by_person(),
    {"action": "runs"},
    {"action": "run", "run_id": 7},
    {"action": "registry"},
    {"action": "cancel", "run_id": 7, "requested_by": "discord:1 sam"},
]


@pytest.mark.parametrize("asked", ACTIONS, ids=lambda asked: str(asked["action"]))
async def test_a_token_that_ended_is_told_with_the_two_commands_that_renew_it(
    ask: Ask, github: SmallGitHub, asked: dict[str, object]
) -> None:
    github.token = "another"

    answer = await ask(function_url(asked, CHAT_1))

    assert answer.code == (502, "github_refused")
    assert answer.body["error"] == (
        "GitHub says: Bad credentials. The Control API's token for GitHub is wrong or has ended: "
        "renew it with `clawbot secrets github`; `fleet-control runs` then shows whether GitHub "
        "takes it."
    )
    page = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
    section = page.partition("## GitHub's token ends\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^(clawbot|fleet-control) ([a-z ]+?) +#", section, re.MULTILINE)
    assert commands == [("clawbot", "secrets github"), ("fleet-control", "runs")]
    assert all(f"`{' '.join(one)}`" in answer.body["error"] for one in commands)


async def test_the_time_a_spent_limit_names_is_told(ask: Ask, github: SmallGitHub) -> None:
    reset = {**SPENT, "x-ratelimit-reset": str(int(BEGAN) + 100)}
    github.refusals.append(web.json_response({"message": "x"}, status=403, headers=reset))

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["retry_after"] == 100


async def test_a_refusal_that_quotes_secrets_does_not_pass_them_on(
    ask: Ask, github: SmallGitHub
) -> None:
    words = f"Bad {TOKEN} and ghp_{'a' * 36}\n\x07 {'x' * 400}"
    github.refusals.append(web.json_response({"message": words}, status=422))

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["error"].startswith("GitHub says: Bad *** and *** xxx")
    assert len(answer.body["error"]) < 330


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"x"', b"{}", b'{"message": null}', b"[" * 100_000, b"\xff"]
)
@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize("action", ["runs", "run", "registry", "cancel"])
async def test_nonsense_in_githubs_place_is_told_as_that(
    ask: Ask, github: SmallGitHub, action: str, status: int, body: bytes
) -> None:
    github.refusals.append(web.Response(status=status, body=body))
    said: dict[str, object] = {"action": action}
    if action in ("run", "cancel"):
        said["run_id"] = 7
    if action == "cancel":
        said["requested_by"] = "discord:1 sam"

    answer = await ask(function_url(said, CHAT_1))

    assert answer.code == (502, "github_unreachable" if status == 200 else "github_refused")
    assert github.cancelled == []


async def test_what_was_never_asked_has_not_stayed_as_it_was(ask: Ask, github: SmallGitHub) -> None:
    github.refusals.append(web.Response(status=304))

    answer = await ask(function_url({"action": "registry"}, CHAT_1))

    assert answer.code == (502, "github_refused")


async def test_a_refusal_is_not_kept(ask: Ask, github: SmallGitHub) -> None:
    github.refusals.append(web.json_response({"message": "oops"}, status=500))
    await ask(function_url({"action": "registry"}, CHAT_1))

    assert (await ask(function_url({"action": "registry"}, CHAT_1))).status == 200


async def test_a_bot_is_not_let_by_when_nobody_can_say_whether_it_is_busy(
    ask: Ask, github: SmallGitHub
) -> None:
    github.refusals.append(web.json_response({"message": "oops"}, status=500))

    answer = await ask(function_url(by_agent(), AGENT_1))

    assert answer.code == (502, "github_unreachable")
    assert github.paths() == ["GET /actions/workflows/fleet-deploy.yml/runs"]


async def test_a_github_that_is_not_there(ask: Ask, github: SmallGitHub) -> None:
    await github.stop()

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.code == (502, "github_unreachable")


@pytest.mark.parametrize("port", ["", ":x", ":99999", "/api/v3"])
async def test_a_github_that_can_not_be(ask: Ask, environ: dict[str, str], port: str) -> None:
    environ["GITHUB_API_URL"] = f"http://127.0.0.1:1{port}"

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.code == (502, "github_unreachable")


async def test_a_timeout_after_accepting_is_not_told_as_success(
    ask: Ask, github: SmallGitHub
) -> None:
    github.hangs = True

    answer = await ask(function_url(by_person(), CHAT_1), budget=0.3)

    assert answer.code == (502, "github_unreachable")
    assert "timed out" in answer.body["error"]
    assert len(github.dispatched) == 1


async def test_an_answer_that_trickles_ends_with_the_calls_time(environ: dict[str, str]) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        environ["GITHUB_API_URL"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        answer = await _answer(environ, by_person(), Budget(0.3))

    assert answer.code == (502, "github_unreachable")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (9 * 1024 * 1024),
    ],
)
async def test_an_answer_that_is_cut_broken_or_endless(
    environ: dict[str, str], sent: bytes
) -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
        environ["GITHUB_API_URL"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        answer = await _answer(environ, {"action": "registry"}, Budget(5))

    assert answer.code == (502, "github_unreachable")


async def _answer(environ: dict[str, str], said: object, budget: Budget) -> ApiAnswer:
    call = Call(InvocationContext(), environ, SecretReader(), budget, GitHubCache())
    response = await asyncio.to_thread(call.answer, function_url(said, CHAT_1))
    status, body = response["statusCode"], response["body"]
    assert isinstance(status, int)
    assert isinstance(body, str)
    return ApiAnswer(status, json.loads(body))
