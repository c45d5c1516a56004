"""Takes out of texts what may not leave: secrets, what looks like one, control characters."""

import json
import re
from collections.abc import Iterable

_LIKE_A_KEY = r"\b(?:gh\w_|github_pat_|AKIA|ASIA)\w{16,}"
_ROOM = 300
_COLOUR = r"\x1b\[[0-9;]*m"


def shown(text: str) -> str:
    """Words of others, made fit for a chat: nothing like a secret, one line, 300 characters.

    What is cut ends with an ellipsis, and with a whole word unless that one is most of it.
    """
    text = "".join(filter(str.isprintable, re.sub(_COLOUR, "", text)))
    text = re.sub(_LIKE_A_KEY, "***", text)
    if len(text) <= _ROOM:
        return text
    some = text[: _ROOM - 1]
    words = some.rpartition(" ")[0]
    return f"{words if len(words) > _ROOM // 2 else some}…"


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` without these, as they are or as JSON writes them."""
    for secret in secrets:
        if len(secret) >= 8:  # a shorter one would be found in innocent words
            for form in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(form, "***")
    return text
