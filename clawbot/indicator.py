"""What shows at a glance how things are, where a chat has no more than characters: lights, bars."""

from collections.abc import Sequence

from clawbot.progress import HostProgress, HostStage
from fleet_control.status import InstanceStatus, Problem

GRAVE = (Problem.MISSING, Problem.NOT_HEALTHY, Problem.TWO_HOSTS)
MOVING_SHOWN = 6
HOSTS = {
    HostStage.WAITING: "⚪",
    HostStage.REPLACING: "🔵",
    HostStage.HEALTHY: "🟢",
    HostStage.FAILED: "🔴",
    HostStage.UNTOUCHED: "⚪",
}


def light(row: InstanceStatus) -> str:
    """An instance's."""
    if row.worst in GRAVE:
        return "🔴"
    if row.replacing:
        return "🔵"
    return "🟡" if row.faults else "🟢"


def bar(hosts: Sequence[HostProgress], width: int) -> str:
    """How far a deploy is, with the number beside it."""
    healthy = sum(host.stage is HostStage.HEALTHY for host in hosts)
    full = healthy * width // len(hosts)
    return f"{'▰' * full}{'▱' * (width - full)} {healthy} of {len(hosts)} replaced, healthy"


def moving(hosts: Sequence[HostProgress]) -> list[HostProgress]:
    """Of too many to name, those that something is happening to."""
    stages = (HostStage.REPLACING, HostStage.FAILED)
    return [host for host in hosts if host.stage in stages][:MOVING_SHOWN]
