"""What lies on a host for its programs, and the forms of what it says of itself.

Paths are below the root folder.
"""

import re
from urllib.parse import urlsplit

INSTANCE = "etc/clawdinator/instance"
REGION = "etc/clawdinator/region"
CONTROL_API_URL = "etc/clawdinator/control-api-url"
CONTROL_TOKEN = "run/agenix/clawdinator-control-token"  # noqa: S105  (a path)
# The host's own clone: as old as its last fetch, so it serves only when the source is away.
REGISTRY = "var/lib/clawd/repos/clawdinators/nix/instances.json"

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def first_line(text: str) -> str:
    """The first that is not blank: a secret may hold its successor in the next."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def is_region(text: str) -> bool:
    return re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", text) is not None


def is_secret(text: str) -> bool:
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def is_private_url(text: str) -> bool:
    """Whether what is sent there, a token among it, crosses no network in the clear."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        return False
