"""Updates that Telegram brings itself, for where something that speaks TLS stands before us."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from telegram import Bot, Update
from telegram.error import InvalidToken, TelegramError

from clawbot.readiness import FrontReadiness
from clawbot.telegram.connections import Connections
from clawbot.telegram.heard import HeardUpdates
from clawbot.telegram.polling import ALLOWED, TOKEN_REFUSED, WEBHOOK_SET
from clawbot.telegram.updates import read
from fleet_control.clock import Clock

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (a header's name)
MOST_BYTES = 1024 * 1024
# Between two looks at which webhook is set.
LOOK_SECONDS = 60.0

log = logging.getLogger(__name__)


class Webhook:
    """Takes updates at the path of `url`, from whoever knows `secret`.

    One is answered once it is not among those `heard` without anything shown for them, or after as
    long as Telegram may be kept waiting.
    """

    def __init__(
        self,
        telegram: Bot,
        clock: Clock,
        take: Callable[[Update], Awaitable[None]],
        heard: HeardUpdates,
        url: str,
        secret: str,
        address: tuple[str, int],
        told: FrontReadiness,
    ) -> None:
        self._telegram = telegram
        self._clock = clock
        self._take = take
        self._heard = heard
        self._url = url
        self._secret = secret
        self._address = address
        self._told = told
        self._connections = Connections(clock)
        self._stopped = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._listen()
            await self._watch()
        finally:
            self._stopped.set()

    async def close(self) -> None:
        """Listen no more. The webhook stays set, for whoever comes after us."""
        self._heard.close()
        if self._server:
            self._server.close()
        if self._runner:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=MOST_BYTES, middlewares=[self._connections.answers])
        app.router.add_post(urlsplit(self._url).path or "/", self._receive)
        # Telegram packs nothing; what somebody else packs may be a thousand times as large.
        self._runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, logger=_ServerLog(log)
        )
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101  (as `setup` leaves it)
        serve = self._connections.over(self._runner.server)
        self._server = await asyncio.get_running_loop().create_server(serve, *self._address)

    async def _watch(self) -> None:
        """See to it that ours is the webhook, and stays it, until cancelled.

        What somebody else set is left to them, and said.
        """
        set_before = False
        while True:
            try:
                if other := await self._set(anew=not set_before):
                    self._told.faulty(WEBHOOK_SET.format(host=other))
                else:
                    set_before = True
                    self._told.hears(True)
            except InvalidToken:
                self._told.faulty(TOKEN_REFUSED)
            except TelegramError as error:
                log.warning("telegram.webhook_not_seen why=%s", error)
                self._told.hears(False)
            await self._clock.sleep(LOOK_SECONDS)

    async def _set(self, *, anew: bool) -> str:
        """Set ours where none is, or `anew`; the host of another's that is set."""
        url = (await self._telegram.get_webhook_info()).url
        if url not in ("", self._url):
            # The rest of the address may be a secret.
            return str(urlsplit(url).hostname)
        if anew or not url:
            log.info("telegram.webhook_set anew=%s", anew)
            await self._telegram.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=ALLOWED
            )
        return ""

    async def _receive(self, request: web.Request) -> web.Response:
        # Bytes that are no UTF-8 come as surrogates.
        said = request.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(said, self._secret.encode()):
            log.warning("telegram.webhook_refused from=%s", request.remote)
            return web.Response(status=403)
        try:
            body = await request.read()
        except (ConnectionError, web.RequestPayloadError) as error:
            log.warning("telegram.body_broken_off why=%s", type(error).__name__)
            return web.Response(status=400)  # it comes again
        update = _update(body, self._telegram)
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


class _ServerLog(logging.LoggerAdapter[logging.Logger]):
    """The web server's log: a stranger who sends what is no request is a line in it, no trace."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:
        if isinstance(exc_info, HttpProcessingError):
            self.warning("telegram.request_unreadable why=%s", type(exc_info).__name__)
        else:
            super().exception(msg, *args, exc_info=exc_info, **more)


def _update(body: bytes, telegram: Bot) -> Update | None:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        log.warning("telegram.body_unreadable why=%s", type(error).__name__)
        return None
    return read(sent, telegram) if isinstance(sent, dict) else None
