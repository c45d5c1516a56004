"""GitHub's REST API of one repository with one workflow, over a runner of our own."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from sandbox.github_guard import NEW_API, said
from sandbox.github_query import matching, page
from sandbox.log_store import LogStore
from sandbox.repository import blob_sha
from sandbox.run_record import JobRecord, RunRecord
from sandbox.runner import Runner
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import WorkflowFile

# Of a larger file GitHub's JSON leaves the content out.
_LARGEST_CONTENT = 1024 * 1024


class Routes:
    """`asked` counts how often each kind of call came through; a run is in no list until
    `lists_after` seconds after its dispatch."""

    def __init__(self, runner: Runner, store: LogStore) -> None:
        self.asked: Counter[str] = Counter()
        self.lists_after = 0.0
        self._runner = runner
        self._store = store

    def table(self) -> list[web.RouteDef]:
        place = self._runner.place
        repo = f"/repos/{place.repo}"
        actions, workflow = f"{repo}/actions", f"{repo}/actions/workflows/{place.file}"
        return [
            web.post(f"{workflow}/dispatches", self._dispatch),
            web.get(f"{workflow}/runs", self._runs),
            web.get(f"{actions}/runs", self._runs),
            web.get(rf"{actions}/runs/{{run:\d+}}", self._run),
            web.get(rf"{actions}/runs/{{run:\d+}}/jobs", self._jobs),
            web.post(rf"{actions}/runs/{{run:\d+}}/cancel", self._cancel),
            web.post(rf"{actions}/runs/{{run:\d+}}/rerun", self._rerun),
            web.post(rf"{actions}/runs/{{run:\d+}}/rerun-failed-jobs", self._rerun_failed),
            web.get(rf"{actions}/jobs/{{job:\d+}}", self._job),
            web.post(rf"{actions}/jobs/{{job:\d+}}/rerun", self._rerun_job),
            web.get(rf"{actions}/jobs/{{job:\d+}}/logs", self._logs),
            web.get(f"{repo}/contents/{{path:.+}}", self._contents),
        ]

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        self.asked["dispatch"] += 1
        new = request.headers.get("X-GitHub-Api-Version") == NEW_API
        body = await _object(request)
        if isinstance(body, web.Response):
            return body
        if wrong := self._wrong_body(body, may_ask_for_details=not new):
            return said(wrong, 422)
        try:
            file = self._runner.file()
        except WorkflowError:
            file = None
        given = {name: _as_input(value) for name, value in (body.get("inputs") or {}).items()}
        if file and (wrong := _wrong_inputs(file, given)):
            return said(wrong, 422)
        complete = {name: one.default for name, one in file.inputs.items()} if file else {}
        run = self._runner.dispatch({**complete, **given}, file)
        if not new and body.get("return_run_details") is not True:
            return web.Response(status=204)
        shown = run.shown(self._runner.place)
        return web.json_response(
            {
                "workflow_run_id": run.id,
                "run_url": shown["url"],
                "html_url": shown["html_url"],
            }
        )

    def _wrong_body(self, body: Mapping[str, Any], *, may_ask_for_details: bool) -> str:
        known = {"ref", "inputs"} | ({"return_run_details"} if may_ask_for_details else set())
        if extra := [key for key in body if key not in known]:
            return f'Invalid request.\n\n"{extra[0]}" is not a permitted key.'
        if not isinstance(body.get("ref"), str):
            return 'Invalid request.\n\n"ref" wasn\'t supplied.'
        if not isinstance(body.get("inputs") or {}, dict):
            return (
                f"Invalid request.\n\nFor 'properties/inputs', {body['inputs']!r} is not an object."
            )
        branch = self._runner.repository.branch
        known_refs = (branch, f"refs/heads/{branch}")
        return "" if body["ref"] in known_refs else f"No ref found for: {body['ref']}"

    async def _runs(self, request: web.Request) -> web.StreamResponse:
        self.asked["runs"] += 1
        place = self._runner.place
        listed = self._runner.clock.now() - self.lists_after
        known = [run for run in self._runner.runs if run.created <= listed]
        runs = matching(known, request.query, place)
        shown = [run.shown(place) for run in page(runs, request.query)]
        return web.json_response({"total_count": len(runs), "workflow_runs": shown})

    async def _run(self, request: web.Request) -> web.StreamResponse:
        self.asked["run"] += 1
        run = self._found(request)
        return web.json_response(run.shown(self._runner.place)) if run else _unknown()

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        self.asked["jobs"] += 1
        run = self._found(request)
        if run is None:
            return _unknown()
        jobs = run.jobs if request.query.get("filter") == "all" else run.latest_jobs()
        shown = [job.shown(run, self._runner.place) for job in page(jobs, request.query)]
        return web.json_response({"total_count": len(jobs), "jobs": shown})

    async def _job(self, request: web.Request) -> web.StreamResponse:
        self.asked["job"] += 1
        found = self._found_job(request)
        if found is None:
            return _unknown()
        run, job = found
        return web.json_response(job.shown(run, self._runner.place))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        self.asked["cancel"] += 1
        run = self._found(request)
        if run is None:
            return _unknown()
        if run.ended:
            return said("Cannot cancel a workflow run that is completed.", 409)
        self._runner.cancel(run)
        return web.json_response({}, status=202)

    async def _rerun(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        return self._again(run) if run else _unknown()

    async def _rerun_failed(self, request: web.Request) -> web.StreamResponse:
        run = self._found(request)
        if run is None:
            return _unknown()
        failed = [job for job in run.latest_jobs() if job.conclusion in ("failure", "cancelled")]
        return self._again(run, failed) if failed else _not_again()

    async def _rerun_job(self, request: web.Request) -> web.StreamResponse:
        found = self._found_job(request)
        if found is None:
            return _unknown()
        run, job = found
        return self._again(run, [job])

    def _again(self, run: RunRecord, jobs: Iterable[JobRecord] | None = None) -> web.Response:
        if not run.ended:
            return said("This workflow is already running", 403)
        if run.file is None:
            return _not_again()
        self.asked["rerun"] += 1
        self._runner.rerun(run, jobs)
        return web.json_response({}, status=201)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        self.asked["logs"] += 1
        found = self._found_job(request)
        if found is None or not found[1].ended:
            return _unknown()
        address = self._store.address("\n".join(found[1].log) + "\n")
        return web.Response(status=302, headers={"Location": address})

    async def _contents(self, request: web.Request) -> web.StreamResponse:
        self.asked["contents"] += 1
        path = request.match_info["path"]
        repository = self._runner.repository
        content = repository.read(path, request.query.get("ref", repository.branch))
        if content is None:
            return _unknown()
        if ".raw" in request.headers.get("Accept", ""):
            kind = "application/vnd.github.raw+json; charset=utf-8"
            return web.Response(body=content, headers={"Content-Type": kind})
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

    def _found(self, request: web.Request) -> RunRecord | None:
        return self._runner.find(int(request.match_info["run"]))

    def _found_job(self, request: web.Request) -> tuple[RunRecord, JobRecord] | None:
        return self._runner.find_job(int(request.match_info["job"]))


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
    """What GitHub would say of them."""
    if unexpected := [name for name in given if name not in file.inputs]:
        return f"Unexpected inputs provided: {json.dumps(unexpected)}"
    for name, one in file.inputs.items():
        if one.required and not given.get(name, one.default):
            return f"Required input '{name}' not provided"
    if not file.on.workflow_dispatch and not file.inputs and given:
        return f"Unexpected inputs provided: {json.dumps(list(given))}"
    return ""


def _unknown() -> web.Response:
    return said("Not Found", 404)


def _not_again() -> web.Response:
    return said("This workflow run cannot be retried", 403)
