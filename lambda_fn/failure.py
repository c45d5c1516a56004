"""The errors of the Control API: a code from a closed set, and a sentence for people."""

from enum import StrEnum, auto

from fleet_control import policy


class Code(StrEnum):
    """The API's own codes, beside the policy's; `busy` and `unknown_caller` are of both."""

    BAD_REQUEST = auto()
    UNAUTHORIZED = auto()
    FORGED_CALLER = auto()
    UNKNOWN_CALLER = auto()
    UNPROVEN_CALLER = auto()
    UNKNOWN_RUN = auto()
    METHOD_NOT_ALLOWED = auto()
    BUSY = auto()
    ALREADY_RUNNING = auto()
    NOTHING_RUNS = auto()
    AT_ITS_LAST = auto()
    TOO_LARGE = auto()
    GITHUB_BUSY = auto()
    ASKED_TOO_OFTEN = auto()
    MISCONFIGURED = auto()
    INTERNAL = auto()
    GITHUB_REFUSED = auto()
    GITHUB_UNREACHABLE = auto()
    TABLE_UNREACHABLE = auto()


# HTTP's; a code that is not here, of ours or the policy's, is 403.
_STATUS: dict[str, int] = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.UNKNOWN_RUN: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.BUSY: 409,
    policy.RefusalCode.QUEUE_FULL: 409,
    policy.RefusalCode.FROZEN: 409,
    Code.ALREADY_RUNNING: 409,
    Code.NOTHING_RUNS: 409,
    Code.AT_ITS_LAST: 409,
    Code.TOO_LARGE: 413,
    Code.GITHUB_BUSY: 429,
    Code.MISCONFIGURED: 500,
    Code.INTERNAL: 500,
    Code.GITHUB_REFUSED: 502,
    Code.GITHUB_UNREACHABLE: 502,
    Code.TABLE_UNREACHABLE: 502,
    # No 429: a bot of before takes that for one that knows no such note, and drops it.
    Code.ASKED_TOO_OFTEN: 503,
}


class Failure(Exception):
    """An error that ends a request; the handler makes the answer of it.

    Attributes:
        retry_after: seconds, where somebody named them.
    """

    def __init__(self, code: Code | policy.RefusalCode, error: str, retry_after: int = 0) -> None:
        super().__init__(error)
        self.code = code
        self.status = _STATUS.get(code, 403)
        self.retry_after = retry_after


def raise_refusal(verdict: policy.Verdict) -> None:
    """Raise the failure that a refusing verdict means."""
    match verdict:
        case policy.Allowed():
            return
        case policy.Refused(code, message):
            raise Failure(code, message)
        case _:
            raise Failure(Code.BAD_REQUEST, "`target` is missing.")
