"""GitHub on loopback: its REST API over a runner of our own, and what a test may do to both."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.github_guard import (
    Guard,
    Handler,
    Refusal,
    primary_limit,
    said,
    secondary_limit,
)
from sandbox.github_routes import Routes
from sandbox.log_store import LogStore
from sandbox.loopback import listen, url_of
from sandbox.run_record import RunRecord, RunStatus
from sandbox.runner import Runner

_WAITING = (RunStatus.PENDING, RunStatus.QUEUED)


class GitHub:
    """One repository with one workflow. `token` is the Lambda's: Actions write, Contents read."""

    def __init__(self, runner: Runner, token: str, port: int = 0) -> None:
        self.runner = runner
        self.url = ""
        self._port = port
        self._store = LogStore()
        self._guard = Guard(token, runner.tokens, runner.clock)
        self._routes = Routes(runner, self._store)
        self._site: web.AppRunner | None = None
        # Whether each call that will never be answered is taken first.
        self._hang: list[bool] = []
        self._hanging = 0
        self._closing = asyncio.Event()

    async def start(self) -> str:
        await self._store.start()
        listening = listen(self._port)
        self.url = self.runner.api_url = url_of(listening)
        app = web.Application(middlewares=[self._api])
        app.add_routes(self._routes.table())
        app.add_routes(
            [web.get(rf"/{self.runner.place.repo}/actions/runs/{{run:\d+}}", self._page)]
        )
        self._site = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._site.setup()
        await web.SockSite(self._site, listening).start()
        return self.url

    async def stop(self) -> None:
        """End everything; nothing is left running, and no folder of a job is left."""
        self._closing.set()
        await self.runner.stop()
        if self._site:
            await self._site.cleanup()
        await self._store.stop()

    @property
    def asked(self) -> Counter[str]:
        """How often each kind of call came through: dispatch, runs, run, jobs, logs, …"""
        return self._routes.asked

    @property
    def runs(self) -> Sequence[RunRecord]:
        """Oldest first."""
        return self.runner.runs

    def hold(self) -> None:
        """No runner is free: what is asked for waits."""
        self.runner.hold()

    def release(self) -> None:
        self.runner.release()

    def list_late(self, seconds: float) -> None:
        """Show a run in lists only so long after its dispatch."""
        self._routes.lists_after = seconds

    def refuse_next(
        self, status: int, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> None:
        """Answer one call more like this; `body` is JSON, unless it is bytes."""
        self._guard.refusals.append(Refusal(status, headers or {}, body))

    def limit_next(self, wait: float, *, secondary: bool = False) -> None:
        """Answer one call more with a rate limit that is lifted in `wait` seconds."""
        limit = secondary_limit(wait) if secondary else primary_limit(self.runner.clock.now(), wait)
        self._guard.refusals.append(limit)

    def hang_next(self, *, after_accepting: bool) -> None:
        """Let one call more never be answered: a dispatch that is taken, or any call that is not.

        It hangs until we stop.
        """
        self._hang.append(after_accepting)

    async def hung(self, calls: int = 1) -> None:
        """Once so many calls hang."""
        await self.runner.changes.until(lambda: self._hanging >= calls)

    async def started(self, run_id: int) -> RunRecord:
        """The run, once it no longer waits for its turn."""
        return await self.until(run_id, lambda run: run.status not in _WAITING)

    async def finished(self, run_id: int) -> RunRecord:
        """The run, once its newest attempt has ended."""
        return await self.until(run_id, lambda run: run.ended)

    async def until(self, run_id: int, holds: Callable[[RunRecord], bool]) -> RunRecord:
        """The run, once that holds of it; LookupError if there is no such run."""
        run = self.runner.find(run_id)
        if run is None:
            raise LookupError(f"there is no run {run_id}")
        await self.runner.changes.until(lambda: holds(run))
        return run

    @web.middleware
    async def _api(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/repos/"):
            return await handler(request)
        is_dispatch = request.path.endswith("/dispatches")
        hangs = next((one for one in self._hang if is_dispatch or not one), None)
        if hangs is not None:
            self._hang.remove(hangs)
        if hangs is False:
            await self._let_hang()
        response = await self._guard.answer(request, _in_json(handler))
        if hangs:
            await self._let_hang()
        return response

    async def _let_hang(self) -> None:
        self._hanging += 1
        self.runner.changes.tell()
        await self._closing.wait()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """What a person sees who opens a run's link: its jobs' summaries."""
        run = self.runner.find(int(request.match_info["run"]))
        if run is None:
            raise web.HTTPNotFound
        parts = [f"{run.title}\n{run.status} {run.conclusion or ''}".strip(), run.problem]
        parts += [
            f"{job.name} ({job.conclusion or job.status})\n{job.summary}"
            for job in run.latest_jobs()
        ]
        return web.Response(text="\n\n".join(filter(None, parts)))


def _in_json(handler: Handler) -> Handler:
    """aiohttp's own 404 and 405 are pages; GitHub answers both with its 404."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return said("Not Found", 404)

    return answer
