"""HTTP on a bare socket: what servers may do, and TLS as it is in production."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet_control.ledger import Entry
from lambda_fn import Code, Failure
from lambda_fn.github import GitHub
from lambda_fn.settings import read_settings
from lambda_fn.wire import Answer, Budget, Server
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


async def ask(base: str, budget: float = 5) -> Answer:
    server = Server(base, Code.GITHUB_UNREACHABLE, "GitHub", Budget(budget))
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
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Failure, match="timed out"):
            await ask(f"http://127.0.0.1:{port}", 0.2)
        await gone.wait()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its own certificate for `localhost`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, form, plain) + made.public_bytes(pem))
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_https_to_a_server_whose_certificate_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with answering(OK + b"\r\nhi", serving(certificate)) as (port, _):
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


class Turned:
    """A clock that moves only when somebody sleeps, and then calls `wakes`."""

    def __init__(self, wakes: Callable[[], None]) -> None:
        self.seconds = datetime.now(UTC).timestamp()
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
    api = GitHub(conf, lambda _: TOKEN, str, Budget(8.5, clock.now, clock.sleep))
    github.lists = False

    began = await asyncio.to_thread(api.dispatch, Entry("agent.x.a.b", target="y", caller="x"))

    assert began[0] == 1000
    assert clock.slept == [0, 0.5, 1]
