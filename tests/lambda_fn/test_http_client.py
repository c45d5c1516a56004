"""HTTP on a bare socket: what servers may do, and TLS as it is in production."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bench.certificate import write
from fleet_control.github import Response
from fleet_control.ledger import Entry
from lambda_fn.failure import Code, Failure
from lambda_fn.github import GitHubClient
from lambda_fn.github_cache import GitHubCache
from lambda_fn.http_client import Budget, HttpServer, tls_context
from lambda_fn.settings import read_settings
from tests.lambda_fn.events import BEGAN
from tests.lambda_fn.small_github import TOKEN, SmallGitHub

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def answering(
    sent: bytes, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers every request with the same bytes; its port, and what it was asked."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], asked


async def ask(base: str, budget: float = 5) -> Response:
    server = HttpServer(base, Code.GITHUB_UNREACHABLE, "GitHub", Budget(budget))
    return await asyncio.to_thread(server.ask, "GET", "/x?y=z", {"a": "b"})


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (OK + b"Content-Length: 2\r\n\r\nhi", 200, b"hi"),
        (OK + b"\r\nhi", 200, b"hi"),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
            200,
            None,
        ),
        (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, b""),
        (b"HTTP/1.0 404\r\n\r\n", 404, b""),
    ],
)
async def test_an_answer_is_read_to_its_end(sent: bytes, status: int, body: bytes | None) -> None:
    async with answering(sent) as (port, asked):
        answer = await ask(f"http://127.0.0.1:{port}/api/v3")

    assert (answer.status, answer.body) == (status, b"hi0123456789" if body is None else body)
    assert asked[0].startswith(b"GET /api/v3/x?y=z HTTP/1.1\r\nhost:127.0.0.1:")
    assert b"connection:close\r\na:b\r\n" in asked[0]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 what\r\n\r\n",
        OK + b"content-length: what\r\n\r\n",
        OK + b"content-length: 3\r\n\r\nhi",
        OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhi",
        OK + b"transfer-encoding: chunked\r\n\r\nwhat\r\nhi",
    ],
)
async def test_an_answer_that_is_none(sent: bytes) -> None:
    async with answering(sent) as (port, _):
        with pytest.raises(Failure, match="GitHub can't be reached") as failed:
            await ask(f"http://127.0.0.1:{port}")

    assert failed.value.code == "github_unreachable"


async def test_a_server_that_never_answers_costs_no_more_than_the_budget() -> None:
    gone = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), 20)
            gone.set()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Failure, match="timed out"):
            await ask(f"http://127.0.0.1:{port}", 0.2)
        await asyncio.wait_for(gone.wait(), 20)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tls") / "localhost.pem")


@pytest.fixture(autouse=True)
def trusts_nobody_yet() -> Iterator[None]:
    """As a process that has just begun."""
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # A ticket that nobody reads would make the other's close a reset.
    context.num_tickets = 0
    return context


async def test_https_to_a_server_whose_certificate_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with answering(OK + b"\r\nhi", serving(certificate)) as (port, _):
        answer = await ask(f"https://localhost:{port}")

    assert answer.body == b"hi"


async def test_no_request_waits_until_the_end_of_the_handshake_is_acknowledged(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that has nothing to say before it is asked takes forty milliseconds for that."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    took = []

    async with answering(OK + b"\r\nhi", serving(certificate)) as (port, _):
        for _ in range(10):
            began = time.perf_counter()
            await ask(f"https://localhost:{port}")
            took.append(time.perf_counter() - began)

    assert min(took) < 0.03


async def test_the_certificates_that_we_trust_are_read_once(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with answering(OK + b"\r\nhi", serving(certificate)) as (port, _):
        await ask(f"https://localhost:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", "nothing")
        answer = await ask(f"https://localhost:{port}")

    assert answer.body == b"hi"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_https_to_anybody_else_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    if host == "127.0.0.1":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # trusted, but for another name

    async with answering(OK + b"\r\nhi", serving(certificate)) as (port, asked):
        with pytest.raises(Failure, match="certificate verify failed"):
            await ask(f"https://{host}:{port}")

    assert asked == []


class Hasty:
    """A clock that moves ten seconds each time somebody looks at it."""

    def __init__(self) -> None:
        self._seconds = -10.0

    def now(self) -> float:
        self._seconds += 10
        return self._seconds


@pytest.mark.parametrize(
    ("secure", "steps", "seen"),
    [
        (False, 1, "a connection"),
        (False, 2, "a request"),
        (True, 1, "a connection"),
        (True, 2, "a handshake"),
        (True, 3, "a request"),
    ],
)
async def test_connecting_handshake_and_sending_share_one_deadline(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, secure: bool, steps: int, seen: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            heard.set_result(await asyncio.wait_for(reader.read(), 20))
        writer.close()
        await writer.wait_closed()

    # What is not to get as far as a handshake is read as it comes.
    context = serving(certificate) if secure and seen != "a connection" else None
    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context) as server:
        base = f"http{'s' if secure else ''}://localhost:{server.sockets[0].getsockname()[1]}"
        budget = Budget(10 * steps + 5, monotonic=Hasty().now)
        ours = HttpServer(base, Code.GITHUB_UNREACHABLE, "GitHub", budget)
        with pytest.raises(Failure, match="GitHub can't be reached: timed out") as failed:
            await asyncio.to_thread(ours.ask, "GET", "/x", {})
        sent = await asyncio.wait_for(heard, 30)

    assert failed.value.code == "github_unreachable"
    assert sent.startswith(b"GET /x ") if seen == "a request" else sent == b""


HELLO = b"\x16\x03\x03\x40\x00"  # a handshake's record of 16 KiB


@pytest.mark.parametrize(
    ("tls", "head"),
    [
        (None, b""),
        (None, OK),
        (None, OK + b"content-length: 1000000\r\n\r\n"),
        (None, OK + b"transfer-encoding: chunked\r\n\r\n"),
        ("served", OK + b"content-length: 1000000\r\n\r\n"),
        ("spoofed", HELLO),
    ],
)
async def test_a_server_that_drips_does_not_outlast_the_budget(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tls: str | None, head: bytes
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    left = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(head)
        with suppress(ConnectionError):
            for _ in range(2000):
                writer.write(b"0")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        left.set()

    context = serving(certificate) if tls == "served" else None
    async with await asyncio.start_server(drip, "127.0.0.1", 0, ssl=context) as server:
        base = f"http{'s' if tls else ''}://localhost:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Failure, match=r"GitHub can't be reached: .*timed out") as failed:
            await ask(base, 0.3)
        await asyncio.wait_for(left.wait(), 60)

    assert failed.value.code == "github_unreachable"


class Turned:
    """A clock that moves only when somebody sleeps, and then calls `wakes`."""

    def __init__(self, wakes: Callable[[], None]) -> None:
        self.seconds = BEGAN
        self.slept: list[float] = []
        self._wakes = wakes

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept.append(seconds)
        if len(self.slept) == 3:
            self._wakes()


async def test_a_run_that_the_list_shows_late_is_found(github: SmallGitHub) -> None:
    github.names_runs = False
    clock = Turned(lambda: setattr(github, "lists", True))
    conf = read_settings(
        {"CONTROL_API_TOKEN": "c", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
    )
    budget = Budget(8.5, clock.now, clock.sleep, clock.now)
    api = GitHubClient(conf, lambda _: TOKEN, str, budget, GitHubCache(), spared=0)
    github.lists = False

    began = await asyncio.to_thread(api.dispatch, Entry("agent.x.a.b", target="y", caller="x"))

    assert began[0] == 1000
    assert clock.slept == [0, 0.5, 1]


async def test_a_run_that_is_not_listed_is_looked_for_during_three_seconds(
    github: SmallGitHub,
) -> None:
    github.names_runs = github.lists = False
    clock = Turned(lambda: None)
    conf = read_settings(
        {"CONTROL_API_TOKEN": "c", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
    )
    budget = Budget(8.5, clock.now, clock.sleep, clock.now)
    api = GitHubClient(conf, lambda _: TOKEN, str, budget, GitHubCache(), spared=0)

    began = await asyncio.to_thread(api.dispatch, Entry("agent.x.a.b", target="y", caller="x"))

    assert began[0] is None
    assert clock.slept == [0, 0.5, 1, 1.5]


@pytest.mark.parametrize(("mebibytes", "read"), [(7, True), (9, False)])
async def test_an_answer_may_have_eight_mebibytes(mebibytes: int, read: bool) -> None:
    body = b"x" * (mebibytes << 20)
    async with answering(OK + b"\r\n" + body) as (port, _):
        try:
            answered = (await ask(f"http://127.0.0.1:{port}", 60)).body == body
        except Failure as failure:
            answered = "too long" not in str(failure)

    assert answered == read
