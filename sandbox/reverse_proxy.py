"""Pass a request on to another server and its answer back, unchanged: signatures still hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

# They speak of one connection, not of the message; Expect was already answered here.
_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_ADDED_UNASKED = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read whole."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    def response(self, body: bytes | None = None) -> web.Response:
        """It, or the same with another body."""
        headers = self.headers.copy()
        headers.popall(hdrs.CONTENT_LENGTH, None)
        return web.Response(
            status=self.status, headers=headers, body=self.body if body is None else body
        )


class ReverseProxy:
    """Speaks to one upstream, over connections that are kept."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_ADDED_UNASKED,
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def close(self) -> None:
        await self._session.close()

    async def ask(
        self, request: web.BaseRequest, body: bytes, added: Mapping[str, str] | None = None
    ) -> Answer:
        """Pass on a request whose body was read; `added` are headers for the upstream alone."""
        headers = _end_to_end(request.headers)
        headers.update(added or {})
        async with self._session.request(
            request.method, self._url(request), headers=headers, data=body, allow_redirects=False
        ) as answer:
            return Answer(answer.status, _end_to_end(answer.headers), await answer.read())

    async def stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass on a request and its answer as they come, however long."""
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        async with self._session.request(
            request.method,
            self._url(request),
            headers=_end_to_end(request.headers),
            data=request.content.iter_any() if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(
                status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers)
            )
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def get(self, path: str) -> bytes:
        """What the upstream has at a path of its own."""
        async with self._session.get(self._upstream + path) as answer:
            return await answer.read()

    def _url(self, request: web.BaseRequest) -> URL:
        return URL(self._upstream + request.raw_path, encoded=True)


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION
    )
