"""Whom a platform's token logs in, by the token's own form."""

import base64
import binascii
import re

_TELEGRAM = re.compile(rb"([0-9]{1,20}):[\w-]+")
_DISCORD = re.compile(rb"([\w-]{16,40})\.[\w-]+\.[\w-]+")


def account(token: bytes) -> bytes:
    """Its account's id, which every token of that account has; of another form the token itself."""
    token = token.strip()
    if telegram := _TELEGRAM.fullmatch(token):
        return telegram[1]
    if discord := _DISCORD.fullmatch(token):
        id_ = _decoded(discord[1])
        return id_ if id_.isdigit() else token
    return token


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error:
        return b""
