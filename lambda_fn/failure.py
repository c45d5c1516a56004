"""How the Control API says no: a code from a closed set, and a sentence for people."""

from enum import StrEnum, auto

from fleet_control import policy


class ErrorCode(StrEnum):
    """The policy's are further ones; `busy` and `unknown_caller` are of both."""

    BAD_REQUEST = auto()
    UNAUTHORIZED = auto()
    FORGED_CALLER = auto()
    UNKNOWN_CALLER = auto()
    UNPROVEN_CALLER = auto()
    UNKNOWN_RUN = auto()
    METHOD_NOT_ALLOWED = auto()
    BUSY = auto()
    ALREADY_RUNNING = auto()
    TOO_LARGE = auto()
    GITHUB_BUSY = auto()
    MISCONFIGURED = auto()
    INTERNAL = auto()
    GITHUB_REFUSED = auto()
    GITHUB_UNREACHABLE = auto()
    TABLE_UNREACHABLE = auto()


# HTTP's; a code that is not here, of ours or the policy's, is 403.
_STATUS: dict[str, int] = {
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.UNKNOWN_RUN: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.BUSY: 409,
    policy.RefusalCode.QUEUE_FULL: 409,
    ErrorCode.ALREADY_RUNNING: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.GITHUB_BUSY: 429,
    ErrorCode.MISCONFIGURED: 500,
    ErrorCode.INTERNAL: 500,
    ErrorCode.GITHUB_REFUSED: 502,
    ErrorCode.GITHUB_UNREACHABLE: 502,
    ErrorCode.TABLE_UNREACHABLE: 502,
}


class Failure(Exception):
    """Raised wherever a request stops, answered in one place.

    Attributes:
        retry_after: seconds, where somebody named them.
    """

    def __init__(
        self, code: ErrorCode | policy.RefusalCode, error: str, retry_after: int = 0
    ) -> None:
        super().__init__(error)
        self.code = code
        self.status = _STATUS.get(code, 403)
        self.retry_after = retry_after


def let_by(verdict: policy.Verdict) -> None:
    """Raise what the policy refuses."""
    match verdict:
        case policy.Allowed():
            return
        case policy.Refused(code, message):
            raise Failure(code, message)
        case _:
            raise Failure(ErrorCode.BAD_REQUEST, "`target` is missing.")
