"""A Function URL with AWS_IAM: checks who signed, makes the event, runs the handler."""

import asyncio
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from math import inf
from typing import Any

from aiohttp import web

from fleet_control.clock import Clock
from sandbox import lambda_answer
from sandbox.lambda_event import LambdaContext, event
from sandbox.loopback import listen, url_of
from sandbox.principal import IamPrincipal
from sandbox.sigv4 import Received, SignatureRefusal, verify

log = logging.getLogger(__name__)

# As tofu/control/function.tf has it.
TIMEOUT_SECONDS = 20.0
_SECONDS_TO_END = 0.5

Handler = Callable[[dict[str, Any], Any, Mapping[str, str]], Any]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One request that arrived.

    Attributes:
        principal: ARN of who signed it, or empty where that was not established.
        action: `action` of the JSON body, or empty.
        status: what was answered.
        invoked: whether it came through to the handler.
    """

    principal: str
    action: str
    status: int
    invoked: bool


class FunctionError(Exception):
    """The function raised; its cause is what."""


class FunctionUrl:
    """The Control API's address: checks the signature as AWS does, and runs the handler.

    Attributes:
        environ: the function's environment, read at each call.
        invocations: what arrived, in the order of the answers.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        principals: Iterable[IamPrincipal],
        region: str,
        clock: Clock,
        handler: Handler | None = None,
        port: int = 0,
        write: Callable[[str], None] = log.info,
        kept: float = inf,
    ) -> None:
        """`write` takes the lines of the function's log; it knows nothing of GitHub's runs that
        is older than `kept` seconds."""
        self.invocations: list[Invocation] = []
        self.environ = environ
        self._principals = {one.access_key: one for one in principals}
        self._region = region
        self._clock = clock
        self._handler = handler
        self._port = port
        self._write = write
        self._kept = kept
        self._hosts: tuple[str, ...] = ()

    async def start(self) -> str:
        """Start; returns its URL, which ends in a slash as AWS's do."""
        if self._handler is None:
            from lambda_fn.github_cache import GitHubCache  # noqa: PLC0415  (as above)
            from lambda_fn.handler import handler  # noqa: PLC0415  (where no other is given)
            from lambda_fn.settings import SecretReader  # noqa: PLC0415  (as above)

            # What a process keeps between its calls: another URL is another process.
            now = self._clock.now
            self._handler = partial(
                handler,
                secrets=SecretReader(now),
                cache=GitHubCache(self._kept),
                now=now,
                write=self._write,
            )
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None), shutdown_timeout=_SECONDS_TO_END
        )
        await self._runner.setup()
        listening = listen(self._port)
        await web.SockSite(self._runner, listening).start()
        port = listening.getsockname()[1]
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        return f"{url_of(listening)}/"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _read(request)
        if body is None:
            return self._noted(None, b"", _too_large())
        received = Received(request.method, request.raw_path, _decoded(request.raw_headers), body)
        signer = self._signer(received)
        if isinstance(signer, SignatureRefusal):
            key = "Message" if signer.message == "Forbidden" else "message"
            refusal = lambda_answer.refused(403, signer.message, signer.type, key=key)
            return self._noted(None, body, refusal)
        if not signer.may_invoke:
            return self._noted(signer, body, _forbidden())
        return await self._invoke(received, signer, request.remote or "127.0.0.1")

    def _signer(self, received: Received) -> IamPrincipal | SignatureRefusal:
        if received.header("host") not in self._hosts:
            return SignatureRefusal("AccessDeniedException", "Forbidden")
        now = self._clock.now()
        return verify(received, self._principals, self._region, "lambda", now)

    async def _invoke(
        self, received: Received, signer: IamPrincipal, source: str
    ) -> web.StreamResponse:
        request_id = str(uuid.uuid4())
        text = json.dumps(event(received, signer, request_id, source, self._clock.now()))
        if len(text) > lambda_answer.MOST_BYTES:
            return self._noted(signer, received.body, _too_large())
        context = LambdaContext(request_id, self._region, TIMEOUT_SECONDS)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = lambda_answer.response(await self._run(json.loads(text), context))
        except Exception:  # (whatever the function raises, AWS answers)
            log.exception("sandbox.function_failed request=%s", request_id)
            answer = lambda_answer.broken()
        answer.headers["x-amzn-RequestId"] = request_id
        return self._noted(signer, received.body, answer, invoked=True)

    async def _run(self, asked: dict[str, Any], context: LambdaContext) -> object:
        """The handler's result, from a thread of its own.

        A daemon, and none of a pool's: a handler that hangs must not keep the program from
        ending, as it would not keep AWS.
        """
        loop, handler = asyncio.get_running_loop(), self._handler
        done: asyncio.Future[object] = loop.create_future()

        def settle(returned: object, error: Exception | None) -> None:
            # Nobody waits any more where it took too long.
            if not done.done():
                done.set_exception(error) if error else done.set_result(returned)

        def work() -> None:
            returned, failed = None, None
            try:
                returned = handler(asked, context, self.environ) if handler else None
            except BaseException as error:  # noqa: BLE001  (it is raised again in the loop)
                failed = FunctionError(type(error).__name__)
                failed.__cause__ = error
            # The loop may have gone meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, returned, failed)

        threading.Thread(target=work, name=context.aws_request_id, daemon=True).start()
        return await done

    def _noted(
        self,
        signer: IamPrincipal | None,
        body: bytes,
        answer: web.Response,
        *,
        invoked: bool = False,
    ) -> web.Response:
        answer.headers["Date"] = formatdate(self._clock.now(), usegmt=True)
        arn = signer.arn if signer else ""
        self.invocations.append(Invocation(arn, _action(body), answer.status, invoked))
        return answer


async def _read(request: web.BaseRequest) -> bytes | None:
    """The request's body; None where it is larger than AWS takes."""
    whole = bytearray()
    async for chunk in request.content.iter_any():
        whole += chunk
        if len(whole) > lambda_answer.MOST_BYTES:
            return None
    return bytes(whole)


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in headers]


def _action(body: bytes) -> str:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    action = asked.get("action") if isinstance(asked, dict) else None
    return action if isinstance(action, str) else ""


def _forbidden() -> web.Response:
    return lambda_answer.refused(403, "Forbidden", "AccessDeniedException")


def _too_large() -> web.Response:
    return lambda_answer.refused(
        413,
        f"Request must be smaller than {lambda_answer.MOST_BYTES} bytes for the "
        "InvokeFunction operation",
        "RequestEntityTooLargeException",
    )
