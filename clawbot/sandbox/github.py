"""GitHub's REST API on loopback, as far as a deploy needs it, over a runner of our own."""

import asyncio
import base64
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from clawbot.sandbox.expression import WorkflowError
from clawbot.sandbox.loopback import listen, url_of
from clawbot.sandbox.repository import REGISTRY, blob_sha
from clawbot.sandbox.run_record import RunRecord, moment
from clawbot.sandbox.runner import Runner

NEW_API = "2026-03-10"
OLD_API = "2022-11-28"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to give once instead of the right one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] | None = None


def rate_limited(retry_after: int) -> Refusal:
    """GitHub's secondary limit."""
    message = "You have exceeded a secondary rate limit. Please wait a few minutes."
    return Refusal(403, {"message": message}, {"Retry-After": str(retry_after)})


class GitHub:
    """One repository with one workflow. `token` is the Lambda's: Actions write, Contents read.

    Attributes:
        asked: how often each kind of call was made.
        refusals: answers to give first, each once.
        lose_next: take the next dispatch, and let its answer never come.
    """

    def __init__(self, runner: Runner, token: str, port: int = 0) -> None:
        self.runner = runner
        self.asked: Counter[str] = Counter()
        self.refusals: deque[Refusal] = deque()
        self.lose_next = False
        self._token = token
        self._port = port
        self._site: web.AppRunner | None = None
        self._logs: dict[str, str] = {}
        self.url = ""

    async def start(self) -> str:
        options = self.runner.options
        repo = f"/repos/{options.repo}"
        workflow = f"{repo}/actions/workflows/{options.workflow.name}"
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.post(f"{workflow}/dispatches", self._dispatch),
                web.get(f"{workflow}/runs", self._list),
                web.get(f"{repo}/actions/runs/{{run}}", self._run),
                web.get(f"{repo}/actions/runs/{{run}}/jobs", self._jobs),
                web.post(f"{repo}/actions/runs/{{run}}/cancel", self._cancel),
                web.post(f"{repo}/actions/runs/{{run}}/rerun", self._rerun),
                web.post(f"{repo}/actions/jobs/{{job}}/rerun", self._rerun_job),
                web.get(f"{repo}/actions/jobs/{{job}}/logs", self._log),
                web.get(f"{repo}/contents/{{path:.+}}", self._contents),
                web.get("/stored-logs/{name}", self._stored_log),
                web.get(f"/{options.repo}/actions/runs/{{run}}", self._page),
            ]
        )
        self._site = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._site.setup()
        listening = listen(self._port)
        await web.SockSite(self._site, listening).start()
        self.url = self.runner.api_url = url_of(listening)
        self.runner.start()
        return self.url

    async def stop(self) -> None:
        await self.runner.stop()
        if self._site:
            await self._site.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not request.path.startswith("/repos/"):
            return await handler(request)  # type: ignore[no-any-return]  # aiohttp's own handler
        if self.refusals:
            refusal = self.refusals.popleft()
            return _json(refusal.body, refusal.status, refusal.headers)
        version = request.headers.get("X-GitHub-Api-Version", OLD_API)
        if version not in (OLD_API, NEW_API):
            return _message(400, f"{version} is not a supported API version")
        rights = self._rights(request.headers.get("Authorization", ""))
        if rights is None:
            return _message(401, "Bad credentials")
        needed = "contents" if "/contents/" in request.path else "actions"
        level = "read" if request.method == "GET" else "write"
        if rights.get(needed) not in (level, "write"):
            return _message(403, "Resource not accessible by integration")
        return await handler(request)  # type: ignore[no-any-return]  # aiohttp's own handler

    def _rights(self, authorization: str) -> Mapping[str, str] | None:
        token = authorization.removeprefix("Bearer ").removeprefix("token ")
        if token == self._token:
            return {"actions": "write", "contents": "read"}
        return self.runner.tokens.get(token)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        self.asked["dispatch"] += 1
        body = await request.json()
        try:
            known = self.runner.file().inputs
        except WorkflowError as error:
            return _message(422, f"The workflow is not valid: {error}")
        if body.get("ref") != self.runner.repository.branch:
            return _message(422, f"No ref found for: {body.get('ref')}")
        given = body.get("inputs") or {}
        if unexpected := [name for name in given if name not in known]:
            return _message(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
        for name, one in known.items():
            if one.required and not given.get(name):
                return _message(422, f"Required input '{name}' not provided")
        run = self.runner.dispatch(
            {name: str(given.get(name, one.default)) for name, one in known.items()}
        )
        if self.lose_next:
            self.lose_next = False
            await asyncio.Event().wait()
        if request.headers.get("X-GitHub-Api-Version") != NEW_API:
            return web.Response(status=204)
        repo = self.runner.options.repo
        return _json(
            {
                "workflow_run_id": run.id,
                "run_url": f"{self.url}/repos/{repo}/actions/runs/{run.id}",
                "html_url": run.html_url,
            }
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self.asked["runs"] += 1
        query = request.query
        since = query.get("created", "").removeprefix(">=")
        runs = [
            run
            for run in reversed(self.runner.runs)
            if query.get("event", "workflow_dispatch") == "workflow_dispatch"
            and query.get("branch", self.runner.repository.branch) == self.runner.repository.branch
            and query.get("status", run.status) in (run.status, run.conclusion)
            and (moment(run.created) or "") >= since
        ]
        page = _page(runs, request)
        shown = [self._shown(run) for run in page]
        return _json({"total_count": len(runs), "workflow_runs": shown})

    async def _run(self, request: web.Request) -> web.StreamResponse:
        self.asked["run"] += 1
        run = self._found(request)
        return _json(self._shown(run)) if run else _message(404, "Not Found")

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        self.asked["jobs"] += 1
        run = self._found(request)
        if run is None:
            return _message(404, "Not Found")
        latest = request.query.get("filter", "latest") == "latest"
        jobs = run.latest_jobs() if latest else run.jobs
        shown = [job.shown(run) for job in _page(jobs, request)]
        return _json({"total_count": len(jobs), "jobs": shown})

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        self.asked["cancel"] += 1
        run = self._found(request)
        if run is None:
            return _message(404, "Not Found")
        if run.status == "completed":
            return _message(409, "Cannot cancel a workflow run that is completed.")
        await self.runner.cancel(run)
        return _json({}, 202)

    async def _rerun(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        if run is None:
            return _message(404, "Not Found")
        self.runner.rerun(run)
        return _json({}, 201)

    async def _rerun_job(self, request: web.Request) -> web.StreamResponse:
        found = self.runner.find_job(int(request.match_info["job"]))
        if found is None:
            return _message(404, "Not Found")
        self.runner.rerun(*found)
        return _json({}, 201)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        self.asked["logs"] += 1
        found = self.runner.find_job(int(request.match_info["job"]))
        if found is None:
            return _message(404, "Not Found")
        name = str(found[1].id)
        self._logs[name] = "\n".join(found[1].log) + "\n"
        return web.Response(status=302, headers={"Location": f"{self.url}/stored-logs/{name}"})

    async def _stored_log(self, request: web.Request) -> web.StreamResponse:
        # Signed addresses at a store of its own: a token sent along is an error there.
        if "Authorization" in request.headers:
            return web.Response(status=400, text="Only one auth mechanism is allowed")
        return web.Response(text=self._logs.get(request.match_info["name"], ""))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """What a person sees who opens a run's link: its jobs' summaries."""
        run = self._found(request)
        if run is None:
            raise web.HTTPNotFound
        parts = [f"{run.title}\n{run.status} {run.conclusion or ''}".strip()]
        parts += [f"## {job.name} ({job.conclusion})\n{job.summary}" for job in run.latest_jobs()]
        return web.Response(text="\n\n".join(parts))

    async def _contents(self, request: web.Request) -> web.StreamResponse:
        self.asked["contents"] += 1
        ref = request.query.get("ref", self.runner.repository.branch)
        if request.match_info["path"] != REGISTRY or ref != self.runner.repository.branch:
            return _message(404, "Not Found")
        try:
            content = self.runner.repository.registry()
        except OSError:
            return _message(404, "Not Found")
        if "raw" in request.headers.get("Accept", ""):
            return web.Response(body=content, content_type="application/vnd.github.raw+json")
        return _json(
            {
                "type": "file",
                "encoding": "base64",
                "size": len(content),
                "name": REGISTRY.rpartition("/")[2],
                "path": REGISTRY,
                "content": base64.encodebytes(content).decode(),
                "sha": blob_sha(content),
            }
        )

    def _found(self, request: web.Request) -> RunRecord | None:
        text = request.match_info["run"]
        return self.runner.find(int(text)) if text.isdigit() else None

    def _shown(self, run: RunRecord) -> dict[str, Any]:
        options = self.runner.options
        branch = self.runner.repository.branch
        return run.shown(self.url, options.repo, options.workflow.name, branch)


def _page(rows: list[Any], request: web.Request) -> list[Any]:
    size = min(int(request.query.get("per_page", 30)), 100)
    first = (int(request.query.get("page", 1)) - 1) * size
    return rows[first : first + size]


def _json(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    return web.json_response(body, status=status, headers=headers)


def _message(status: int, message: str) -> web.StreamResponse:
    return _json({"message": message, "documentation_url": "https://docs.github.com/rest"}, status)
