"""A GitHub on loopback that serves the list of runs and their jobs, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fleet_control.ledger import Entry
from fleet_control.run_title import title
from sandbox.run_record import CONTROL_API, Actor
from tests.http_server import listening

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

    def answer(
        self, path: str, headers: Any, _body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
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
    size, page = min(int(query["per_page"][0]), 100), int(query["page"][0])
    return {"total_count": len(rows), key: rows[(page - 1) * size : page * size]}


@contextmanager
def serving() -> Iterator[Loopback]:
    loopback = Loopback()

    with listening(loopback.answer) as loopback.url:
        yield loopback


def raw_run(
    id_: int,
    entry: Entry,
    *,
    status: str = "completed",
    moment: str = "2026-11-24T08:00:00Z",
    actor: Actor = CONTROL_API,
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
        "actor": actor._asdict(),
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
    step = raw_step("Check out", conclusion)
    return {
        "id": 1,
        "name": name,
        "status": status,
        "conclusion": conclusion,
        "started_at": began,
        "completed_at": ended if conclusion else None,
        "steps": [step] * steps,
    }


def raw_step(name: str, conclusion: str | None) -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    return {"name": name, "number": 1, "status": status, "conclusion": conclusion}
