"""Whether each front was heard from, told to whoever watches the service.

It is ready once each was, or was found away. A front that somebody has to do something about is
not away.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fleet_control.clock import Clock

# A platform that was not heard from for so long is away. The service has longer than that to be
# ready: TimeoutStartSec in nix/modules/clawbot.nix.
AWAY_AFTER_SECONDS = 30.0
LOOK_EVERY_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrontReadiness:
    """What one front tells of itself.

    Attributes:
        hears: True when its platform is heard from, False when it can't be reached.
        faulty: why it can't be served before somebody does what this sentence says; that is over
            once the platform is heard from.
        lacks: what is missing while the rest is served, in such a sentence; empty once it is over.
    """

    hears: Callable[[bool], None]
    faulty: Callable[[str], None]
    lacks: Callable[[str], None]


@dataclass(slots=True)
class _Front:
    """How one platform is served, as systemd is told.

    Attributes:
        silent: for how many seconds its platform was not heard from; None while it is.
        fault, lack: what somebody has to do something about, in a sentence.
    """

    silent: float | None = 0.0
    fault: str = ""
    lack: str = ""

    @property
    def is_away(self) -> bool:
        return self.silent is not None and self.silent >= AWAY_AFTER_SECONDS


class Readiness:
    """`tell` takes what systemd is to be notified of, one assignment a line.

    What is told again changes nothing, and is logged once.
    """

    def __init__(self, fronts: Iterable[str], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._fronts = {name: _Front() for name in fronts}
        self._ready = False
        self._status = ""

    def of(self, front: str) -> FrontReadiness:
        return FrontReadiness(
            partial(self.hears, front), partial(self.faulty, front), partial(self.lacks, front)
        )

    def hears(self, front: str, heard: bool) -> None:
        one = self._fronts[front]
        if heard:
            _log_mended(front, one.fault, "")
            one.silent, one.fault = None, ""
        elif one.silent is None:
            one.silent = 0.0
        self._say()

    def faulty(self, front: str, why: str) -> None:
        one, why = self._fronts[front], " ".join(why.split())
        if why and why != one.fault:
            log.error("clawbot.front_down front=%s said=%s", front, why)
        _log_mended(front, one.fault, why)
        one.fault = why
        self._say()

    def lacks(self, front: str, what: str) -> None:
        one, what = self._fronts[front], " ".join(what.split())
        if what and what != one.lack:
            log.error("clawbot.front_lacks front=%s said=%s", front, what)
        _log_mended(front, one.lack, what)
        one.lack = what
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

    def fault(self, name: str) -> str:
        """Why a front can't be served, in a sentence that says what to do; or nothing."""
        return self._fronts[name].fault

    def _words(self, name: str) -> str:
        front = self._fronts[name]
        if front.fault:
            return f"{name}: {front.fault}"
        if front.is_away:
            return f"{name} is away"
        return f"{name}: {front.lack}" if front.lack else ""


def _log_mended(front: str, before: str, now: str) -> None:
    if before and not now:
        log.info("clawbot.front_mended front=%s was=%s", front, before)


def unwatched(front: str) -> FrontReadiness:
    """Of a front that nobody but the log watches."""
    return Readiness([front], lambda _: None).of(front)


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
