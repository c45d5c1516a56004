"""Where GitHub sends whoever asks for a log: another server, whose addresses are their own keys."""

import secrets

from aiohttp import web

from sandbox.loopback import listen, url_of


class LogStore:
    def __init__(self) -> None:
        self._logs: dict[str, str] = {}
        self._site: web.AppRunner | None = None
        self._url = ""

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/{key}", self._log)])
        self._site = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._site.setup()
        listening = listen(0)
        await web.SockSite(self._site, listening).start()
        self._url = url_of(listening)

    async def stop(self) -> None:
        if self._site:
            await self._site.cleanup()

    def address(self, text: str) -> str:
        """Where this text can be fetched from now on."""
        key = secrets.token_urlsafe(16)
        self._logs[key] = text
        return f"{self._url}/{key}?rsct=text%2Fplain&sig={secrets.token_urlsafe(16)}"

    async def _log(self, request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            # The token was meant for somebody else, and this server says so.
            return web.Response(status=400, text="<Code>InvalidAuthenticationInfo</Code>")
        if "sig" not in request.query or request.match_info["key"] not in self._logs:
            return web.Response(status=403, text="<Code>AuthenticationFailed</Code>")
        return web.Response(text=self._logs[request.match_info["key"]])
