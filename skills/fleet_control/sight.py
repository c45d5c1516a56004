"""Since when a run has been out of sight: told by time, however seldom one may look."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fleet_control.clock import Clock

SAY_AFTER_SECONDS = 90


class Sight:
    """Whether a run can be seen, beginning with a moment at which it could."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seen()

    def seen(self) -> None:
        self.why = ""
        self._since = self._clock.monotonic()
        self._time = self._clock.now()
        self._lost = 0.0

    def lost(self, why: str) -> None:
        """A look showed nothing, for a reason in a sentence."""
        if not self.why:
            self._lost = self._clock.monotonic()
        self.why = why

    @property
    def lasted(self) -> int:
        """For how many seconds it has not been seen."""
        return round(self._clock.monotonic() - self._since)

    @property
    def troubled(self) -> float:
        """For how many seconds no look has shown anything, from the first of them."""
        return self._clock.monotonic() - self._lost if self.why else 0.0

    @property
    def trouble(self) -> str:
        """What keeps us from seeing it and since when, once that has lasted; else empty."""
        if not self.why or self.lasted < SAY_AFTER_SECONDS:
            return ""
        since = datetime.fromtimestamp(self._time, UTC).strftime("%H:%M")
        return f"no sight of it since {since} UTC, which does not stop the deploy. {self.why}"

    async def sleep(self, seconds: float, tell: Callable[[], Awaitable[None]]) -> None:
        """Wait that long before the next look; trouble that has lasted by then is told meanwhile,
        by `tell`."""
        left = SAY_AFTER_SECONDS - self.lasted
        if self.why and 0 < left < seconds:
            await self._clock.sleep(left)
            await tell()
            seconds -= left
        await self._clock.sleep(seconds)
