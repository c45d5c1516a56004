"""Things that this process has seen, each forgotten after a time."""

from collections.abc import Hashable

from fleet_control.clock import Clock


class Recent:
    """Remembers each thing for `kept` seconds since it was added last."""

    def __init__(self, clock: Clock, kept: float) -> None:
        self._clock = clock
        self._kept = kept
        self._added: dict[Hashable, float] = {}

    def __contains__(self, name: Hashable) -> bool:
        self._forget()
        return name in self._added

    def __len__(self) -> int:
        self._forget()
        return len(self._added)

    def add(self, name: Hashable) -> bool:
        """Whether it is new."""
        new = name not in self
        self._added[name] = self._clock.monotonic()
        return new

    def discard(self, name: Hashable) -> None:
        self._added.pop(name, None)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._added = {name: at for name, at in self._added.items() if now - at < self._kept}
