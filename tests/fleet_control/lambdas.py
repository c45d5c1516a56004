"""A Control API on loopback that does what it is told to, once for each request."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fleet_control import json_output
from fleet_control.clock import Clock
from fleet_control.control_api import ControlApi
from fleet_control.ledger import Revision, Run
from tests.clock import TurnedLoop
from tests.fleet_control.fleets import registry_text

TOKEN = "token-not-to-be-seen"
ACCESS_KEY = "AKIANOTTOBESEEN"
SECRET_KEY = "key-not-to-be-seen"
REGION = "eu-central-1"
DEADLINE_SECONDS = 5.0

T = TypeVar("T")

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Lambda:
    """The server, what it will do next, and what arrived.

    Attributes:
        acts: what to do with the next requests, in turn; after the last, 500.
        asked: each request's body, but for those that ask what holds the fleet, or beside a status
            what was deployed.
        holds: what these are answered, as (status, body), and `looks` how many there were.
        history: what is answered beside a status; None where a test answers that in turn.
        connections: each request's connection, by number.
        signed: whether each request's signature holds, as botocore reckons it.
        hangs: set once a call is there that is never answered, or not to its end.
        ended: set at the end, for those who never answer.
    """

    url: str = ""
    acts: list[Act] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    holds: tuple[int, dict[str, Any]] = (200, {"freeze": None})
    looks: int = 0
    history: dict[str, Any] | None = field(default_factory=lambda: {"runs": []})
    connections: list[int] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if json.loads(body)["action"] == "holds":
            self.looks += 1
            status, told = self.holds
            return web.json_response({"ok": status == 200, **told}, status=status)
        if self.history is not None and _of_a_status(json.loads(body)):
            return web.json_response({"ok": True, **self.history})
        self.asked.append(json.loads(body))
        self.connections.append(id(request.transport))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.signed.append(_signature_holds(request, body))
        if self.asked[-1].get("limit", 1) > 100:
            return web.json_response(
                {"ok": False, "code": "bad_request", "error": "limit"}, status=400
            )
        if not self.acts:
            return web.Response(status=500, text="nothing more to do")
        return await self.acts.pop(0)(request)

    def answers(self, answer: object, status: int = 200) -> None:
        """Answer the next request with this JSON."""
        self.says(json.dumps(answer), status, "application/json")

    def says(self, text: str, status: int = 200, type_: str = "text/html") -> None:
        async def act(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=text, content_type=type_)

        self.acts.append(act)

    def has_registry(self, *ids: str, revisions: Iterable[Revision] = ()) -> None:
        known = [one._asdict() for one in revisions]
        text = registry_text(*ids)
        self.answers({"ok": True, "registry": text, "version": "v1", "revisions": known})

    def has_runs(self, *runs: Run) -> None:
        self.answers({"ok": True, "runs": [json_output.run(one) for one in runs]})

    def shows(self, *runs: Run) -> None:
        """Answer as many requests with one run each."""
        for one in runs:
            self.answers({"ok": True, "run": json_output.run(one)})

    def redirects(self, url: str, status: int) -> None:
        """Send the next request on to another server."""

        async def act(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": url})

        self.acts.append(act)

    @property
    def actions(self) -> list[str]:
        return [body["action"] for body in self.asked]

    def refuses(self, code: str, status: int, **more: object) -> None:
        self.answers({"ok": False, "code": code, "error": f"{code}, in words.", **more}, status)

    def stays_silent(self) -> None:
        """Accept the next request, and never answer it."""

        async def act(_: web.Request) -> web.StreamResponse:
            self.hangs.set()
            await self.ended.wait()
            return web.Response()

        self.acts.append(act)

    def trickles(self) -> None:
        """Begin to answer the next request, and never end."""

        async def act(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{"ok": true, ')
            self.hangs.set()
            await self.ended.wait()
            return response

        self.acts.append(act)

    def breaks_off(self) -> None:
        """Take the next request, and drop the connection."""

        async def act(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.acts.append(act)


async def given_up(control: Lambda, asking: Coroutine[None, None, T]) -> T:
    """What comes of a call that hangs, past its deadline, which is aiohttp's own to keep."""
    loop, asked = TurnedLoop(), asyncio.create_task(asking)
    await control.hangs.wait()
    await loop.turn(DEADLINE_SECONDS)
    return await asked


def client(url: str, clock: Clock, deadline: float = DEADLINE_SECONDS) -> ControlApi:
    """A client with the keys that `serving` knows."""
    return ControlApi(url, TOKEN, ACCESS_KEY, SECRET_KEY, REGION, clock, deadline)


@asynccontextmanager
async def serving() -> AsyncIterator[Lambda]:
    served = Lambda()
    application = web.Application(client_max_size=2**20)
    application.router.add_post("/", served.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{port}/"
    try:
        yield served
    finally:
        served.ended.set()
        await runner.cleanup()


def _of_a_status(ask: dict[str, Any]) -> bool:
    return ask["action"] == "history" or (ask.get("unfinished", False) and "request_id" not in ask)


def _signature_holds(request: web.Request, body: bytes) -> bool:
    """Reckon the signature anew, from the bytes and headers that arrived."""
    given = dict(
        part.strip().split("=", 1)
        for part in request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256").split(",")
    )
    arrived = AWSRequest(
        method=request.method,
        url=f"http://{request.headers['Host']}{request.path_qs}",
        data=body,
        headers={name: request.headers[name] for name in given["SignedHeaders"].split(";")},
    )
    arrived.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "lambda", REGION)
    words = signer.string_to_sign(arrived, signer.canonical_request(arrived))
    return (
        given["Signature"] == signer.signature(words, arrived)
        and given["Credential"].split("/")[0] == ACCESS_KEY
    )
