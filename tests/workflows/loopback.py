"""A GitHub on loopback that serves the list of runs and their jobs, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fleet_control.ledger import Entry, title

TOKEN = "ghs_secret"
ACTIONS = "/repos/openclaw/clawdinators/actions"
PATH = f"{ACTIONS}/workflows/fleet-deploy.yml/runs"


@dataclass
class Loopback:
    """The server, what it holds, and what it was asked.

    Attributes:
        runs: newest first, as GitHub's API gives them.
        unlisted: runs that the list does not show yet.
        jobs: by the run's id, as GitHub's API gives them.
        failures: answered before any other, each once: (status, headers, body).
    """

    url: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)
    unlisted: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    failures: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        self.asked.append(query)
        if self.failures:
            return self.failures.pop(0)
        body = self._body(parts.path, query)
        if body is None or headers["Authorization"] != f"Bearer {TOKEN}":
            return 404, {}, b'{"message":"Not Found"}'
        return 200, {}, json.dumps(body).encode()

    def _body(self, path: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
        if path == PATH:
            return _page("workflow_runs", self.runs, query)
        for run in (*self.runs, *self.unlisted):
            if path == f"{ACTIONS}/runs/{run['id']}":
                return run
            if path == f"{ACTIONS}/runs/{run['id']}/jobs":
                return _page("jobs", self.jobs.get(run["id"], []), query)
        return None


def _page(key: str, rows: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return {"total_count": len(rows), key: rows[(page - 1) * size : page * size]}


@contextmanager
def serving() -> Iterator[Loopback]:
    loopback = Loopback()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = loopback.answer(self.path, self.headers)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        loopback.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield loopback
        finally:
            server.shutdown()
            thread.join()


def raw_run(
    id_: int, entry: Entry, *, status: str = "completed", moment: str = "2026-11-24T08:00:00Z"
) -> dict[str, Any]:
    return {
        "id": id_,
        "html_url": f"https://github.test/runs/{id_}",
        "status": status,
        "conclusion": "success" if status == "completed" else None,
        "display_title": title(entry),
        "created_at": moment,
        "run_started_at": moment,
        "updated_at": moment,
        "run_attempt": 1,
    }


def raw_job(
    name: str,
    conclusion: str | None = "success",
    *,
    began: str = "2026-11-24T08:00:00Z",
    ended: str = "2026-11-24T08:00:00Z",
    steps: int = 1,
) -> dict[str, Any]:
    """A job that is over, or has no conclusion yet and is at work."""
    status = "completed" if conclusion else "in_progress"
    step = {"name": "Check out", "number": 1, "status": status, "conclusion": conclusion}
    return {
        "id": 1,
        "name": name,
        "status": status,
        "conclusion": conclusion,
        "started_at": began,
        "completed_at": ended if conclusion else None,
        "steps": [step] * steps,
    }
