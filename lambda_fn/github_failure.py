"""What GitHub's refusals mean for whoever asked us."""

import json

from lambda_fn.failure import Broken, Code
from lambda_fn.wire import Answer

# GitHub asks for a minute where it names no other time.
_MINUTE = 60
_DAY = 24 * 60 * 60


class Doubtful(Broken):
    """GitHub may have obeyed, or not: it accepted the words and gave no word back."""


def words(answer: Answer) -> str:
    """GitHub's own, where it has any."""
    try:
        said = json.loads(answer.body)
        return str(said["message"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return f"HTTP {answer.status}"


def broken(answer: Answer, said: str, now: float) -> Broken:
    """`said` is GitHub's words, fit to be shown; `now` is Unix seconds."""
    if _limited(answer, said):
        wait = _retry_after(answer, now)
        return Broken(
            Code.GITHUB_BUSY, f"GitHub asks us to wait {wait} s. It says: {said}", retry_after=wait
        )
    if answer.status >= 500:
        return Doubtful(Code.GITHUB_UNREACHABLE, f"GitHub has trouble. It says: {said}")
    hint = _HINTS.get(answer.status, "")
    return Broken(Code.GITHUB_REFUSED, f"GitHub refused. It says: {said}{hint}")


_HINTS = {
    401: " (its token is wrong or has expired: see GITHUB_TOKEN)",
    403: " (its token needs Actions: write and Contents: read)",
    404: " (no such repository, workflow or file, or its token can't see it)",
}


def _limited(answer: Answer, said: str) -> bool:
    if answer.status == 429:
        return True
    return answer.status == 403 and (
        answer.headers.get("x-ratelimit-remaining") == "0"
        or "retry-after" in answer.headers
        or "rate limit" in said.lower()
    )


def _retry_after(answer: Answer, now: float) -> int:
    """Seconds to wait, rounded up, as GitHub names them one way or the other."""
    after = _number(answer.headers.get("retry-after"))
    if after is None and answer.headers.get("x-ratelimit-remaining") == "0":
        reset = _number(answer.headers.get("x-ratelimit-reset"))
        after = None if reset is None else reset - int(now)
    return _MINUTE if after is None else min(max(after, 1), _DAY)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
