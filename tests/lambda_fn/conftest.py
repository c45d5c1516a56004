import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import Call
from lambda_fn.http_client import Budget
from lambda_fn.settings import SecretReader
from tests.lambda_fn.events import BEGAN, CONTROL_TOKEN, InvocationContext
from tests.lambda_fn.role import LOCKS, STATE, TABLE, LambdaRole, playing
from tests.lambda_fn.small_github import TOKEN, SmallGitHub


@dataclass(frozen=True)
class ApiAnswer:
    status: int
    body: dict[str, Any]

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.body["code"]


@pytest.fixture
async def github() -> AsyncIterator[SmallGitHub]:
    small = SmallGitHub()
    await small.start()
    yield small
    await small.stop()


@pytest.fixture
def environ(github: SmallGitHub) -> dict[str, str]:
    return {
        "CONTROL_API_TOKEN": CONTROL_TOKEN,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.url,
    }


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class TurnedNow:
    """Time as the function sees it: it stands still, and `ahead` turns it on. So what is asked at
    once is asked at one time, however long a loaded machine takes for it."""

    ahead: float = 0.0
    began: float = BEGAN

    def __call__(self) -> float:
        return self.began + self.ahead


@pytest.fixture
def now() -> TurnedNow:
    return TurnedNow()


@pytest.fixture
def table(moto: str, environ: dict[str, str]) -> Iterator[LambdaRole]:
    """With the rights of tofu/control and no others."""
    may = ("GetItem", "PutItem", "UpdateItem")
    with playing(moto, "dynamodb", *(f"dynamodb:{action}" for action in may)) as role:
        role.admin.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        environ |= role.environ | {"CONTROL_TABLE": TABLE}
        yield role


@pytest.fixture
def locks(table: LambdaRole, environ: dict[str, str]) -> LambdaRole:
    """OpenTofu's table beside the control table, in the same account."""
    table.admin.create_table(
        TableName=LOCKS,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    environ |= {"LOCK_TABLE": LOCKS, "STATE_LOCK": STATE}
    return table


Ask = Callable[..., Awaitable[ApiAnswer]]


@pytest.fixture
def ask(environ: dict[str, str], now: TurnedNow) -> Ask:
    """Hand an event to the function, as AWS does, beside the loop on which GitHub runs."""
    secrets, cache = SecretReader(), GitHubCache()

    async def handed(
        event: object, budget: float = 0.0, another_process: GitHubCache | None = None
    ) -> ApiAnswer:
        # Only who waits for its end spends it by the real time: a loaded machine is no news.
        spent = time.monotonic if budget else float
        time_left = Budget(budget or 8.5, now, monotonic=lambda: spent() + now.ahead)
        call = Call(
            InvocationContext(),
            environ,
            secrets,
            time_left,
            another_process or cache,
            logging.getLogger("lambda_fn").info,
        )
        response = await asyncio.to_thread(call.answer, event)
        assert response["headers"] == {"content-type": "application/json"}
        body, status = response["body"], response["statusCode"]
        assert isinstance(body, str)
        assert isinstance(status, int)
        assert CONTROL_TOKEN not in body
        assert TOKEN not in body
        parsed = json.loads(body)
        assert parsed["ok"] is (status == 200)
        return ApiAnswer(status, parsed)

    return handed
