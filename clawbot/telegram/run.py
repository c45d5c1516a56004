"""An application of our own, for where there is none to extend."""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from ssl import SSLContext

from httpx import create_ssl_context
from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ChatMemberHandler, ExtBot
from telegram.request import HTTPXRequest

from clawbot.bot import Bot
from clawbot.front import BadSettings
from clawbot.patience import CALL_AGAIN, WORK_AGAIN
from clawbot.readiness import FrontReadiness, unwatched
from clawbot.settings import Settings
from clawbot.telegram.conflict import PollConflicts
from clawbot.telegram.extension import add_handlers
from clawbot.telegram.front import TelegramFront
from clawbot.telegram.membership import Memberships
from clawbot.telegram.menu import set_menus
from clawbot.telegram.polling import POLL_SECONDS, TOKEN_REFUSED, Poller
from clawbot.telegram.rate_limit import Limits
from clawbot.telegram.speaker import PLATFORM
from clawbot.telegram.updates import UpdatesRequest
from clawbot.telegram.webhook import Webhook
from fleet_control.clock import Clock
from fleet_control.proxy import proxy

_ANSWER_SECONDS = 10.0
# Handlers of ours that hear no message.
MEMBERSHIPS = 7108
TOKEN_MISSING = "CLAWBOT_TELEGRAM_TOKEN is missing: the bot's token, from @BotFather."  # noqa: S105  (words)

Take = Callable[[Update], Awaitable[None]]

log = logging.getLogger(__name__)


async def run(
    bot: Bot,
    told: FrontReadiness | None = None,
    limits: Limits | None = None,
    poll_seconds: int = POLL_SECONDS,
    answer_seconds: float = _ANSWER_SECONDS,
) -> None:
    """Serve until cancelled, then finish what is in flight; BadSettings where it can't be served.

    `answer_seconds` is how long Telegram may take to answer one call.
    """
    told = told or unwatched("Telegram")
    # It logs every address it asks, and the token is part of each.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with _reached(bot.settings, bot.clock, told, answer_seconds) as telegram:
        front = TelegramFront(bot, telegram, limits)
        application = ApplicationBuilder().bot(telegram).updater(None).job_queue(None).build()
        add_handlers(application, front, alone=True)
        memberships = Memberships(telegram, front.chats, bot.clock, told.lacks)
        application.add_handler(ChatMemberHandler(memberships.hear), MEMBERSHIPS)
        async with application:
            await application.start()
            log.info("telegram.serving bot=%s chats=%s", telegram.username, front.chats.ids)
            operators = _operators(bot.settings)
            front.begin()
            front.beside(set_menus(telegram, front.chats, operators, bot.clock))
            front.beside(memberships.watch())
            take = application.process_update
            way_in = _way_in(bot, telegram, front, take, told, poll_seconds)
            try:
                await way_in.run()
            finally:
                try:
                    await front.close()
                finally:
                    await way_in.close()
                    await application.stop()


def _way_in(
    bot: Bot,
    telegram: ExtBot[None],
    front: TelegramFront,
    take: Take,
    told: FrontReadiness,
    poll_seconds: int,
) -> Poller | Webhook:
    """How updates come."""
    settings, heard = bot.settings, front.heard
    url, secret = settings.telegram_webhook_url, settings.telegram_webhook_secret
    if url is None or secret is None:
        conflicts, say = PollConflicts(random.uniform), front.announce
        return Poller(telegram, bot.clock, take, heard, say, conflicts, told, poll_seconds)
    address = settings.telegram_webhook_address, settings.telegram_webhook_port
    known = secret.get_secret_value()
    return Webhook(telegram, bot.clock, take, heard, str(url), known, address, told)


@asynccontextmanager
async def _reached(
    settings: Settings, clock: Clock, told: FrontReadiness, answer_seconds: float
) -> AsyncIterator[ExtBot[None]]:
    """The account, once Telegram has told who it is; tried until it can be reached."""
    if settings.telegram_token is None:
        raise BadSettings(TOKEN_MISSING)
    telegram = _account(settings, answer_seconds)
    calls, mends = CALL_AGAIN.pauses(), WORK_AGAIN.pauses()
    try:
        while True:
            try:
                await telegram.initialize()
                break
            except InvalidToken:  # the library's words quote the token
                told.faulty(TOKEN_REFUSED)
                pause = next(mends)
            except TelegramError as error:
                pause = next(calls)
                log.warning("telegram.not_reached again_in=%s why=%s", pause, error)
            await clock.sleep(pause)
        yield telegram
    finally:
        with suppress(TelegramError):
            await telegram.shutdown()


def _account(settings: Settings, answer_seconds: float) -> ExtBot[None]:
    root = str(settings.telegram_api_url or "https://api.telegram.org").rstrip("/")
    assert settings.telegram_token is not None  # noqa: S101  (looked at by the caller)
    # Of the environment httpx takes the certificates only: it has a rule of its own for proxies.
    way = {"proxy": proxy(root), "trust_env": False, "verify": certificates()}

    def request(kind: type[HTTPXRequest], connections: int) -> HTTPXRequest:
        return kind(
            connection_pool_size=connections,
            connect_timeout=answer_seconds,
            read_timeout=answer_seconds,
            write_timeout=answer_seconds,
            pool_timeout=answer_seconds,
            httpx_kwargs=way,
        )

    return ExtBot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=request(HTTPXRequest, 32),
        get_updates_request=request(UpdatesRequest, 1),
    )


@cache
def certificates() -> SSLContext:
    """Whom to believe that they are Telegram; read once a process, for it takes long."""
    return create_ssl_context()


def _operators(settings: Settings) -> list[int]:
    users = (account.partition(":") for account in settings.operators)
    return [int(user) for platform, _, user in users if platform == PLATFORM and user.isdecimal()]
