"""A GitHub on loopback that serves the list of runs, and nothing else."""

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
PATH = "/repos/openclaw/clawdinators/actions/workflows/fleet-deploy.yml/runs"


@dataclass
class Loopback:
    """The server, what it holds, and what it was asked.

    Attributes:
        runs: newest first, as GitHub's API gives them.
        failures: answered before any other, each once: (status, headers, body).
    """

    url: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        self.asked.append(query)
        if self.failures:
            return self.failures.pop(0)
        if parts.path != PATH or headers["Authorization"] != f"Bearer {TOKEN}":
            return 404, {}, b'{"message":"Not Found"}'
        size, page = int(query["per_page"][0]), int(query["page"][0])
        listed = self.runs[(page - 1) * size : page * size]
        body = {"total_count": len(self.runs), "workflow_runs": listed}
        return 200, {}, json.dumps(body).encode()


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
