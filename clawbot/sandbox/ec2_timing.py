"""The proxy before moto that gives hosts a life: pending, then healthy or not, then slowly gone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from clawbot.sandbox.seed import SeededHost
from fleet_control.clock import Clock


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each stretch of a host's life takes, in seconds."""

    pending: float = 2.0
    initializing: float = 4.0
    shutting_down: float = 3.0


class Ec2Timing:
    """An AWS endpoint: everything but a host's life passes to moto unchanged.

    Attributes:
        counts: how often each EC2 and SSM action was asked, by its name.
        unhealthy: instance ids whose next host never becomes healthy; may be changed any time.
    """

    def __init__(
        self,
        clock: Clock,
        timing: Timing | None = None,
        unhealthy: Iterable[str] = (),
        port: int = 0,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.unhealthy = set(unhealthy)
        self._clock = clock
        self._timing = timing or Timing()
        self._port = port

    async def start(self, upstream: str) -> str:
        """Its URL; `upstream` is moto's."""
        raise NotImplementedError

    def remember(self, hosts: Iterable[SeededHost]) -> None:
        """Take these hosts as healthy since they were launched."""
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError
