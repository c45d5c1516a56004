"""A server of the standard library on loopback, for as long as a test needs it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

# Among the headers of what is asked: how.
METHOD = "X-Asked-By"
# What is asked: a path, headers, a body. What is answered: a status, headers, a body.
HttpAnswer = Callable[[str, "Message[str, str]", bytes], tuple[int, Mapping[str, str], bytes]]


class _Server(ThreadingHTTPServer):
    # A client that keeps its connection would otherwise be waited for.
    daemon_threads = True
    block_on_close = False


@contextmanager
def listening(answer: HttpAnswer) -> Iterator[str]:
    """Its URL, without a slash at the end; `answer` is called in a thread of the connection's."""

    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one piece: apart, the second waits for the first's acknowledgement.
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _answer(self) -> None:
            self.headers[METHOD] = self.command
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answer(self.path, self.headers, asked)
            self.send_response_only(status)
            if "Date" not in headers:
                self.send_header("Date", self.date_time_string())
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    with _Server(("127.0.0.1", 0), RequestHandler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
