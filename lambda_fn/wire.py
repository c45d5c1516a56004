"""HTTP to one server, within a budget; redirects are not followed."""

import http.client
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from lambda_fn.budget import Budget

MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 64 * 1024


class Answer(NamedTuple):
    """`headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unanswered(Exception):
    """No whole answer came. `sent`: the request may have been read, and obeyed."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Wire:
    """One kept-alive connection to the server of `base` (an http or https URL, perhaps with a
    path), for the length of one call."""

    def __init__(self, base: str, budget: Budget) -> None:
        url = urlsplit(base)
        self._budget = budget
        self._path = url.path.rstrip("/")
        self._connection = _connection(url.scheme, url.netloc)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        asking: Mapping[str, str],
        body: bytes | None = None,
        seconds: float = 5.0,
    ) -> Answer:
        """The whole answer to a request with the headers `asking`, within `seconds`; or Unanswered."""
        budget = self._budget.part(seconds)
        response = self._begin(method, path, asking, body, budget)
        try:
            read = b"".join(self._chunks(response, budget))
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unanswered(_why(error), sent=True) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, read)

    def lines(self, path: str, headers: Mapping[str, str], seconds: float) -> Iterator[bytes]:
        """An answer's lines while they come, as far as time and `MOST_BYTES` go; none unless the
        answer is 200."""
        budget = self._budget.part(seconds)
        response = self._begin("GET", path, headers, None, budget)
        if response.status != 200:
            return
        rest = b""
        try:
            for chunk in self._chunks(response, budget):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except (OSError, http.client.HTTPException):
            self._connection.close()
        yield rest

    def _begin(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        budget: Budget,
    ) -> http.client.HTTPResponse:
        connection = self._connection
        sent = False
        try:
            self._wait_for(budget)
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(method, self._path + path, body, dict(headers))
            self._wait_for(budget)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unanswered(_why(error), sent=sent) from error

    def _chunks(self, response: http.client.HTTPResponse, budget: Budget) -> Iterator[bytes]:
        size = 0
        while not response.isclosed() and response.length != 0:
            self._wait_for(budget)
            chunk = response.read1(_CHUNK)
            if not chunk and response.length:
                raise http.client.HTTPException("the answer was cut short")
            size += len(chunk)
            if size > MOST_BYTES:
                raise http.client.HTTPException("the answer is too long")
            yield chunk
        response.close()  # read to its end, so that the connection can be used again

    def _wait_for(self, budget: Budget) -> None:
        """A timeout is per wait; this makes the waits share one."""
        if budget.spent:
            raise TimeoutError("timed out")
        self._connection.timeout = budget.left()
        if self._connection.sock is not None:
            self._connection.sock.settimeout(budget.left())


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(netloc)
    import ssl  # noqa: PLC0415  (the sandbox speaks plain http)

    return http.client.HTTPSConnection(netloc, context=ssl.create_default_context())


def _why(error: Exception) -> str:
    """An error's words; they hold no header and no body."""
    return "it timed out" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
