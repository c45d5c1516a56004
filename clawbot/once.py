"""What counts once, however often it is delivered or pressed."""

from collections.abc import Hashable

from fleet_control.clock import Clock

# Telegram gives out an update for a day, and so long the ledger's list holds what has ended.
REMEMBERED_SECONDS = 25 * 3600.0


class Once:
    """Remembers for `REMEMBERED_SECONDS` what came first, in this process.

    Across processes the ledger does: a run carries the id of the ask that it was asked for by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[Hashable, tuple[float, str]] = {}

    def first(self, *key: Hashable, as_: str = "") -> bool:
        """Whether this is the first of its key; `as_` is what it is remembered as."""
        if key in self:
            return False
        self._seen[key] = (self._clock.monotonic(), as_)
        return True

    def was(self, *key: Hashable) -> str:
        """What the first of this key was remembered as."""
        return self._seen[key][1] if key in self else ""

    def forget(self, *key: Hashable) -> None:
        """Forget this key, because what it stood for came to nothing: the next one is the first."""
        self._seen.pop(key, None)

    def __contains__(self, key: tuple[Hashable, ...]) -> bool:
        now = self._clock.monotonic()
        self._seen = {
            one: seen for one, seen in self._seen.items() if now - seen[0] < REMEMBERED_SECONDS
        }
        return key in self._seen
