"""Words of others, made fit to be shown in a chat: no secret, no control character, not long."""

import re
from collections.abc import Iterable

MOST_CHARACTERS = 300

_LOOKS_SECRET = re.compile(r"gh[pousr]_\w{16,}|github_pat_\w{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
# Shorter ones would be found in innocent words.
_SECRET_LENGTH = 8


def shown(text: str, secrets: Iterable[str]) -> str:
    """`text` with `secrets`, and what looks like one, masked, then cut to 300 characters."""
    text = _UNPRINTABLE.sub("", without(text, secrets))
    text = _LOOKS_SECRET.sub("***", text).strip()
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH:
            text = text.replace(secret, "***")
    return text
