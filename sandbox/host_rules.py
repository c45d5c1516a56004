"""How hosts live: said from outside, obeyed in moto's process."""

import time
from dataclasses import dataclass

# How long the agent lasts on a host where it keeps dying: less than the sandbox's steady time.
CRASHES_AFTER_SECONDS = 0.2
# Where hosts look for their seeds.
BOOTSTRAP_BUCKET = "clawdinator-bootstrap"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each stretch of a host's life takes, in seconds; none at all, as moto has it.

    Attributes:
        answering: how long a command sent to a host runs there.
    """

    pending: float = 0.0
    initializing: float = 0.0
    shutting_down: float = 0.0
    answering: float = 0.0


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Attributes:
        unhealthy: instances whose next host never becomes healthy.
        crashing: instances on whose next host the agent keeps dying.
        without_disks: ids of machines whose disks EC2 can't reach.
        retiring: ids of machines that EC2 is about to retire.
        stopped_at: the Unix seconds at which time stands still; None where it goes on.
        blind: access keys to which EC2 shows no host, neither listed nor by its id; `*` is all.
        vcpus: how many may run at once.
        offline: whether hosts reach nobody.
    """

    timing: Timing = Timing()
    unhealthy: tuple[str, ...] = ()
    crashing: tuple[str, ...] = ()
    without_disks: tuple[str, ...] = ()
    retiring: tuple[str, ...] = ()
    stopped_at: float | None = None
    blind: tuple[str, ...] = ()
    vcpus: int = 5000
    offline: bool = False

    def now(self) -> float:
        return time.time() if self.stopped_at is None else self.stopped_at
