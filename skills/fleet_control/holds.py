"""What holds the fleet, as the Control API tells it: a freeze, and the lock on the state."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from fleet_control.clock import Clock
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.freeze import Freeze

KEPT_SECONDS = 10.0
# A status and a verdict wait for it no longer; the Control API looks again before it dispatches.
WITHIN_SECONDS = 3.0
# What an API says that is older than we are: it has no such action.
UNKNOWN_ACTION = "bad_request"
OLDER_API = "The Control API is older than I am: it knows no freeze."

log = logging.getLogger(__name__)


class HeldLock(NamedTuple):
    """The lock on the state; times are Unix seconds.

    Attributes:
        who: ``user@machine``.
        created: None where its holder did not say.
        run, job: which job of a deploy took it; None where no one is known to have.
        breakable: from when on a deploy breaks it by itself; None for never.
    """

    id: str
    who: str
    created: float | None = None
    run: int | None = None
    job: str | None = None
    breakable: float | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """What holds the fleet.

    Attributes:
        lock: None where there is none, or where it is not seen.
        lock_seen: whether the Control API can see the lock at all.
        unseen: why nothing can be seen, in a sentence; then nothing else says anything.
    """

    freeze: Freeze | None = None
    lock: HeldLock | None = None
    lock_seen: bool = False
    unseen: str = ""


class HoldsSource:
    """Asks `fetch` for it, once for however many ask at the same moment; it never raises."""

    def __init__(self, fetch: Callable[[], Awaitable[Holds]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: tuple[float, Holds] | None = None
        self._under_way: asyncio.Task[Holds] | None = None

    async def get(self, kept: float = KEPT_SECONDS) -> Holds:
        """At most so many seconds old."""
        if self._known and self._clock.monotonic() - self._known[0] < kept:
            return self._known[1]
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._read())
        # Shielded: one asker who leaves must not take the read from the others.
        return await asyncio.shield(self._under_way)

    def forget(self) -> None:
        """It has changed."""
        self._known = self._under_way = None

    async def _read(self) -> Holds:
        holds = await self._seen()
        if holds.unseen:
            log.warning("fleet.holds_unseen why=%s", holds.unseen)
        self._known = self._clock.monotonic(), holds
        return holds

    async def _seen(self) -> Holds:
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                return await self._fetch()
        except TimeoutError:
            return Holds(unseen="The Control API did not answer in time.")
        except ControlApiRefused as error:
            return Holds(unseen=OLDER_API if error.code == UNKNOWN_ACTION else str(error))
        except ControlApiError as error:
            return Holds(unseen=str(error))
