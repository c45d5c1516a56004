"""The mark on a button that only this bot can have made.

The key comes from the chat key's secret, which no agent can read: whoever has the bot's token can
send and change its messages, and still makes no button that counts.
"""

import base64
import hashlib
import hmac
import unicodedata

LENGTH = 8
_PURPOSE = b"clawbot button"


class Seal:
    """Makes and checks 8-character marks (48 bits, URL-safe) over a sequence of texts."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)

    def mark(self, *parts: str) -> str:
        # Each part goes in with its length, so that no two sequences of parts read alike.
        spelled = "".join(f"{len(part)}:{part}" for part in parts)
        digest = hmac.digest(self._key, spelled.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode()[:LENGTH]

    def holds(self, mark: str, *parts: str) -> bool:
        return mark.isascii() and hmac.compare_digest(mark, self.mark(*parts))


def legible(*texts: str) -> str:
    """The letters, digits and signs of what people read: a platform may tidy everything else."""
    spelled = unicodedata.normalize("NFKD", "".join(texts))
    return "".join(letter for letter in spelled if unicodedata.category(letter)[0] in "LNPS")
