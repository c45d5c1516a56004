"""The SSM and GitHub that the measured Control API calls: ``python -m bench.loopback CERTIFICATE``.

The SSM holds both secrets, and GitHub takes every dispatch and lists no run; both speak TLS. It
prints their URLs, and ends when its standard input does.
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

TOKEN = "token-of-the-bench"  # noqa: S105  (known to the bench alone)
_PARAMETER = {"Parameter": {"Value": TOKEN}}
_RUN = {
    "workflow_run_id": 7,
    "run_url": "https://api.github.com/repos/openclaw/clawdinators/actions/runs/7",
    "html_url": "https://github.com/openclaw/clawdinators/actions/runs/7",
}


class _Ssm(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer
    answer: object = _PARAMETER

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._say(self.answer)

    def _say(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base's name)
        pass


class _GitHub(_Ssm):
    answer = _RUN

    def do_GET(self) -> None:
        """A list of runs: nothing waits."""
        self._say({"total_count": 0, "workflow_runs": []})


def main(certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    for handler in (_Ssm, _GitHub):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        Thread(target=server.serve_forever, daemon=True).start()
        print(f"https://localhost:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
