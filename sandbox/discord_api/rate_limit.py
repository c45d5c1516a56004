"""Discord's rate limits: a bucket for each route and what it is of, told of in every answer."""

import hashlib
import json
import re
import time
from dataclasses import dataclass, field

from aiohttp import web

_MAJOR = ("channel", "guild", "app", "id", "token")
# Discord's answers come by way of a proxy, and discord.py takes those without one for a ban.
VIA = {"Via": "1.1 sandbox"}


@dataclass(slots=True)
class _Bucket:
    left: int
    renewed: float


@dataclass
class RateLimits:
    """So many calls in so many seconds of each route, by the machine's own clock: it is by that
    one that discord.py waits.

    Attributes:
        limit, seconds: of every bucket. Discord's are about five calls in five seconds.
        refused: how many calls met a bucket that was used up.
    """

    limit: int = 10
    seconds: float = 0.25
    refused: int = 0
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _used_up: list[tuple[str, re.Pattern[str], float]] = field(default_factory=list)

    def use_up(self, method: str, path: str, seconds: float) -> None:
        """Nothing is left of the buckets of such calls, for so long or until `refill`."""
        self._used_up.append((method, re.compile(path), time.monotonic() + seconds))

    def refill(self) -> None:
        self._used_up.clear()
        self._buckets.clear()

    def take(self, request: web.Request) -> tuple[dict[str, str], web.Response | None]:
        """The headers that tell of a call's bucket, and the refusal where that is used up."""
        now = time.monotonic()
        resource = request.match_info.route.resource
        route = f"{request.method} {resource.canonical if resource else ''}"
        major = [request.match_info.get(name, "") for name in _MAJOR]
        bucket = self._buckets.get(" ".join([route, *major]))
        if bucket is None or bucket.renewed <= now:
            bucket = _Bucket(self.limit, now + self.seconds)
            self._buckets[" ".join([route, *major])] = bucket
        until = self._closed_until(request, now)
        if until or not bucket.left:
            self.refused += 1
            after = (until or bucket.renewed) - now
            told = self._told(route, _Bucket(0, now + after), after)
            return told, _refusal(told, after)
        bucket.left -= 1
        return self._told(route, bucket, bucket.renewed - now), None

    def _closed_until(self, request: web.Request, now: float) -> float:
        closed = [
            until
            for method, path, until in self._used_up
            if method == request.method and path.search(request.path) and until > now
        ]
        return max(closed, default=0.0)

    def _told(self, route: str, bucket: _Bucket, after: float) -> dict[str, str]:
        return VIA | {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }


def _refusal(told: dict[str, str], after: float) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": after, "global": False}
    headers = {"Retry-After": f"{after:.0f}", "X-RateLimit-Scope": "user"}
    return web.Response(
        body=json.dumps(body).encode(),
        status=429,
        headers={"Content-Type": "application/json", **told, **headers},
    )
