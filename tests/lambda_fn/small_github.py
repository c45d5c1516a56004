"""As much of GitHub as the Control API talks to, on loopback, answering as a test says."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from fleet_control import ledger, run_title
from sandbox.github_quota import marked
from tests.lambda_fn.events import BEGAN

TOKEN = "github-token-of-the-tests"
REPO = "openclaw/clawdinators"
HTML = "https://github.com/openclaw/clawdinators/actions/runs"


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class SmallGitHub:
    """Runs and `commits` are GitHub's own objects, newest first; `refusals` are answers to the
    next requests, `refuses` to all of a path that ends so, as (status, message). `remaining` is
    what it says of its quota, `counted` what it takes from it, `ends` when its token ends. `hears`
    is told each path that is asked for, before the answer. `now` is when a dispatch's run is
    created. `log_scheme` is that of where a log lies, `log_size` its size where the
    store does not tell the true one."""

    url: str = ""
    token: str = TOKEN
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    logs: dict[int, str] = field(default_factory=dict)
    registry: bytes = b"{}"
    asked: list[SeenRequest] = field(default_factory=list)
    dispatched: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    refusals: deque[web.Response] = field(default_factory=deque)
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    remaining: int | None = None
    counted: int = 0
    names_runs: bool = True
    lists: bool = True
    hangs: bool = False
    hears: Callable[[str], object] = str
    cancel_status: int = 202
    log_requests: list[Mapping[str, str]] = field(default_factory=list)
    log_in_parts: bool = True
    log_scheme: str = "http"
    log_size: str = ""
    annotations: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    commits: list[dict[str, Any]] = field(default_factory=list)
    state: str = "active"
    ends: str = ""
    now: Callable[[], float] = lambda: BEGAN
    host_files: tuple[str, ...] = ("clawdinator-1.nix", "clawdinator-2.nix")
    _let_go: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._door])
        repo = f"/repos/{REPO}"
        workflow = f"{repo}/actions/workflows/fleet-deploy.yml"
        app.router.add_post(f"{workflow}/dispatches", self._dispatch)
        app.router.add_get(workflow, self._workflow)
        app.router.add_get(f"{workflow}/runs", self._list)
        app.router.add_get(f"{repo}/actions/runs/{{id}}", self._run)
        app.router.add_get(f"{repo}/actions/runs/{{id}}/jobs", self._jobs)
        app.router.add_post(f"{repo}/actions/runs/{{id}}/cancel", self._cancel)
        app.router.add_get(f"{repo}/actions/jobs/{{id}}/logs", self._log)
        app.router.add_get(f"{repo}/check-runs/{{id}}/annotations", self._annotations)
        app.router.add_get(f"{repo}/contents/nix/instances.json", self._contents)
        app.router.add_get(f"{repo}/contents/nix/hosts", self._hosts)
        app.router.add_post("/graphql", self._graphql)
        app.router.add_get("/storage/{id}", self._stored)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        self._let_go.set()
        if self._runner:
            await self._runner.cleanup()

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path.removeprefix(f'/repos/{REPO}')}" for one in self.asked]

    @property
    def rest(self) -> list[SeenRequest]:
        """What was asked of the REST API."""
        return [one for one in self.asked if one.path != "/graphql"]

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/storage/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append(
            SeenRequest(
                request.method, request.path, dict(request.query), dict(request.headers), body
            )
        )
        self.hears(request.path)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        if self.refusals:
            return self.refusals.popleft()
        for path, (status, message) in self.refuses.items():
            if request.path.endswith(path):
                return web.json_response({"message": message}, status=status)
        answer = marked(request, await handler(request))
        self.counted += answer.status != 304 and request.path != "/graphql"
        if self.ends:
            answer.headers["github-authentication-token-expiration"] = self.ends
        if self.remaining is not None:
            reset = str(int(self.now() + 1800))
            answer.headers.update(
                {
                    "x-ratelimit-limit": "5000",
                    "x-ratelimit-remaining": str(self.remaining),
                    "x-ratelimit-reset": reset,
                }
            )
        if self.hangs:
            await self._let_go.wait()
        return answer

    async def _workflow(self, _: web.Request) -> web.Response:
        return web.json_response({"id": 1, "state": self.state})

    async def _hosts(self, _: web.Request) -> web.Response:
        return web.json_response([{"type": "file", "name": name} for name in self.host_files])

    async def _dispatch(self, request: web.Request) -> web.Response:
        sent = await request.json()
        if unknown := [name for name in sent["inputs"] if name not in ledger.Entry._fields]:
            said = f"Unexpected inputs provided: {json.dumps(unknown)}"
            return web.json_response({"message": said}, status=422)
        self.dispatched.append(sent)
        run = run_at(self.now(), ledger.Entry(**sent["inputs"]), 1000 + len(self.runs))
        self.runs.insert(0, run)
        if not self.names_runs:
            return web.Response(status=204)
        return web.json_response(
            {"workflow_run_id": run["id"], "run_url": "", "html_url": run["html_url"]}
        )

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        since, _, until = query.get("created", "").removeprefix(">=").partition("..")
        found = [
            run
            for run in self.runs
            if self.lists
            and since <= (run.get("created_at") or since) <= (until or "9")
            and query.get("status", run.get("status")) == run.get("status")
        ]
        size, page = min(int(query["per_page"]), 100), int(query.get("page", 1))
        shown = found[(page - 1) * size : page * size]
        return web.json_response({"total_count": len(found), "workflow_runs": shown})

    async def _run(self, request: web.Request) -> web.Response:
        for run in self.runs:
            if str(run.get("id")) == request.match_info["id"]:
                return web.json_response(run)
        return web.json_response({"message": "Not Found"}, status=404)

    async def _jobs(self, request: web.Request) -> web.Response:
        jobs = self.jobs.get(int(request.match_info["id"]), [])
        size, page = min(int(request.query["per_page"]), 100), int(request.query["page"])
        shown = jobs[(page - 1) * size : page * size]
        return web.json_response({"total_count": len(jobs), "jobs": shown})

    async def _cancel(self, request: web.Request) -> web.Response:
        self.cancelled.append(int(request.match_info["id"]))
        return web.json_response({}, status=self.cancel_status)

    async def _log(self, request: web.Request) -> web.Response:
        server = self.url.replace("http", self.log_scheme)
        where = f"{server}/storage/{request.match_info['id']}?sig=a%2Fb"
        return web.Response(status=302, headers={"Location": where})

    async def _stored(self, request: web.Request) -> web.Response:
        self.log_requests.append(dict(request.headers))
        if "Authorization" in request.headers or request.query.get("sig") != "a/b":
            return web.Response(status=400)
        log = self.logs[int(request.match_info["id"])].encode()
        begin, _, end = request.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if not (self.log_in_parts and begin):
            return web.Response(body=log)
        part = log[int(begin) : int(end or len(log)) + 1]
        last = int(begin) + len(part) - 1
        headers = {"Content-Range": f"bytes {begin}-{last}/{self.log_size or len(log)}"}
        return web.Response(status=206 if part else 416, body=part, headers=headers)

    async def _annotations(self, request: web.Request) -> web.Response:
        found = self.annotations.get(int(request.match_info["id"]))
        if found is None:
            said = "Resource not accessible by personal access token"
            return web.json_response({"message": said}, status=403)
        return web.json_response(found)

    async def _graphql(self, request: web.Request) -> web.Response:
        asked = (await request.json())["variables"]
        found = self.commits
        if not asked["at"].startswith("refs/"):
            found = [one for one in found if one["oid"].startswith(asked["at"])]
        shown = {"history": {"nodes": found[: asked["count"]]}} if found else None
        return web.json_response({"data": {"repository": {"object": shown}}})

    async def _contents(self, request: web.Request) -> web.Response:
        lines = base64.encodebytes(self.registry).decode()
        return web.json_response({"content": lines, "encoding": "base64", "sha": "5ha"})


def run_of(entry: ledger.Entry, run_id: int, **fields: Any) -> dict[str, Any]:
    """A run as GitHub's API has it, waiting since now."""
    return run_at(BEGAN, entry, run_id, **fields)


def run_at(seconds: float, entry: ledger.Entry, run_id: int, **fields: Any) -> dict[str, Any]:
    """The same, waiting since then."""
    created = moment(seconds)
    return {
        "id": run_id,
        "display_title": run_title.title(entry),
        "html_url": f"{HTML}/{run_id}",
        "path": ".github/workflows/fleet-deploy.yml",
        "event": "workflow_dispatch",
        "head_branch": "main",
        "status": "queued",
        "conclusion": None,
        "created_at": created,
        "run_started_at": created,
        "updated_at": created,
        "run_attempt": 1,
        **fields,
    }


def moment(seconds: float) -> str:
    """Unix seconds as GitHub's API has them."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def job(job_id: int, name: str, status: str = "queued", **fields: Any) -> dict[str, Any]:
    return {
        "id": job_id,
        "name": name,
        "status": status,
        "conclusion": None,
        "started_at": None,
        "completed_at": None,
        "runner_id": None if status == "queued" else 21,
        "steps": [],
        **fields,
    }
