"""The proxy before moto that gives hosts a life: pending, then healthy or not, then slowly gone."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable

import aiohttp
from aiohttp import web

from fleet_control.clock import Clock
from sandbox import ec2_answer
from sandbox.ec2_query import Ec2Query
from sandbox.host_life import Lives, Timing
from sandbox.loopback import listen, url_of
from sandbox.moto_doors import KNOWN
from sandbox.moto_patch import ANY_STATE, STATE_FILTERS
from sandbox.reverse_proxy import Answer, ReverseProxy
from sandbox.service_check import ServiceChecks

__all__ = ["Ec2Timing", "Timing"]

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[\w-]+)/(?P<service>\w+)/aws4_request")
_SECONDS_TO_END = 0.5


class Ec2Timing:
    """An AWS endpoint: everything but a host's life passes to moto unchanged.

    Attributes:
        counts: how often each EC2 and SSM action was asked, by its name.
        unhealthy: instance ids whose next host never becomes healthy; may be changed any time.
        throttled: how many of an action's next calls EC2 refuses as too many.
    """

    def __init__(
        self,
        clock: Clock,
        timing: Timing | None = None,
        unhealthy: Iterable[str] = (),
        port: int = 0,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.unhealthy = set(unhealthy)
        self._clock = clock
        self._port = port
        self._lives = Lives(timing or Timing())
        self._checks = ServiceChecks(self._lives, self._is_known)
        # A host must not be seen between its launch and our taking note of it.
        self._one_at_a_time = asyncio.Lock()

    async def start(self, upstream: str) -> str:
        """Its URL; `upstream` is our moto's."""
        self._upstream = ReverseProxy(upstream)
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None), shutdown_timeout=_SECONDS_TO_END
        )
        await self._runner.setup()
        listening = listen(self._port)
        await web.SockSite(self._runner, listening).start()
        return url_of(listening)

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._upstream.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        scope = _SCOPE.search(request.headers.get("Authorization", ""))
        service = scope["service"] if scope and request.method == "POST" else ""
        try:
            if service == "ec2":
                return await self._ec2(request)
            if service == "ssm" and scope:
                return await self._ssm(request, scope["region"])
            return await self._upstream.stream(request)
        except aiohttp.ClientError:
            return web.Response(status=503, text="moto does not answer")

    async def _ec2(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        query = Ec2Query(body)
        self.counts[query.action] += 1
        if self.throttled[query.action] > 0:
            self.throttled[query.action] -= 1
            return _too_many()
        async with self._one_at_a_time:
            answer = await self._upstream.ask(request, body, self._about_states(query))
            if answer.status != 200:
                return answer.response()
            return answer.response(self._told(query, answer.body))

    def _about_states(self, query: Ec2Query) -> dict[str, str]:
        """A header for moto, where its own idea of states must not choose the hosts."""
        match query.action:
            case "DescribeInstances" if query.filters(STATE_FILTERS):
                return {ANY_STATE: "1"}
            case "DescribeInstanceStatus":
                return {ANY_STATE: "1"}
            case _:
                return {}

    def _told(self, query: Ec2Query, body: bytes) -> bytes:
        now = self._clock.now()
        match query.action:
            case "RunInstances":
                return ec2_answer.launched(body, self._lives, self.unhealthy, now)
            case "TerminateInstances":
                return ec2_answer.terminated(body, self._lives, now)
            case "DescribeInstances" if self._lives or query.filters(STATE_FILTERS):
                return ec2_answer.described(body, query, self._lives, now)
            case "DescribeInstanceStatus":
                return ec2_answer.statuses(body, query, self._lives, now)
            case _:
                return body

    async def _ssm(self, request: web.BaseRequest, region: str) -> web.StreamResponse:
        body = await request.read()
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.counts[action] += 1
        answer = await self._upstream.ask(request, body)
        if answer.status != 200:
            return answer.response()
        match action:
            case "SendCommand":
                return await self._sent(region, body, answer)
            case "GetCommandInvocation":
                told = self._checks.invocation(json.loads(answer.body), self._clock.now())
                return answer.response(json.dumps(told).encode())
            case _:
                return answer.response()

    async def _sent(self, region: str, body: bytes, answer: Answer) -> web.StreamResponse:
        refusal = await self._checks.send(
            region, json.loads(body), json.loads(answer.body), self._clock.now()
        )
        if refusal is None:
            return answer.response()
        return web.Response(
            status=400, body=refusal.body, content_type="application/x-amz-json-1.1"
        )

    async def _is_known(self, region: str, kind: str, name: str) -> bool:
        return bool(json.loads(await self._upstream.get(f"{KNOWN}{region}/{kind}/{name}")))


def _too_many() -> web.Response:
    return web.Response(
        status=503,
        content_type="text/xml",
        text="<Response><Errors><Error><Code>RequestLimitExceeded</Code>"
        "<Message>Request limit exceeded.</Message></Error></Errors>"
        "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>",
    )
