"""The real Lambda on loopback: its own code, a table of moto's, a GitHub whose runs a test moves,
and a clock that the test turns.

`async with real_control_api(clock) as api` gives one, and `api.client("claw-1")` that bot's client;
`tests.discord.control.listening(api, line)` is a further address, for a bot with a line of its own.
Its `answer` and `url` are what `ChatScene` and `serving` need of a Control API. Where a scene wants
one that a test words, `tests.clawbot.control_api` and `tests.discord.control` are quicker; here
whatever the table decides is decided as in AWS.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from threading import Thread
from typing import Any

import boto3
from aiohttp import web
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from fleet_control.control_api import ControlApi
from fleet_control.ledger import Entry
from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import handler
from lambda_fn.settings import SecretReader
from tests.clock import TurnedClock
from tests.cuttable_network import CuttableNetwork
from tests.discord.control import serving
from tests.lambda_fn.events import CONTROL_TOKEN, InvocationContext, fleet_key, function_url
from tests.lambda_fn.small_github import TOKEN, SmallGitHub, moment, run_at

NOWHERE = "http://127.0.0.1:9"
_TABLES = count(1)


@dataclass
class RealControlApi:
    """Each bot signs with the access key that `access_key` names; the secret may be any.

    Attributes:
        github: its `runs`, `jobs` and `registry` are GitHub's own objects, newest first.
        asked: every call's body, in the order of their arrival.
        answered: how many were answered.
        away: nothing of it answers: each call's line is cut.
        cut_off: the bots whose chat keys' calls alone are cut so.
    """

    clock: TurnedClock
    github: SmallGitHub
    environ: dict[str, str]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    answered: int = 0
    away: bool = False
    cut_off: set[str] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _secrets: SecretReader = field(default_factory=SecretReader)
    _cache: GitHubCache = field(default_factory=GitHubCache)

    def client(self, bot: str, role: str = "chat") -> ControlApi:
        """That bot's client, to be closed; with the key of a `chat` or of an `agent`."""
        key = access_key(bot, role)
        return ControlApi(self.url, CONTROL_TOKEN, key, "secret", "eu-central-1", self.clock)

    def begin(self, entry: Entry, run_id: int, **fields: Any) -> None:
        """A run of this entry is there since now: an empty one is the button's."""
        self.github.runs.insert(0, run_at(self.clock.now(), entry, run_id, **fields))

    def move(self, run_id: int, **fields: Any) -> None:
        """GitHub moves a run on; whoever looks sees it once RUNS_KEPT seconds are over."""
        run = next(one for one in self.github.runs if one["id"] == run_id)
        run |= {"updated_at": moment(self.clock.now()), **fields}

    def end(self, run_id: int, conclusion: str = "success") -> None:
        self.move(run_id, status="completed", conclusion=conclusion)

    def lose_table(self) -> None:
        """From now on the table is away."""
        self.environ["AWS_ENDPOINT_URL_DYNAMODB"] = NOWHERE

    def find_table(self) -> None:
        """It is back, and as it was."""
        self.environ.pop("AWS_ENDPOINT_URL_DYNAMODB", None)

    def rows(self) -> dict[str, dict[str, Any]]:
        """What stands in the table, by key, as DynamoDB spells it; without what is counted of each
        minute."""
        items = self.client_of_table().scan(TableName=self.environ["CONTROL_TABLE"])["Items"]
        return {one["pk"]["S"]: one for one in items if not one["pk"]["S"].startswith("tells#")}

    def client_of_table(self) -> Any:
        """Boto's client of DynamoDB, who may do anything."""
        return _table(self.environ["AWS_ENDPOINT_URL"])

    def count(self, action: str) -> int:
        return sum(ask["action"] == action for ask in self.asked)

    async def until(self, action: str, count: int) -> None:
        """Wait until so many such calls came, and all that came are answered."""
        async with self._news:
            await self._news.wait_for(
                lambda: self.count(action) >= count and self.answered == len(self.asked)
            )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        if self.away or _signer(request) in {fleet_key("chat", bot) for bot in self.cut_off}:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        self.asked.append(json.loads(body))
        event = function_url(body, _signer(request), request.headers.get("x-clawdinator-token"))
        act = partial(
            handler,
            event,
            InvocationContext(),
            self.environ,
            secrets=self._secrets,
            cache=self._cache,
            now=self.clock.now,
        )
        answer = await asyncio.to_thread(act)
        async with self._news:
            self.answered += 1
            self._news.notify_all()
        return web.Response(
            status=int(str(answer["statusCode"])),
            text=str(answer["body"]),
            content_type="application/json",
        )


def access_key(bot: str, role: str = "chat") -> str:
    return f"AK-{bot}" if role == "chat" else f"AK.{role}-{bot}"


def _signer(request: web.Request) -> str:
    """Whose access key signed, a bot's chat key unless it names another role; what it signed is
    believed."""
    signed = request.headers["Authorization"]
    found = re.search(r"Credential=AK\.?([a-z]*)-([A-Za-z0-9_-]+)/", signed)
    return fleet_key(found[1] or "chat", found[2]) if found else fleet_key("chat", "demo")


@asynccontextmanager
async def real_control_api(
    clock: TurnedClock, line: CuttableNetwork | None = None, aws: str = ""
) -> AsyncIterator[RealControlApi]:
    """It serves, with an empty table and no runs; `line` is what the bots' calls pass, and `aws`
    where the table is to be, if there is one already."""
    github = SmallGitHub(now=clock.now)
    await github.start()
    moto, name = aws or await asyncio.to_thread(_moto), f"control-{next(_TABLES)}"
    await asyncio.to_thread(_create, moto, name)
    environ = {
        "CONTROL_API_TOKEN": CONTROL_TOKEN,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.url,
        "CONTROL_TABLE": name,
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    api = RealControlApi(clock, github, environ)
    try:
        async with serving(api, line or CuttableNetwork()):
            yield api
    finally:
        await github.stop()


class _Quiet(MotoRequestHandler):
    # Headers and body are written apart, and would wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def log_request(self, *_: object) -> None:
        """Write no log, which nobody reads."""


@cache
def _moto() -> str:
    """One server for all scenes of this process; it ends with it."""
    app = create_backend_app("dynamodb")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


@cache
def _table(moto: str) -> Any:
    session = boto3.Session("x", "x", region_name="eu-central-1")
    return session.client("dynamodb", endpoint_url=moto)


def _create(moto: str, name: str) -> None:
    _table(moto).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
