"""The Control API: an event becomes a judged workflow_dispatch. Standard library only.

Here is how it says no: a code from a closed set, and a sentence for people.
"""

from enum import StrEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from fleet_control import policy

DAY = 24 * 60 * 60  # seconds


class Code(StrEnum):
    """Each with its status of HTTP's. The policy's codes are further ones."""

    status: int

    def __new__(cls, code: str, status: int = 403) -> "Self":
        made = str.__new__(cls, code)
        made._value_ = code
        made.status = status
        return made

    BAD_REQUEST = auto(), 400
    UNAUTHORIZED = auto(), 401
    FORGED_CALLER = auto()
    UNKNOWN_CALLER = auto()
    UNPROVEN_CALLER = auto()
    UNKNOWN_RUN = auto(), 404
    METHOD_NOT_ALLOWED = auto(), 405
    BUSY = auto(), 409
    ALREADY_RUNNING = auto(), 409
    TOO_LARGE = auto(), 413
    GITHUB_BUSY = auto(), 429
    MISCONFIGURED = auto(), 500
    INTERNAL = auto(), 500
    GITHUB_REFUSED = auto(), 502
    GITHUB_UNREACHABLE = auto(), 502


class Failure(Exception):
    """Raised wherever a request stops, answered in one place.

    Attributes:
        retry_after: seconds, where somebody named them.
    """

    def __init__(self, code: "Code | policy.Code", error: str, retry_after: int = 0) -> None:
        super().__init__(error)
        self.code = code
        self.status = code.status if isinstance(code, Code) else 403
        self.retry_after = retry_after
