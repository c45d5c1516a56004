"""A GitHub in a process of its own that takes every dispatch: ``python -m bench.loopback_github``.

It prints its URL, and ends when its standard input does.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_RUN = json.dumps(
    {
        "workflow_run_id": 7,
        "run_url": "https://api.github.com/repos/openclaw/clawdinators/actions/runs/7",
        "html_url": "https://github.com/openclaw/clawdinators/actions/runs/7",
    }
).encode()


class _Dispatches(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(_RUN)))
        self.end_headers()
        self.wfile.write(_RUN)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base's name)
        pass


def main() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Dispatches) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
