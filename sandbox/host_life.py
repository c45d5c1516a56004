"""A host's life as EC2 would show it: moto's hosts are there at once and gone at once."""

from dataclasses import dataclass, replace

PENDING, RUNNING = "pending", "running"
SHUTTING_DOWN, TERMINATED = "shutting-down", "terminated"
CODES = {
    PENDING: 0,
    RUNNING: 16,
    SHUTTING_DOWN: 32,
    TERMINATED: 48,
    "stopping": 64,
    "stopped": 80,
}
OK, INITIALIZING, IMPAIRED, NOT_APPLICABLE = "ok", "initializing", "impaired", "not-applicable"

# For so long EC2 still shows what was terminated.
_SHOWN_AFTER_END_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each stretch of a host's life takes, in seconds.

    Attributes:
        answering: how long a command sent to a host runs there.
    """

    pending: float = 2.0
    initializing: float = 4.0
    shutting_down: float = 3.0
    answering: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of one host.

    Attributes:
        launched: Unix seconds; None where it was there before anybody looked, long healthy.
        well: whether it will become healthy.
        ended: when it was terminated.
    """

    launched: float | None = None
    well: bool = True
    ended: float | None = None


class Lives:
    """Every host whose life is not just what moto says, by its id."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self._by_id: dict[str, Life] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def begin(self, id_: str, now: float, *, well: bool) -> None:
        self._by_id[id_] = Life(now, well)

    def end(self, id_: str, now: float) -> None:
        life = self.of(id_)
        if life.ended is None:
            self._by_id[id_] = replace(life, ended=now)

    def of(self, id_: str) -> Life:
        return self._by_id.get(id_, Life())

    def state(self, id_: str, real: str, now: float) -> str:
        """What EC2 would say, where moto says `real`."""
        life = self.of(id_)
        if life.ended is not None:
            gone = now >= life.ended + self.timing.shutting_down
            return TERMINATED if gone else SHUTTING_DOWN
        if real == RUNNING and life.launched is not None:
            return PENDING if now < life.launched + self.timing.pending else RUNNING
        return real

    def checks(self, id_: str, real: str, now: float) -> str:
        """What the host's own status check would say."""
        life = self.of(id_)
        if self.state(id_, real, now) != RUNNING:
            return NOT_APPLICABLE
        if life.launched is None:
            return OK
        if now < life.launched + self.timing.pending + self.timing.initializing:
            return INITIALIZING
        return OK if life.well else IMPAIRED

    def forgotten(self, id_: str, now: float) -> bool:
        """Whether EC2 would not show it any more."""
        ended = self.of(id_).ended
        return (
            ended is not None
            and now >= ended + self.timing.shutting_down + _SHOWN_AFTER_END_SECONDS
        )
