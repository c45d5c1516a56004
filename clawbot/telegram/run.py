"""An application of our own, for where there is none to extend."""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ExtBot
from telegram.request import HTTPXRequest

from clawbot.bot import Bot
from clawbot.front import Unserved
from clawbot.patience import CALL_AGAIN
from clawbot.readiness import Hears, ignored
from clawbot.settings import Settings
from clawbot.telegram.conflict import PollConflicts
from clawbot.telegram.extension import add_handlers
from clawbot.telegram.front import TelegramFront
from clawbot.telegram.menu import set_menus
from clawbot.telegram.polling import POLL_SECONDS, TOKEN_REFUSED, Poller
from clawbot.telegram.rate_limit import Limits
from clawbot.telegram.speaker import PLATFORM
from clawbot.telegram.updates import UpdatesRequest
from clawbot.telegram.webhook import Webhook
from fleet_control.clock import Clock

_ANSWER_SECONDS = 10.0
TOKEN_MISSING = "CLAWBOT_TELEGRAM_TOKEN is missing: the bot's token, from @BotFather."  # noqa: S105  (words)

Take = Callable[[Update], Awaitable[None]]

log = logging.getLogger(__name__)


async def run(
    bot: Bot,
    hears: Hears = ignored,
    limits: Limits | None = None,
    poll_seconds: int = POLL_SECONDS,
    answer_seconds: float = _ANSWER_SECONDS,
) -> None:
    """Serve until cancelled, then finish what is in flight; Unserved where it can't be served.

    `answer_seconds` is how long Telegram may take to answer one call.
    """
    # It logs every address it asks, and the token is part of each.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with _reached(bot.settings, bot.clock, answer_seconds) as telegram:
        front = TelegramFront(bot, telegram, limits)
        application = ApplicationBuilder().bot(telegram).updater(None).job_queue(None).build()
        add_handlers(application, front)
        async with application:
            await application.start()
            log.info("telegram.serving bot=@%s chats=%s", telegram.username, front.chats.ids)
            operators = _operators(bot.settings)
            front.beside(front.resume())
            front.beside(set_menus(telegram, front.chats, operators, bot.clock))
            take = application.process_update
            way_in = _way_in(bot, telegram, front, take, hears, poll_seconds)
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
    hears: Hears,
    poll_seconds: int,
) -> Poller | Webhook:
    """How updates come."""
    settings = bot.settings
    url, secret = settings.telegram_webhook_url, settings.telegram_webhook_secret
    if url is None or secret is None:
        conflicts, say = PollConflicts(random.uniform), front.announce
        heard = front.heard
        return Poller(telegram, bot.clock, take, heard, say, conflicts, poll_seconds, hears)
    port = settings.telegram_webhook_port
    return Webhook(telegram, take, front.heard, str(url), secret.get_secret_value(), port, hears)


@asynccontextmanager
async def _reached(
    settings: Settings, clock: Clock, answer_seconds: float
) -> AsyncIterator[ExtBot[None]]:
    """The account, once Telegram has told who it is; tried until it can be reached."""
    if settings.telegram_token is None:
        raise Unserved(TOKEN_MISSING)
    telegram = _account(settings, answer_seconds)
    try:
        for pause in CALL_AGAIN.pauses():
            try:
                await telegram.initialize()
                break
            except InvalidToken:
                raise Unserved(TOKEN_REFUSED) from None  # the library's words quote the token
            except TelegramError as error:
                log.warning("telegram.not_reached again_in=%s why=%s", pause, error)
            await clock.sleep(pause)
        yield telegram
    finally:
        with suppress(TelegramError):
            await telegram.shutdown()


def _account(settings: Settings, answer_seconds: float) -> ExtBot[None]:
    root = str(settings.telegram_api_url or "https://api.telegram.org").rstrip("/")
    assert settings.telegram_token is not None  # noqa: S101  (looked at by the caller)

    def request(kind: type[HTTPXRequest], connections: int) -> HTTPXRequest:
        return kind(
            connection_pool_size=connections,
            connect_timeout=answer_seconds,
            read_timeout=answer_seconds,
            write_timeout=answer_seconds,
            pool_timeout=answer_seconds,
        )

    return ExtBot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=request(HTTPXRequest, 32),
        get_updates_request=request(UpdatesRequest, 1),
    )


def _operators(settings: Settings) -> list[int]:
    users = (account.partition(":") for account in settings.operators)
    return [int(user) for platform, _, user in users if platform == PLATFORM and user.isdecimal()]
