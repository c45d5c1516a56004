"""The library's bot by itself, at a Bot API on loopback."""

from telegram import Bot
from telegram.request import HTTPXRequest

from clawbot.telegram.run import certificates


def library_bot(token: str, url: str) -> Bot:
    """It reads no certificates of its own, as it would for each of its two clients."""
    verify = {"verify": certificates()}
    requests = (HTTPXRequest(connection_pool_size=size, httpx_kwargs=verify) for size in (256, 1))
    return Bot(token, f"{url}/bot", request=next(requests), get_updates_request=next(requests))
