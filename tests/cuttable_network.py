"""A middleware that cuts off all of a bot's calls at a chosen one, as a kill of the bot does."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


async def every_call(_: web.Request) -> bool:
    """Each call has its moments."""
    return True


class CuttableNetwork:
    """A middleware of every server that a bot calls.

    Each call has two moments: it arrives and nothing has come of it, and all has come of it but
    the answer. After the fatal one nothing passes any more, in neither direction. `has_moments`
    says which calls have them; the others pass until then.

    Attributes:
        moments: those that were, as (method, path, whether the call was acted on).
        fatal: the moment at which the line is cut: its number, counted from 1, or what it is; 0
            for none.
        under_way: how many calls are being answered, without those that wait for news.
    """

    def __init__(self, has_moments: Callable[[web.Request], Awaitable[bool]] = every_call) -> None:
        self._has_moments = has_moments
        self.moments: list[tuple[str, str, bool]] = []
        self.fatal: int | tuple[str, str, bool] = 0
        self.is_cut = False
        self.under_way = 0

    def begin(self, fatal: int | tuple[str, str, bool]) -> None:
        """Count anew from here."""
        self.moments, self.fatal, self.is_cut = [], fatal, False

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def passing(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.carry(request, handler)

        return passing

    async def carry(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a call that comes through here, or none."""
        if request.headers.get("Upgrade") == "websocket":
            return await handler(request)
        counts = not request.path.endswith("/getUpdates")
        self.under_way += counts
        try:
            return await self._pass(request, handler)
        finally:
            self.under_way -= counts

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        counts = await self._has_moments(request)
        if self._ends(request, counts, acted=False):
            return _dropped(request)
        answer = await handler(request)
        return _dropped(request) if self._ends(request, counts, acted=True) else answer

    def _ends(self, request: web.Request, counts: bool, *, acted: bool) -> bool:
        if counts and not self.is_cut:
            self.moments.append((request.method, request.path, acted))
            self.is_cut = self.fatal in (len(self.moments), self.moments[-1])
        return self.is_cut


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
