"""Names that were seen a while ago, and for no longer than they matter."""

from fleet_control.clock import Clock


class Recent:
    """Remembers each name for `kept` seconds since it was added last."""

    def __init__(self, clock: Clock, kept: float) -> None:
        self._clock = clock
        self._kept = kept
        self._added: dict[str, float] = {}

    def __contains__(self, name: str) -> bool:
        self._forget()
        return name in self._added

    def __len__(self) -> int:
        self._forget()
        return len(self._added)

    def add(self, name: str) -> None:
        self._forget()
        self._added[name] = self._clock.now()

    def discard(self, name: str) -> None:
        self._added.pop(name, None)

    def _forget(self) -> None:
        now = self._clock.now()
        self._added = {name: at for name, at in self._added.items() if now - at < self._kept}
