"""How a REST call is answered: as asked for, refused, or as a test injected."""

import json
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

# The status of an injected answer that never comes.
DROPPED = 0


class DiscordRefusal(Exception):
    """An error answer of Discord's: an HTTP status, and the code of its own list."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Injected:
    """An answer given instead of the real one, once.

    Attributes:
        status: `DROPPED` where the connection breaks instead.
        taken: whether what was asked is done all the same.
    """

    method: str
    path: re.Pattern[str]
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    taken: bool = False


def answered(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    # discord.py compares the content type with `application/json`, character by character.
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def dropped(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
