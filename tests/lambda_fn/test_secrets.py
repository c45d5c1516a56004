"""No secret leaves, in an answer or a line of the log, as it is or as JSON or Python write it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from lambda_fn.mask import shown, without
from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import AGENT_1, CHAT_1, PERSONS, by_person, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of
from tests.lambda_fn.test_http_client import answering

SECRETS = [
    'with"quotes"of-both\'kinds',
    "with\\backslashes\\",
    'with\\"both\\"',
    "like-an-escape\\u00e9\\n",
    "<markup>&amp;</markup>",
]


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (key, *texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def forms(secret: str) -> set[str]:
    spelt = json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)
    return {secret, *(one[1:-1] for one in spelt)}


@pytest.fixture(params=SECRETS)
def secret(request: pytest.FixtureRequest, environ: dict[str, str], github: SmallGitHub) -> str:
    """Part of both tokens, so that what holds either holds it."""
    made: str = request.param
    environ["CONTROL_API_TOKEN"] = f"{made}-control"
    environ["GITHUB_TOKEN"] = github.token = f"{made}-github"
    return made


async def test_what_others_quote_is_masked(
    ask: Ask, github: SmallGitHub, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    control, token = f"{secret}-control", github.token
    quoted = f"{control}, {token}"
    github.registry = f"{quoted} {json.dumps([control, token])}".encode()
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(1, quoted, "completed", conclusion="failure")]
    github.logs[1] = f"##[error]{quoted} {json.dumps({token: control})}"

    registry = await ask(function_url({"action": "registry"}, AGENT_1, control))
    run = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1, control))
    github.refusals.append(web.json_response({"message": quoted}, status=422))
    refusal = await ask(function_url(by_person(), CHAT_1, control))

    assert registry.body["registry"] == '***, *** ["***", "***"]'
    assert run.body["run"]["reason"] == '***, *** {"***": "***"}'
    assert refusal.body["error"] == "GitHub says: ***, ***"
    said = [*(text for one in (registry, run, refusal) for text in texts(one.body)), caplog.text]
    assert "***" in caplog.text
    assert not [form for form in forms(secret) for text in said if form in text]


async def test_what_is_not_ascii_is_masked_though_it_can_be_no_token(
    ask: Ask, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    environ["GITHUB_TOKEN"] = "tökèn-of-the-tests"
    environ["CONTROL_API_TOKEN"] = ""
    environ["CONTROL_API_TOKEN_PARAMETER"] = "/clawbot/control-token"
    quoted = f"tökèn-of-the-tests {json.dumps('tökèn-of-the-tests')}"

    async with answering(f"HTTP/1.1 400 \r\n\r\n{quoted}".encode()) as (port, _):
        environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        answer = await ask(function_url({"action": "registry"}, AGENT_1))

    assert answer.body["error"] == "SSM's /clawbot/control-token can't be read: *** \"***\""
    assert "of-the-tests" not in caplog.text


@pytest.mark.parametrize("said", ["<html>s3cret-value", '{"Parameter": "s3cret-value"}'])
async def test_what_nobody_foresaw_is_told_in_words_of_ours(
    ask: Ask, environ: dict[str, str], caplog: pytest.LogCaptureFixture, said: str
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    environ["CONTROL_API_TOKEN"] = ""
    environ["CONTROL_API_TOKEN_PARAMETER"] = "/clawbot/control-token"

    async with answering(f"HTTP/1.1 200 OK\r\n\r\n{said}".encode()) as (port, _):
        environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        answer = await ask(function_url({"action": "registry"}, AGENT_1))

    assert answer.code == (500, "internal")
    assert answer.body["error"] == "The Control API broke: see its log."
    assert "Traceback" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_secret_of_less_than_eight_characters_would_be_found_in_innocent_words() -> None:
    assert without("a deploy is queued", ["queued", "deploy is"]) == "a *** queued"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("word " * 60 + "more", "word " * 58 + "word…"),
        # Of a word that is most of it as much is told as there is room for.
        (f"{'x' * 151} {'y' * 300}", f"{'x' * 151}…"),
        (f"{'x' * 150} {'y' * 300}", f"{'x' * 150} {'y' * 148}…"),
    ],
)
def test_words_of_others_have_three_hundred_characters(said: str, told: str) -> None:
    assert shown(said) == told


@pytest.mark.parametrize(("secret", "told"), [("s3cret78", "a ***"), ("s3cret7", "a s3cret7")])
def test_a_secret_of_eight_characters_is_taken_out(secret: str, told: str) -> None:
    assert without(f"a {secret}", [secret]) == told
