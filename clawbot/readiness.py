"""Whether each front was heard from, told to whoever watches the service.

It is ready once each was, or was found away. A front that somebody has to do something about is
not away.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fleet_control.clock import Clock

# A platform that was not heard from for so long is away. The service has longer than that to be
# ready: TimeoutStartSec in nix/modules/clawbot.nix.
AWAY_AFTER_SECONDS = 30.0
LOOK_EVERY_SECONDS = 5.0

# Told True when a front's platform is heard from, False when it can't be reached.
Hears = Callable[[bool], None]


def ignored(_heard: bool) -> None:
    """Where nobody watches."""


@dataclass(slots=True)
class _Front:
    """
    Attributes:
        silent: for how many seconds its platform was not heard from; None while it is.
        fault: what somebody has to do something about, in a sentence.
    """

    silent: float | None = 0.0
    fault: str = ""

    @property
    def is_away(self) -> bool:
        return self.silent is not None and self.silent >= AWAY_AFTER_SECONDS


class Readiness:
    """`tell` takes what systemd is to be notified of, one assignment a line."""

    def __init__(self, fronts: Iterable[str], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._fronts = {name: _Front() for name in fronts}
        self._ready = False
        self._status = ""

    def hears(self, front: str, heard: bool) -> None:
        one = self._fronts[front]
        if heard:
            one.silent, one.fault = None, ""
        elif one.silent is None:
            one.silent = 0.0
        self._say()

    def faulty(self, front: str, why: str) -> None:
        """It can't be served before somebody does what this sentence says."""
        self._fronts[front].fault = " ".join(why.split())
        self._say()

    def passes(self, seconds: float) -> None:
        """So much time went by in which nothing else was told."""
        for one in self._fronts.values():
            if one.silent is not None:
                one.silent += seconds
        self._say()

    def _say(self) -> None:
        """Tell what changed since it was told last: that we are ready, how each front is."""
        fronts = self._fronts.values()
        settled = all(one.silent is None or one.is_away for one in fronts)
        news = []
        if settled and not self._ready and not any(one.fault for one in fronts):
            self._ready = True
            news.append("READY=1")
        status = "; ".join(filter(None, map(self._words, self._fronts)))
        if status != self._status:
            self._status = status
            news.append(f"STATUS={status}")
        if news:
            self._tell("\n".join(news))

    def _words(self, name: str) -> str:
        front = self._fronts[name]
        if front.fault:
            return f"{name}: {front.fault}"
        return f"{name} is away" if front.is_away else ""


@asynccontextmanager
async def watching(
    fronts: Iterable[str], tell: Callable[[str], None], clock: Clock
) -> AsyncIterator[Readiness]:
    """The readiness of these fronts, told of the time that passes while the context is open.

    The seconds are counted and no clock is read, which may be set while a host boots.
    """
    readiness = Readiness(fronts, tell)

    async def watch() -> None:
        while True:
            await clock.sleep(LOOK_EVERY_SECONDS)
            readiness.passes(LOOK_EVERY_SECONDS)

    task = asyncio.ensure_future(watch())
    try:
        yield readiness
    finally:
        task.cancel()
