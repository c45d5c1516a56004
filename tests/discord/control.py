"""The Control API of these tests: it takes deploys as they are asked for, and cancels."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from fleet_control.ledger import Job, Run
from sandbox.loopback import listen, url_of
from tests.clawbot.control_api import Api, run
from tests.cuttable_network import CuttableNetwork


@dataclass
class Control(Api):
    """Every answer waits for `released`, which is set unless a test clears it."""

    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.released.set()

    async def answer(self, request: web.Request) -> web.Response:
        answered = await super().answer(request)
        await self.released.wait()
        return answered

    def _answer(self, ask: dict[str, Any]) -> dict[str, Any]:
        match ask["action"]:
            case "deploy":
                self.told.setdefault(ask["request_id"], "")
                names = (
                    "target",
                    "ami_override",
                    "revision",
                    "requested_by",
                    "request_id",
                    "reply",
                )
                told = {name: ask[name] for name in names} | {"caller": ask["caller"] or ""}
                told |= {name: ask.get(name, "") for name in ("operation", "override")}
                begun = run(len(self.runs) + 1, "queued", **told)
                self.runs.append(begun)
                return {"message": "queued", "run": {"id": begun.id, "url": begun.url}}
        return super()._answer(ask)

    def running(self, id_: int, *jobs: Job) -> Run:
        return self.change(id_, status="in_progress", jobs=jobs)

    def done(self, id_: int, *jobs: Job) -> Run:
        return self.change(id_, status="completed", conclusion="success", jobs=jobs)


class AnsweringApi(Protocol):
    """What a server asks for each answer, and tells its own address."""

    url: str

    async def answer(self, request: web.Request) -> web.StreamResponse: ...


@asynccontextmanager
async def serving(api: AnsweringApi, line: CuttableNetwork) -> AsyncIterator[None]:
    async with listening(api, line) as api.url:
        yield


@asynccontextmanager
async def listening(api: AnsweringApi, line: CuttableNetwork) -> AsyncIterator[str]:
    """An address of it for whoever goes by that line."""
    app = web.Application(middlewares=[line.middleware])
    app.router.add_post("/", api.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    taken = listen(0)
    await web.SockSite(runner, taken).start()
    try:
        yield url_of(taken)
    finally:
        await runner.cleanup()
