"""Where discord.py finds Discord."""

from collections.abc import Iterator
from contextlib import contextmanager

import discord
import yarl


@contextmanager
def pointed_at(url: str) -> Iterator[None]:
    """Have discord.py speak to this address, in this whole process, while the block lasts."""
    socket = discord.gateway.DiscordWebSocket
    before = discord.http.Route.BASE, socket.DEFAULT_GATEWAY
    discord.http.Route.BASE = f"{url}/api/v10"
    socket.DEFAULT_GATEWAY = yarl.URL(f"{url.replace('http', 'ws')}/gateway/")
    try:
        yield
    finally:
        discord.http.Route.BASE, socket.DEFAULT_GATEWAY = before
