"""What GitHub's refusal means for whoever asked us."""

import json
from collections.abc import Callable

from lambda_fn.failure import Code, Failure
from lambda_fn.wire import Answer

# Seconds: what GitHub asks us to wait where it says no other time, and what we wait at the most.
_MINUTE = 60
_DAY = 24 * 60 * 60


def refusal(answer: Answer, shown: Callable[[str], str], now: float) -> Failure:
    """For any answer that is no success; `shown` makes GitHub's words safe to repeat."""
    try:
        said = shown(str(json.loads(answer.body)["message"]))
    except (ValueError, TypeError, LookupError, RecursionError):
        said = f"HTTP {answer.status}"
    wait = _wait(answer, said, now)
    if wait:
        return Failure(Code.GITHUB_BUSY, f"GitHub asks us to wait {wait} s: {said}", wait)
    if answer.status >= 500:
        return Failure(Code.GITHUB_UNREACHABLE, f"GitHub has trouble: {said}")
    # 404 too is what GitHub answers to a token that may not see
    hint = " (is GITHUB_TOKEN right?)" if answer.status in (401, 403, 404) else ""
    return Failure(Code.GITHUB_REFUSED, f"GitHub says: {said}{hint}")


def _wait(answer: Answer, said: str, now: float) -> int:
    """Seconds, as GitHub names them one way or the other, or the minute it asks for otherwise; 0
    where this is no rate limit."""
    after = answer.headers.get("retry-after", "")
    reset = answer.headers.get("x-ratelimit-reset", "")
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    limited = after or spent or "rate limit" in said.lower()
    if answer.status != 429 and not (limited and answer.status == 403):
        return 0
    seconds = _MINUTE
    if after.isdecimal():
        seconds = int(after[:9])
    elif spent and reset.isdecimal():
        seconds = int(reset[:12]) - int(now)
    return min(max(seconds, 1), _DAY)
