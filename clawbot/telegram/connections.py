"""Who may be connected to the webhook: so many at once, each for as long as it asks in time."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from fleet_control.clock import Clock

# Telegram keeps 40 at the most.
MOST_CONNECTIONS = 100
# From a connection's beginning, or a request's first byte, to the end of its headers.
REQUEST_SECONDS = 10.0
_OF_STRANGERS = (403, 404, 405, 413)

log = logging.getLogger(__name__)


class Connections:
    """Makes a protocol for each connection, over one of `serve`'s; drops what is too many or slow.

    `answers` is the server's middleware: by it a connection is known to have asked in time.
    Whoever is refused is not kept.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[asyncio.BaseTransport | None, _Connection] = {}

    def over(self, serve: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        return lambda: _Connection(serve(), self._clock, self._open)

    @web.middleware
    async def answers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        one = self._open.get(request.transport)
        if one:
            one.begin_answer()
        try:
            answer = await handler(request)
        except web.HTTPException as refusal:
            answer = web.Response(status=refusal.status)
        finally:
            if one:
                one.answering = False
        if answer.status in _OF_STRANGERS:
            answer.force_close()  # who has nothing to say here need not stay
        return answer


class _Connection(asyncio.Protocol):
    def __init__(
        self,
        served: asyncio.Protocol,
        clock: Clock,
        others: "dict[asyncio.BaseTransport | None, _Connection]",
    ) -> None:
        self._served = served
        self._clock = clock
        self._others = others
        self._transport: asyncio.BaseTransport | None = None
        self._asking: asyncio.Task[None] | None = None
        self.answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._others) >= MOST_CONNECTIONS:
            log.warning("telegram.too_many_connections")
            transport.close()
            return
        self._transport = transport
        self._others[transport] = self
        self._served.connection_made(transport)
        self._asks()

    def data_received(self, data: bytes) -> None:
        if self._transport:
            self._asks()
            self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received() if self._transport else None

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._others.pop(self._transport, None):
            self.begin_answer()
            self._served.connection_lost(error)

    def begin_answer(self) -> None:
        """Its headers are here; how long an answer takes is for whoever gives it."""
        self.answering = True
        if self._asking:
            self._asking.cancel()
            self._asking = None

    def _asks(self) -> None:
        if self._asking is None and not self.answering:
            self._asking = asyncio.get_running_loop().create_task(self._dropped())

    async def _dropped(self) -> None:
        await self._clock.sleep(REQUEST_SECONDS)
        log.warning("telegram.request_too_slow")
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()
