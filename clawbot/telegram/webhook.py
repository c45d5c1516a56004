"""Updates that Telegram brings itself, for where something that speaks TLS stands before us."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Bot, Update
from telegram.error import InvalidToken, TelegramError

from clawbot.readiness import FrontReadiness
from clawbot.telegram.connections import Connections
from clawbot.telegram.polling import ALLOWED, TOKEN_REFUSED, WEBHOOK_SET
from clawbot.telegram.updates import read
from fleet_control.clock import Clock

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (a header's name)
MOST_BYTES = 1024 * 1024
# Between two looks at which webhook is set.
LOOK_SECONDS = 60.0

log = logging.getLogger(__name__)


class Webhook:
    """Takes updates at the path of `url`, from whoever knows `secret`."""

    def __init__(
        self,
        telegram: Bot,
        take: Callable[[Update], Awaitable[None]],
        url: str,
        secret: str,
        address: tuple[str, int],
        clock: Clock,
    ) -> None:
        self._telegram = telegram
        self._take = take
        self._url = url
        self._secret = secret
        self._address = address
        self._connections = Connections(clock)
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Telegram is told so by `watch`."""
        app = web.Application(client_max_size=MOST_BYTES, middlewares=[self._connections.answers])
        app.router.add_post(urlsplit(self._url).path or "/", self._receive)
        # Telegram packs nothing; what somebody else packs may be a thousand times as large.
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101  (as `setup` leaves it)
        serve = self._connections.over(self._runner.server)
        self._server = await asyncio.get_running_loop().create_server(serve, *self._address)

    async def stop(self) -> None:
        """Listen no more. The webhook stays set, for whoever comes after us."""
        if self._server:
            self._server.close()
        if self._runner:
            await self._runner.cleanup()

    async def watch(self, clock: Clock, told: FrontReadiness) -> None:
        """See to it that ours is the webhook, and stays it, until cancelled.

        What somebody else set is left to them, and said.
        """
        set_before = False
        while True:
            try:
                if other := await self._set(anew=not set_before):
                    told.faulty(WEBHOOK_SET.format(host=other))
                else:
                    set_before = True
                    told.hears(True)
            except InvalidToken:
                told.faulty(TOKEN_REFUSED)
            except TelegramError as error:
                log.warning("telegram.webhook_not_seen why=%s", error)
                told.hears(False)
            await clock.sleep(LOOK_SECONDS)

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
        update = _update(await request.read(), self._telegram)
        if update is not None:
            await self._take(update)
        return web.Response(status=200)  # another answer would bring it again


def _update(body: bytes, telegram: Bot) -> Update | None:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        log.warning("telegram.body_unreadable why=%s", type(error).__name__)
        return None
    return read(sent, telegram) if isinstance(sent, dict) else None
