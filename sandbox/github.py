"""GitHub on loopback: its REST API over a runner of our own, where its logs lie, a run's page."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from sandbox.github_graphql import answered
from sandbox.github_quota import HourlyQuota, marked
from sandbox.github_routes import Routes, said
from sandbox.loopback import listen, url_of
from sandbox.run_record import RunRecord
from sandbox.runner import Runner

API_VERSION = "2026-03-10"
DAY = 24 * 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GitHubApi:
    """One repository with one workflow. `token` is the Lambda's.

    Attributes:
        quota: what it counts of the calls.
        rights: what the Lambda's token may.
        ends: when that token ends, Unix seconds.
    """

    def __init__(self, runner: Runner, token: str, port: int = 0) -> None:
        self.runner = runner
        self.url = ""
        self.quota = HourlyQuota(runner.context.clock)
        self.rights = {"actions": "write", "contents": "read"}
        self.ends = runner.context.clock.now() + 300 * DAY
        self._token = token
        self._port = port
        # An address of a log is its own key.
        self._signature = secrets.token_urlsafe(16)
        self._server: web.AppRunner | None = None

    async def start(self) -> str:
        """Start; returns the API's address. Web pages have one of their own, and logs lie on a
        third, which must be shown no token."""
        api, pages, logs = listen(self._port), listen(0), listen(0)
        self.url = self.runner.context.api_url = url_of(api)
        self.runner.context.page_url = url_of(pages)
        routes = Routes(self.runner, lambda job: f"{url_of(logs)}/{job}?sig={self._signature}")
        app = web.Application(middlewares=[self._guarded])
        app.add_routes(routes.table())
        app.router.add_post("/graphql", self._graphql)
        page = rf"/{self.runner.context.repo}/actions/runs/{{run:\d+}}"
        app.add_routes([web.get(page, self._page), web.get(r"/{job:\d+}", self._log)])
        self._server = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._server.setup()
        for listening in (api, pages, logs):
            await web.SockSite(self._server, listening).start()
        return self.url

    @property
    def counted(self) -> int:
        """How many calls by the Lambda's token GitHub counted."""
        return self.quota.counted[self._token]

    async def stop(self) -> None:
        """Stop everything, running jobs too, and remove their folders."""
        if self._server:
            await self._server.cleanup()
        await self.runner.stop()

    async def finished(self, run_id: int) -> RunRecord:
        """Wait until the run's newest attempt has ended."""
        return await self.until(run_id, lambda run: run.ended)

    async def until(self, run_id: int, holds: Callable[[RunRecord], bool]) -> RunRecord:
        """Wait until `holds` is true of the run; LookupError if there is no such run."""
        run = self.runner.find(run_id)
        if run is None:
            raise LookupError(f"there is no run {run_id}")
        await self.runner.context.changes.until(lambda: holds(run))
        return run

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/graphql":
            # Of a quota of its own.
            return await self._answered(request, handler)
        if not request.path.startswith("/repos/"):
            return await handler(request)
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        if spent := self.quota.spent(token):
            return spent
        answer = marked(request, await self._answered(request, handler))
        if answer.status != 304:
            self.quota.count(token)
        answer.headers.update(self.quota.headers(token))
        if token == self._token:
            ends = datetime.fromtimestamp(self.ends, UTC)
            answer.headers["github-authentication-token-expiration"] = f"{ends:%F %T} UTC"
        return answer

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return self._refused(request) or await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            # aiohttp's own are pages; GitHub answers both with its 404.
            return said("Not Found", 404)

    def _refused(self, request: web.Request) -> web.Response | None:
        version = request.headers.get("X-GitHub-Api-Version", "none")
        if version != API_VERSION:
            return said(f"{version} is not a supported API version; {API_VERSION} is", 400)
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            return said("Requires authentication", 401)
        ours = token == self._token
        rights = self.rights if ours else self.runner.context.tokens.get(token)
        if rights is None or (ours and self.ends <= self.runner.context.clock.now()):
            return said("Bad credentials", 401)
        if not _may(rights, request):
            kind = "personal access token" if ours else "integration"
            return said(f"Resource not accessible by {kind}", 403)
        return None

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        context = self.runner.context
        return answered(context.repo, context.repository, await request.json())

    async def _log(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            # The token was meant for somebody else, and this server says so.
            return web.Response(status=400, text="<Code>InvalidAuthenticationInfo</Code>")
        found = self.runner.find_job(int(request.match_info["job"]))
        if request.query.get("sig") != self._signature or not found:
            return web.Response(status=403, text="<Code>AuthenticationFailed</Code>")
        return web.Response(text="\n".join(found[1].log) + "\n")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The web page of a run: its jobs' summaries."""
        run = self.runner.find(int(request.match_info["run"]))
        if run is None:
            raise web.HTTPNotFound
        parts = [f"{run.title}\n{run.status} {run.conclusion or ''}".strip()]
        parts += [
            f"{job.name} ({job.conclusion or job.status})\n{job.summary}"
            for job in run.latest_jobs()
        ]
        return web.Response(text="\n\n".join(parts))


def _may(rights: Mapping[str, str], request: web.Request) -> bool:
    asks = request.path == "/graphql"
    needed = "contents" if asks or "/contents/" in request.path else "actions"
    level = "read" if asks or request.method == "GET" else "write"
    return rights.get(needed) in (level, "write")
