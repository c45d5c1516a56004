"""HTTP to one server, and the time it may take; redirects are not followed."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambda_fn.failure import Code, Failure

CALL_SECONDS = 8.5  # our asker gives up after ten
MOST_BYTES = 8 * 1024 * 1024


class Budget:
    """The time of one call, shared by everything it waits for.

    `now` gives Unix seconds, and `sleep` takes seconds; a test turns them.
    """

    def __init__(
        self,
        seconds: float = CALL_SECONDS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.until = now() + seconds

    def left(self) -> float:
        """Seconds; TimeoutError where there are none."""
        left = self.until - self.now()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class Answer(NamedTuple):
    """`headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """A connection to the server of `base`, an http or https URL, perhaps with a path.

    `code` and `name` are for the Failure where it does not answer; it may have obeyed all the same.
    """

    def __init__(self, base: str, code: Code, name: str, budget: Budget) -> None:
        from http import client  # noqa: PLC0415  (costs more than everything a refusal needs)

        self._code = code
        self._name = name
        self._budget = budget
        self._broken = OSError, ValueError, client.HTTPException
        scheme, _, rest = base.partition("://")
        host, slash, path = rest.partition("/")
        self._path = slash + path
        kind = client.HTTPSConnection if scheme == "https" else client.HTTPConnection
        try:
            self._connection = kind(host)
        except client.InvalidURL as error:
            raise self._told(error) from error

    def close(self) -> None:
        self._connection.close()

    def _told(self, error: Exception) -> Failure:
        why = str(error) or type(error).__name__
        return Failure(self._code, f"{self._name} can't be reached: {why}")

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """The whole answer, within the budget."""
        budget = self._budget
        connection = self._connection
        try:
            connection.timeout = budget.left()
            if connection.sock is None:
                connection.connect()
            connection.request(method, self._path + path, body, dict(headers))
            sock = connection.sock  # it takes it away where the server will close
            sock.settimeout(budget.left())
            with connection.getresponse() as response:
                read = b""
                while response.length != 0 and len(read) <= MOST_BYTES:
                    sock.settimeout(budget.left())
                    chunk = response.read1(65536)
                    if not chunk:
                        break
                    read += chunk
            if response.length or len(read) > MOST_BYTES:
                raise ValueError("cut short or too long")
        except self._broken as error:
            self.close()
            raise self._told(error) from error
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, lower, read)
