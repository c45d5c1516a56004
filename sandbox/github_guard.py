"""What GitHub's API looks at before anything else: trouble, the version asked for, the token."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from fleet_control.clock import Clock

NEW_API = "2026-03-10"
OLD_API = "2022-11-28"
_LIMIT = 5000
_HOUR = 3600
# What the Lambda's token may.
_LAMBDA = {"actions": "write", "contents": "read"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def said(message: str, status: int) -> web.Response:
    """A refusal in GitHub's form."""
    body = {
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(status),
    }
    return web.json_response(body, status=status)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to give once instead of the right one; `body` is JSON, unless it is bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def response(self) -> web.Response:
        if isinstance(self.body, bytes):
            return web.Response(status=self.status, headers=self.headers, body=self.body)
        body = {"message": "Trouble on demand"} if self.body is None else self.body
        return web.json_response(body, status=self.status, headers=self.headers)


def primary_limit(now: float, wait: float) -> Refusal:
    """The hourly limit is used up; it is lifted in `wait` seconds."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now + wait))}
    return Refusal(403, headers, {"message": "API rate limit exceeded for user ID 41898282."})


def secondary_limit(wait: float) -> Refusal:
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    return Refusal(403, {"Retry-After": str(int(wait))}, {"message": message})


class Guard:
    """`token` is the Lambda's; `job_tokens` those of the jobs that run now, with their rights."""

    def __init__(
        self, token: str, job_tokens: Mapping[str, Mapping[str, str]], clock: Clock
    ) -> None:
        self.refusals: deque[Refusal] = deque()
        self._token = token
        self._job_tokens = job_tokens
        self._clock = clock
        self._used = 0

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's answer, or a refusal; with the headers that GitHub always sends."""
        self._used += 1
        if self.refusals:
            response: web.StreamResponse = self.refusals.popleft().response()
        else:
            response = self._refused(request) or await handler(request)
        for name, value in self._headers(request).items():
            response.headers.setdefault(name, value)
        return response

    def _refused(self, request: web.Request) -> web.Response | None:
        version = request.headers.get("X-GitHub-Api-Version", OLD_API)
        if version not in (OLD_API, NEW_API):
            return said(f"{version} is not a supported API version", 400)
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            return said("Requires authentication", 401)
        rights = _LAMBDA if token == self._token else self._job_tokens.get(token)
        if rights is None:
            return said("Bad credentials", 401)
        if not _may(rights, request):
            kind = "personal access token" if token == self._token else "integration"
            return said(f"Resource not accessible by {kind}", 403)
        return None

    def _headers(self, request: web.Request) -> Mapping[str, str]:
        now = int(self._clock.now())
        return CIMultiDict(
            {
                "X-GitHub-Api-Version-Selected": request.headers.get(
                    "X-GitHub-Api-Version", OLD_API
                ),
                "X-GitHub-Request-Id": f"C1A3:{self._used:06X}",
                "X-RateLimit-Limit": str(_LIMIT),
                "X-RateLimit-Remaining": str(max(0, _LIMIT - self._used)),
                "X-RateLimit-Reset": str(now - now % _HOUR + _HOUR),
                "X-RateLimit-Resource": "core",
                "X-RateLimit-Used": str(self._used),
            }
        )


def _may(rights: Mapping[str, str], request: web.Request) -> bool:
    needed = "contents" if "/contents/" in request.path else "actions"
    level = "read" if request.method == "GET" else "write"
    return rights.get(needed) in (level, "write")
