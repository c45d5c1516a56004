"""What stands before every REST call: what was injected, how often may be asked, a refusal told."""

import json
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.discord_api.answer import DROPPED, DiscordRefusal, answered, dropped
from sandbox.discord_api.backend import Backend

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """A middleware over what `backend` holds."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @web.middleware
    async def stand(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record each call, and answer it as was injected, as was asked, or with the refusal."""
        self._backend.asked.append((request.method, request.path))
        self._backend.moments.append(time.perf_counter())
        await self._backend.pass_through()
        injected = self._backend.take_injected(request.method, request.path)
        if injected is not None:
            if injected.taken:
                await handler(request)
            if injected.status == DROPPED:
                return dropped(request)
            return answered(injected.body, injected.status, injected.headers)
        limits, too_many = self._backend.limits.take(request)
        answer = too_many or await self._answered(request, handler)
        answer.headers.update(limits)
        return answer

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
            self._backend.changed()
            if self._backend.sparse and isinstance(answer, web.Response) and answer.text:
                return answered(self._backend.shaped(json.loads(answer.text)), answer.status)
            return answer
        except DiscordRefusal as refusal:
            body = {"message": str(refusal), "code": refusal.code}
            if refusal.status != 429:
                return answered(body, refusal.status)
            return answered({**body, "retry_after": 0.05, "global": False}, 429)
