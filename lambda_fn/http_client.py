"""An HTTP/1.1 client with one deadline for a whole exchange; follows no redirects.

On a bare socket: http.client makes a cold start a tenth longer, and would bound each read by itself
rather than the whole answer.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection
from ssl import SSLContext, create_default_context
from typing import NamedTuple

from fleet_control.github import Response
from lambda_fn.failure import Code, Failure

CALL_SECONDS = 8.5  # our asker gives up after ten
MOST_BYTES = 8 * 1024 * 1024


class Budget:
    """The time of one call, shared by everything it waits for.

    `now` gives Unix seconds, `monotonic` those that are never set back, and `sleep` takes seconds;
    a test turns them.
    """

    def __init__(
        self,
        seconds: float = CALL_SECONDS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = now
        self.sleep = sleep
        self._monotonic = monotonic
        self._until = monotonic() + seconds

    def part(self, seconds: float) -> "Budget":
        """A budget of at most so many seconds of this one."""
        left = self._until - self._monotonic()
        return Budget(min(seconds, left), self.now, self.sleep, self._monotonic)

    def left(self) -> float:
        """Seconds; TimeoutError where there are none."""
        left = self._until - self._monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class HttpServer(NamedTuple):
    """The server of `base`, an http or https URL, perhaps with a path.

    `code` and `name` are for the Failure where it does not answer; it may have obeyed all the same.
    """

    base: str
    code: Code
    name: str
    budget: Budget

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Response:
        """The whole answer, within the budget."""
        scheme, _, rest = self.base.partition("://")
        host, slash, prefix = rest.partition("/")
        sent = {"host": host, "connection": "close", **headers, "content-length": len(body)}
        lines = [f"{method} {slash}{prefix}{path} HTTP/1.1"]
        lines += [f"{name}:{value}" for name, value in sent.items()]
        try:
            request = "\r\n".join([*lines, "", ""]).encode("ascii") + body
            return _answer(_exchange(scheme == "https", host, request, self.budget))
        except (OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise Failure(self.code, f"{self.name} can't be reached: {why}") from error


@cache
def tls_context() -> SSLContext:
    """One for all: reading the certificates that we trust takes longer than a request."""
    return create_default_context()


def _exchange(secure: bool, place: str, request: bytes, budget: Budget) -> bytes:
    """All that comes back until the other side closes."""
    host, _, port = place.partition(":")
    sock = create_connection((host, int(port or (443 if secure else 80))), budget.left())
    try:
        # Else a request waits until the other side has acknowledged the end of the handshake.
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if secure:
            context = tls_context()
            sock.settimeout(budget.left())
            sock = context.wrap_socket(sock, server_hostname=host)
        sock.settimeout(budget.left())
        sock.sendall(request)
        answer = some = b""
        while some or not answer:
            sock.settimeout(budget.left())
            some = sock.recv(65536)
            answer += some
            if not answer or len(answer) > MOST_BYTES:
                raise ValueError("no answer, or too long a one")
    finally:
        sock.close()
    return answer


def _answer(text: bytes) -> Response:
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if "chunked" in headers.get("transfer-encoding", ""):
        body = _joined(body)
    if len(body) < int(headers.get("content-length", 0)):
        raise ValueError("cut short")
    return Response(int(first[9:12]), headers, body)


def _joined(chunks: bytes) -> bytes:
    body = b""
    while True:
        size, _, chunks = chunks.partition(b"\r\n")
        count = int(size.partition(b";")[0], 16)
        if count == 0:
            return body
        body += chunks[:count]
        chunks = chunks[count + 2 :]
