"""The Control API: an event becomes a judged workflow_dispatch. Standard library only.

Here is how it says no: a code from a closed set, and a sentence for people.
"""

from enum import StrEnum, auto

DAY = 24 * 60 * 60  # seconds


class Code(StrEnum):
    BAD_REQUEST = auto()
    UNAUTHORIZED = auto()
    SELF_DEPLOY = auto()
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


# HTTP's, in the order of the codes
_STATUSES = (400, 401, 403, 403, 403, 403, 404, 405, 409, 409, 413, 429, 500, 500, 502, 502)


class Failure(Exception):
    """Raised wherever a request stops, answered in one place.

    Attributes:
        retry_after: seconds, where somebody named them.
    """

    def __init__(self, code: Code, error: str, retry_after: int = 0) -> None:
        super().__init__(error)
        self.code = code
        self.status = dict(zip(Code, _STATUSES, strict=True))[code]
        self.retry_after = retry_after
