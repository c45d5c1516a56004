"""A proxy on loopback that passes nothing on: it notes what it is asked for, and refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass
class RecordingProxy:
    """Attributes:
    asked: what each request asks for, as in `CONNECT discord.com:443`.
    headers: the lines after it.
    """

    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a machine's administrator sets it, for everything."""
        for name in VARIABLES:
            monkeypatch.setenv(name, self.url)
            monkeypatch.setenv(name.lower(), self.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def recording() -> Iterator[RecordingProxy]:
    proxy = RecordingProxy()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            method, asked, *_ = [*self.rfile.readline().decode("latin-1").split(), "", ""]
            proxy.asked.append(f"{method} {asked}")
            while line := self.rfile.readline().decode("latin-1").strip():
                proxy.headers.append(line)
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with _Server(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
