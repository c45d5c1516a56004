"""Rules for how hosts behave, which a test or the demo sets and moto's process obeys."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

# Lies on every host, which never tells it: not even in the last words of a unit that printed it.
SECRET = "the-answer-is-tarragon"  # noqa: S105  (nobody's)
# Where hosts look for their seeds.
BOOTSTRAP_BUCKET = "clawdinator-bootstrap"


class Behaviour(StrEnum):
    """How a host's two units, the agent's and the bot's, behave, and what its health check answers;
    EC2's own checks see none of it.
    """

    WELL = auto()
    AGENT_DIES = auto()
    AGENT_DIES_ONCE = auto()
    BOT_DIES = auto()
    NO_BOT = auto()
    OTHER_REVISION = auto()
    OTHER_NAME = auto()
    GARBAGE = auto()
    FLOOD = auto()
    LATE = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each stretch of a host's life takes, in seconds; none at all, as moto has it.

    Attributes:
        answering: how long a command sent to a host runs there.
        lasting: how long a unit that dies was there; short of the sandbox's steady time.
        late: after how long the SSM agent of a host that is late is there.
    """

    pending: float = 0.0
    initializing: float = 0.0
    shutting_down: float = 0.0
    answering: float = 0.0
    lasting: float = 0.2
    late: float = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Attributes:
        unhealthy: instances whose next host never becomes healthy.
        ways: how each instance's next host lives, where that is not well.
        without_disks: ids of machines whose disks EC2 can't reach.
        retiring: ids of machines that EC2 is about to retire.
        stopped_at: the Unix seconds at which time stands still; None where it goes on.
        blind: access keys to which EC2 shows no host, neither listed nor by its id; `*` is all.
        vcpus: how many may run at once.
        offline: whether hosts reach nobody.
    """

    timing: Timing = Timing()
    unhealthy: tuple[str, ...] = ()
    ways: Mapping[str, Behaviour] = field(default_factory=dict)
    without_disks: tuple[str, ...] = ()
    retiring: tuple[str, ...] = ()
    stopped_at: float | None = None
    blind: tuple[str, ...] = ()
    vcpus: int = 5000
    offline: bool = False

    def now(self) -> float:
        return time.time() if self.stopped_at is None else self.stopped_at
