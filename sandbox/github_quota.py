"""GitHub's hourly rate limit by token, and ETags: a 304 where nothing has changed."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from fleet_control.clock import Clock

HOUR = 3600


@dataclass
class HourlyQuota:
    """Calls of an hour by each token; those answered with a 304 don't count.

    Attributes:
        counted: how many were counted since the start, by token.
    """

    clock: Clock
    limit: int = 5000
    counted: Counter[str] = field(default_factory=Counter)
    _hours: dict[str, tuple[float, int]] = field(default_factory=dict)

    def spent(self, token: str) -> web.Response | None:
        """GitHub's refusal where the hour's calls are used up."""
        if self._hour(token)[1] < self.limit:
            return None
        said = web.json_response({"message": "API rate limit exceeded"}, status=403)
        said.headers.update(self.headers(token))
        return said

    def count(self, token: str) -> None:
        reset, used = self._hour(token)
        self._hours[token] = (reset, used + 1)
        self.counted[token] += 1

    def headers(self, token: str) -> Mapping[str, str]:
        reset, used = self._hour(token)
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.limit - used),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(int(reset)),
        }

    def _hour(self, token: str) -> tuple[float, int]:
        """When this token's hour ends, and how many it has used of it."""
        now = self.clock.now()
        reset, used = self._hours.get(token, (0.0, 0))
        return (reset, used) if now < reset else (now + HOUR, 0)


def marked(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """The answer with an ETag, or a 304 where the asker has that content already."""
    body = answer.body if isinstance(answer, web.Response) else None
    if request.method != "GET" or answer.status != 200 or not isinstance(body, bytes):
        return answer
    mark = f'W/"{hashlib.sha256(body).hexdigest()}"'
    if request.headers.get("If-None-Match") == mark:
        return web.Response(status=304, headers={"ETag": mark})
    answer.headers["ETag"] = mark
    return answer
