"""Ten thousand shapes of body, event and signer: none starts, breaks or tells anything."""

import json
import random
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import Call
from lambda_fn.http_client import Budget
from lambda_fn.settings import SecretReader
from tests.lambda_fn.events import (
    AGENT_1,
    CHAT_1,
    CONTROL_TOKEN,
    InvocationContext,
    by_agent,
    by_person,
    function_url,
)
from tests.lambda_fn.small_github import TOKEN


class Listener(BaseHTTPRequestHandler):
    """A GitHub that takes everything."""

    posts: list[str]

    def do_POST(self) -> None:
        self.posts.append(self.path)
        self.do_GET()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base's name)
        pass


Handed = Callable[[object], dict[str, Any]]


@pytest.fixture(scope="module")
def handed() -> Iterator[Handed]:
    """Hand an event over, and hold what must hold whatever it is."""
    posts: list[str] = []
    listener = type("Listener", (Listener,), {"posts": posts})
    with ThreadingHTTPServer(("127.0.0.1", 0), listener) as server:
        Thread(target=server.serve_forever).start()
        environ = {
            "CONTROL_API_TOKEN": CONTROL_TOKEN,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_address[1]}",
        }
        secrets = SecretReader()

        def hand(event: object) -> dict[str, Any]:
            response = Call(InvocationContext(), environ, secrets, Budget(), GitHubCache()).answer(
                event
            )
            text = str(response["body"])
            assert not posts
            assert CONTROL_TOKEN not in text
            assert TOKEN not in text
            body: dict[str, Any] = json.loads(text)
            assert body["ok"] is False
            assert body["code"] != "internal", event
            return body

        yield hand
        server.shutdown()


PIECES = [
    *("action", "deploy", "run", "runs", "registry", "cancel", "status"),
    *by_person(),
    *("run_id", "limit", "unfinished", "all", "clawdinator-1", "clawdinator-2"),
    "agent.clawdinator-1.c.a",
]
STRANGE = ["", " ", "\x00", "\ud800", "../", "${{", "é" * 40, "x" * 5000, CONTROL_TOKEN, TOKEN]


def anything(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON value, of our own words and strange ones."""
    kind = dice.randrange(6 if depth < 3 else 4)
    if kind == 0:
        return dice.choice([None, True, False, 0, -1, 7, 2**70, 1e300, float("inf"), 0.5])
    if kind < 4:
        return dice.choice(PIECES) if dice.random() < 0.6 else dice.choice(STRANGE)
    several = [anything(dice, depth + 1) for _ in range(dice.randrange(5))]
    return several if kind == 4 else {dice.choice(PIECES + STRANGE): one for one in several}


def wrong(dice: random.Random) -> Any:
    """A value that is right for no field of a deploy."""
    while True:
        value = anything(dice)
        if value not in (None, "") and (not isinstance(value, str) or "/" in value):
            return value


def spoilt(dice: random.Random) -> dict[str, Any]:
    """A deploy with one thing wrong in it."""
    body = dice.choice([by_agent, by_person])()
    field = dice.choice([*body, "control_token", dice.choice(STRANGE)])
    body[field] = wrong(dice)
    return body


def is_harmless(body: object) -> bool:
    """Whether this is no ask: a read that is right would be answered."""
    return not (isinstance(body, dict) and body.get("action") in ("registry", "run", "runs"))


def bodies(dice: random.Random) -> Iterator[str]:
    while True:
        body = spoilt(dice) if dice.random() < 0.5 else anything(dice)
        text = json.dumps(body)
        if dice.random() < 0.2:
            cut = dice.randrange(len(text))
            text = text[:cut] + dice.choice(["", "}", '"', "\x00", "NaN"]) + text[cut + 1 :]
            yield f"{text},"
        elif is_harmless(body):
            yield text


def test_ten_thousand_bodies(handed: Handed) -> None:
    dice = random.Random(20261124)  # noqa: S311  (a test that is the same each time)
    codes = set()
    for _, body in zip(range(10_000), bodies(dice), strict=False):
        event = function_url(body, dice.choice([AGENT_1, CHAT_1]))
        event["isBase64Encoded"] = dice.random() < 0.1
        codes.add(handed(event)["code"])

    assert codes == {"bad_request", "too_large"}


def test_a_thousand_events(handed: Handed) -> None:
    dice = random.Random(5)  # noqa: S311  (the same)
    for _ in range(1000):
        event = function_url(by_agent(), AGENT_1)
        within = dice.choice([event, event["requestContext"], event["requestContext"]["http"]])
        key = dice.choice(["requestContext", "headers", "body", "http", "method", "authorizer"])
        within[key] = wrong(dice)
        if within is event or key != "body":
            event["headers"] = event["headers"] if dice.random() < 0.5 else anything(dice)
            event["body"] = anything(dice)
        handed(event)
        handed(wrong(dice))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(value=json_values)
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_any_json_at_all(handed: Handed, value: Any) -> None:
    handed(value)
    handed(function_url(json.dumps(value), AGENT_1))
    handed(function_url(by_agent(target="clawdinator-1", caller=value), AGENT_1))
    handed(function_url(by_agent(), {"userArn": value, "accountId": value}))
