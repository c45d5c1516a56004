"""Every way the Control API says no: a code from a closed set, and a sentence for people."""

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    SELF_DEPLOY = "self_deploy"
    FORGED_CALLER = "forged_caller"
    UNKNOWN_CALLER = "unknown_caller"
    UNPROVEN_CALLER = "unproven_caller"
    UNKNOWN_RUN = "unknown_run"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BUSY = "busy"
    ALREADY_RUNNING = "already_running"
    TOO_LARGE = "too_large"
    GITHUB_BUSY = "github_busy"
    MISCONFIGURED = "misconfigured"
    INTERNAL = "internal"
    GITHUB_REFUSED = "github_refused"
    GITHUB_UNREACHABLE = "github_unreachable"


STATUS = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.SELF_DEPLOY: 403,
    Code.FORGED_CALLER: 403,
    Code.UNKNOWN_CALLER: 403,
    Code.UNPROVEN_CALLER: 403,
    Code.UNKNOWN_RUN: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.BUSY: 409,
    Code.ALREADY_RUNNING: 409,
    Code.TOO_LARGE: 413,
    Code.GITHUB_BUSY: 429,
    Code.MISCONFIGURED: 500,
    Code.INTERNAL: 500,
    Code.GITHUB_REFUSED: 502,
    Code.GITHUB_UNREACHABLE: 502,
}


class Failure(NamedTuple):
    """`retry_after` is seconds, where somebody named them."""

    code: Code
    error: str
    retry_after: int | None = None


class Broken(Exception):
    """Somebody we depend on failed us; `failure` is what the asker is told."""

    def __init__(self, code: Code, error: str, retry_after: int | None = None) -> None:
        super().__init__(error)
        self.failure = Failure(code, error, retry_after)
