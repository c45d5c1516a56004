"""Indicators made of characters: a coloured light for an instance or host, a deploy's bar."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from clawbot.progress import HostProgress, HostStage, Progress, Stage
from fleet_control import phrases
from fleet_control.fault import GRAVE
from fleet_control.status import InstanceStatus

HOSTS_BY_NAME = 12
MOVING_SHOWN = 6
HOSTS = {
    HostStage.WAITING: "⚪",
    HostStage.REPLACING: "🔵",
    HostStage.HEALTHY: "🟢",
    HostStage.FAILED: "🔴",
    HostStage.UNTOUCHED: "⚪",
}
# Of a run, by its stage or by the history's word for it, which are the same words.
RUNS: Mapping[str, str] = {
    Stage.ASKING: "🔵",
    Stage.QUEUED: "🔵",
    Stage.RUNNING: "🔵",
    Stage.DONE: "🟢",
    Stage.FAILED: "🔴",
    Stage.CANCELLED: "⚪",
    Stage.STOPPED: "⚪",
    Stage.UNKNOWN: "🟡",
}


def light(row: InstanceStatus) -> str:
    """The coloured light of one instance: red, blue, yellow or green."""
    if row.worst in GRAVE:
        return "🔴"
    if row.replacing:
        return "🔵"
    return "🟡" if row.faults else "🟢"


def hosts_in(seen: Progress, width: int, told: Callable[[HostProgress], str]) -> Iterator[str]:
    """A deploy's hosts as `told`, of several below how far it is; of too many to name, those that
    move."""
    hosts = seen.hosts
    if len(hosts) > 1:
        yield bar(hosts, width)
    if len(hosts) > HOSTS_BY_NAME:
        stages = (HostStage.REPLACING, HostStage.FAILED)
        hosts = tuple(host for host in hosts if host.stage in stages)[:MOVING_SHOWN]
    yield from map(told, hosts)


def bar(hosts: Sequence[HostProgress], width: int) -> str:
    """How far a deploy is; a mark a host, where no more than `width` are needed for that."""
    done = sum(host.stage is HostStage.HEALTHY for host in hosts)
    return phrases.bar(done, len(hosts), width)
