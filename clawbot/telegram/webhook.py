"""Updates that Telegram brings itself, for where something that speaks TLS stands before us."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Bot, Update

from clawbot.front import Unserved
from clawbot.readiness import Hears, ignored
from clawbot.telegram.heard import HeardUpdates
from clawbot.telegram.polling import ALLOWED, WEBHOOK_SET
from clawbot.telegram.updates import read

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (a header's name)
MOST_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


class Webhook:
    """Takes updates at the path of `url`, from whoever knows `secret`.

    One is answered once it is not among those `heard` without anything shown for them, or after as
    long as Telegram may be kept waiting.
    """

    def __init__(
        self,
        telegram: Bot,
        take: Callable[[Update], Awaitable[None]],
        heard: HeardUpdates,
        url: str,
        secret: str,
        port: int,
        hears: Hears = ignored,
    ) -> None:
        self._telegram = telegram
        self._take = take
        self._heard = heard
        self._url = url
        self._secret = secret
        self._port = port
        self._hears = hears
        self._stopped = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def run(self) -> None:
        """Until cancelled; Unserved where somebody else's webhook is set."""
        try:
            await self._listen()
            await self._set()
            self._hears(True)
            await asyncio.Event().wait()
        finally:
            self._stopped.set()

    async def close(self) -> None:
        """Listen no more. The webhook stays set, for whoever comes after us."""
        self._heard.close()
        if self._runner:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post(urlsplit(self._url).path or "/", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, None, self._port)
        await site.start()

    async def _set(self) -> None:
        info = await self._telegram.get_webhook_info()
        if info.url not in ("", self._url):
            raise Unserved(WEBHOOK_SET.format(host=urlsplit(info.url).hostname))
        await self._telegram.set_webhook(
            self._url, secret_token=self._secret, allowed_updates=ALLOWED
        )

    async def _receive(self, request: web.Request) -> web.Response:
        # Bytes that are no UTF-8 come as surrogates.
        said = request.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(said, self._secret.encode()):
            log.warning("telegram.webhook_refused from=%s", request.remote)
            return web.Response(status=403)
        update = _update(await request.read(), self._telegram)
        # What is not answered with 200 comes again.
        forgets = update is None or await self._may_forget(update)
        return web.Response(status=200 if forgets else 503)

    async def _may_forget(self, update: Update) -> bool:
        """Take it; False where whoever comes after us needs it."""
        if self._stopped.is_set():
            return False
        await self._take(update)
        id_ = update.update_id
        await self._heard.until_shown(id_, self._heard.webhook_seconds(id_))
        return id_ not in self._heard or not self._stopped.is_set()


def _update(body: bytes, telegram: Bot) -> Update | None:
    try:
        sent = json.loads(body)
    except ValueError as error:
        log.warning("telegram.body_unreadable why=%s", type(error).__name__)
        return None
    return read(sent, telegram) if isinstance(sent, dict) else None
