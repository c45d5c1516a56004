"""Hosts and images, as one reading of EC2 shows them."""

from dataclasses import dataclass
from enum import StrEnum

from fleet_control.host_answer import HostAnswer


class HostState(StrEnum):
    """EC2's words for a machine's life."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"


class Health(StrEnum):
    """The worst that EC2 says of how a machine is: its status checks and planned events."""

    OK = "ok"
    INITIALIZING = "initializing"
    IMPAIRED = "impaired"
    ENDING = "ending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checks:
    """The status checks of a machine.

    Attributes:
        ill: what is wrong, as a sentence about the host ends; empty where the health says it all.
    """

    health: Health
    ill: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An available image of ours, tagged for the fleet.

    Attributes:
        created: Unix seconds.
        commit: which it was built from, as its tag says; empty where it has none.
        boot: the contract of boot that it speaks, likewise.
    """

    id: str
    name: str
    created: float
    commit: str = ""
    boot: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine as EC2 describes it.

    Attributes:
        name: its `Name` tag, which is the instance's id; empty where it has none.
        launched: Unix seconds.
        address: its public IPv4 address, else the private one, else empty.
        profile: the ARN of its instance profile, or empty.
        revision: the commit that it was launched as, or empty where it has no such tag.
        ending: since when it is on its way out, Unix seconds; None where EC2 does not tell.
        answer: its own last one to a run, or None.
        ill: as in `Checks`.
    """

    id: str
    name: str
    state: HostState
    health: Health
    type: str
    image: str
    launched: float
    address: str = ""
    profile: str = ""
    ending: float | None = None
    revision: str = ""
    answer: HostAnswer | None = None
    ill: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at EC2.

    Attributes:
        images: the newest first.
        taken: Unix seconds.
        unlisted: ids of hosts that EC2 showed only when it was asked for them by id.
        unsure: ids of machines that were known, and that EC2 neither shows nor says to be gone.
    """

    hosts: tuple[Host, ...]
    images: tuple[Image, ...]
    taken: float
    unlisted: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
