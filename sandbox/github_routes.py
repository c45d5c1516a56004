"""GitHub's REST API of one repository with one workflow, over a runner of our own."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from sandbox.repository import blob_sha
from sandbox.run_record import ANY_WORKFLOW, CONTROL_API, JobRecord, RunRecord, moment
from sandbox.runner import Runner
from sandbox.workflow_file import WorkflowError, WorkflowFile

# Of a larger file GitHub's JSON leaves the content out.
_LARGEST_CONTENT = 1024 * 1024
_USUAL_PAGE, _LARGEST_PAGE = 30, 100
# What a list of runs may be asked for here, and in which form: an unknown filter must not look
# like one that matched. A status is one value.
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_FILTERS = {
    "branch": r".+",
    "created": rf">={_MOMENT}|{_MOMENT}\.\.{_MOMENT}",
    "event": r"\w+",
    "page": r"\d+",
    "per_page": r"\d+",
    "status": r"queued|pending|waiting|requested|in_progress|completed",
}

Listed = TypeVar("Listed")


def said(message: str, status: int) -> web.Response:
    """An error answer in GitHub's form."""
    body = {
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(status),
    }
    return web.json_response(body, status=status)


class Routes:
    """`log_address` says where the log of a job lies, by the job's id."""

    def __init__(self, runner: Runner, log_address: Callable[[int], str]) -> None:
        self._runner = runner
        self._log_address = log_address

    def table(self) -> list[web.RouteDef]:
        origin = self._runner.context.origin
        repo = f"/repos/{origin.repo}"
        actions, workflow = f"{repo}/actions", f"{repo}/actions/workflows/{origin.file}"
        return [
            web.post(f"{workflow}/dispatches", self._dispatch),
            web.get(workflow, self._workflow),
            web.get(f"{workflow}/runs", self._runs),
            web.get(rf"{actions}/runs/{{run:\d+}}", self._run),
            web.get(rf"{actions}/runs/{{run:\d+}}/jobs", self._jobs),
            web.post(rf"{actions}/runs/{{run:\d+}}/cancel", self._cancel),
            web.post(rf"{actions}/runs/{{run:\d+}}/rerun", self._rerun),
            web.post(rf"{actions}/runs/{{run:\d+}}/rerun-failed-jobs", self._rerun_failed),
            web.post(rf"{actions}/jobs/{{job:\d+}}/rerun", self._rerun_job),
            web.get(rf"{actions}/jobs/{{job:\d+}}/logs", self._logs),
            web.get(f"{repo}/contents/{{path:.+}}", self._contents),
        ]

    async def _workflow(self, _: web.Request) -> web.StreamResponse:
        context = self._runner.context
        path = f".github/workflows/{context.origin.file}"
        shown = {"id": 1, "name": "fleet-deploy", "path": path, "state": context.state}
        return web.json_response(shown)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        if self._runner.context.state != "active":
            return said("Cannot trigger a 'workflow_dispatch' on a disabled workflow", 422)
        body = await _object(request)
        if isinstance(body, web.Response):
            return body
        if wrong := self._wrong_body(body):
            return said(wrong, 422)
        try:
            file = self._runner.file()
        except WorkflowError as error:
            return said(f"Invalid Argument - failed to parse workflow: {error}", 422)
        given = {name: _as_input(value) for name, value in (body.get("inputs") or {}).items()}
        if wrong := _wrong_inputs(file, given):
            return said(wrong, 422)
        token = request.headers["Authorization"].partition(" ")[2]
        actor = ANY_WORKFLOW if token in self._runner.context.tokens else CONTROL_API
        run = self._runner.dispatch(given, file, actor)
        shown = run.shown(self._runner.context.origin)
        answer = {"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]}
        return web.json_response(answer)

    def _wrong_body(self, body: Mapping[str, Any]) -> str:
        if extra := [key for key in body if key not in ("ref", "inputs")]:
            return f'Invalid request.\n\n"{extra[0]}" is not a permitted key.'
        if not isinstance(body.get("ref"), str):
            return 'Invalid request.\n\n"ref" wasn\'t supplied.'
        if not isinstance(body.get("inputs") or {}, dict):
            return (
                f"Invalid request.\n\nFor 'properties/inputs', {body['inputs']!r} is not an object."
            )
        origin = self._runner.context.origin
        known_refs = (origin.branch, origin.ref)
        return "" if body["ref"] in known_refs else f"No ref found for: {body['ref']}"

    async def _runs(self, request: web.Request) -> web.StreamResponse:
        query, origin = request.query, self._runner.context.origin
        for name, value in query.items():
            if not re.fullmatch(_FILTERS.get(name, ""), value):
                return said(f"I don't know the filter {name}={value}", 422)
        ours = {"branch": origin.branch, "event": "workflow_dispatch"}
        since, _, until = query.get("created", "").removeprefix(">=").partition("..")
        runs = [
            run
            for run in reversed(self._runner.listed())
            if all(query.get(name, one) == one for name, one in ours.items())
            and query.get("status", run.status) == run.status
            and since <= str(moment(run.created)) <= (until or "9")
        ]
        shown = [run.shown(origin) for run in _page(runs, query)]
        return web.json_response({"total_count": len(runs), "workflow_runs": shown})

    async def _run(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._found(request).shown(self._runner.context.origin))

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        jobs = run.jobs if request.query.get("filter") == "all" else run.latest_jobs()
        origin = self._runner.context.origin
        shown = [job.shown(run, origin) for job in _page(jobs, request.query)]
        return web.json_response({"total_count": len(jobs), "jobs": shown})

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        if run.ended:
            return said("Cannot cancel a workflow run that is completed.", 409)
        self._runner.cancel(run)
        return web.json_response({}, status=202)

    async def _rerun(self, request: web.Request) -> web.StreamResponse:
        return self._again(self._found(request))

    async def _rerun_failed(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        failed = [job for job in run.latest_jobs() if job.conclusion in ("failure", "cancelled")]
        if not failed:
            return said("This workflow run cannot be retried", 403)
        return self._again(run, failed)

    async def _rerun_job(self, request: web.Request) -> web.StreamResponse:
        run, job = self._found_job(request)
        return self._again(run, [job])

    def _again(self, run: RunRecord, jobs: Iterable[JobRecord] = ()) -> web.Response:
        if not run.ended:
            return said("This workflow is already running", 403)
        self._runner.rerun(run, jobs)
        return web.json_response({}, status=201)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        _, job = self._found_job(request)
        if not job.ended:
            raise web.HTTPNotFound
        return web.Response(status=302, headers={"Location": self._log_address(job.id)})

    async def _contents(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        repository = self._runner.context.repository
        ref = request.query.get("ref", repository.branch)
        if names := repository.names(path, ref):
            # The sandbox has only files there.
            rows = [{"type": "file", "name": one, "path": f"{path}/{one}"} for one in names]
            return web.json_response(rows)
        content = repository.read(path, ref)
        if content is None:
            raise web.HTTPNotFound
        small = len(content) <= _LARGEST_CONTENT
        return web.json_response(
            {
                "type": "file",
                "encoding": "base64" if small else "none",
                "size": len(content),
                "name": path.rpartition("/")[2],
                "path": path,
                "content": base64.encodebytes(content).decode() if small else "",
                "sha": blob_sha(content),
            }
        )

    def _found(self, request: web.Request) -> RunRecord:
        run = self._runner.find(int(request.match_info["run"]))
        if run is None:
            raise web.HTTPNotFound
        return run

    def _found_job(self, request: web.Request) -> tuple[RunRecord, JobRecord]:
        found = self._runner.find_job(int(request.match_info["job"]))
        if found is None:
            raise web.HTTPNotFound
        return found


def _page(rows: Sequence[Listed], query: Mapping[str, str]) -> Sequence[Listed]:
    size = min(int(query.get("per_page", _USUAL_PAGE)), _LARGEST_PAGE)
    first = (int(query.get("page", 1)) - 1) * size
    return rows[first : first + size]


async def _object(request: web.Request) -> dict[str, Any] | web.Response:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        return said("Problems parsing JSON", 400)
    if isinstance(body, dict):
        return body
    return said("Body should be a JSON object", 400)


def _as_input(value: object) -> str:
    """Every input travels as a text."""
    return value if isinstance(value, str) else json.dumps(value)


def _wrong_inputs(file: WorkflowFile, given: Mapping[str, str]) -> str:
    """GitHub's complaint about a dispatch's inputs, if it has one."""
    if unexpected := [name for name in given if name not in file.inputs]:
        return f"Unexpected inputs provided: {json.dumps(unexpected)}"
    missing = (name for name, required in file.inputs.items() if required and not given.get(name))
    return next((f"Required input '{name}' not provided" for name in missing), "")
