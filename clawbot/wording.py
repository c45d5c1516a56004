"""The plain words of a reply that every platform says alike: no markup, no lines, no colours."""

from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Question
from fleet_control.policy import Condition
from fleet_control.status import FleetStatus, Health, HostState, InstanceStatus, Problem, older

PROBLEMS = {
    Problem.MISSING: "missing",
    Problem.NOT_HEALTHY: "not healthy",
    Problem.TWO_HOSTS: "with two hosts",
    Problem.UNREGISTERED: "not in the registry",
    Problem.WRONG_TYPE: "of the wrong type",
    Problem.OLDER_IMAGE: "on an older image",
}
HOST_STAGES = {
    HostStage.WAITING: "waiting",
    HostStage.REPLACING: "replacing",
    HostStage.HEALTHY: "replaced, healthy",
    HostStage.FAILED: "failed",
    HostStage.UNTOUCHED: "untouched",
}


def host_stage(host: HostProgress) -> str:
    """Where one host of a deploy is; one that was not there before is created, not replaced."""
    if host.stage is HostStage.HEALTHY and not host.old:
        return "created, healthy"
    return HOST_STAGES[host.stage]


def moves(question: Question) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a yes would do, as (`Replaces`, ids) and its like; nothing of what it would not."""
    all_of_it = (
        ("Replaces", question.replaced),
        ("Creates", question.created),
        ("Removes", question.removed),
    )
    return tuple((word, ids) for word, ids in all_of_it if ids)


def counted(status: FleetStatus) -> str:
    """How many instances there are, and how many of them have what: `2 instances, 2 healthy`."""
    count = sum(row.instance is not None for row in status.rows)
    healthy = sum(row.condition is Condition.HEALTHY for row in status.rows)
    replacing = sum(row.replacing for row in status.rows)
    said = [f"{count} instance{'s' if count != 1 else ''}", f"{healthy} healthy"]
    said += [f"{replacing} being replaced"] * bool(replacing)
    said += [f"{n} {PROBLEMS[problem]}" for problem, n in status.counts.items()]
    return ", ".join(said)


def state(row: InstanceStatus) -> str:
    """What an instance's host is doing, in a word."""
    if row.host is None:
        return "replacing" if row.replacing else "missing"
    if row.replacing:
        return "replacing" if row.leaving or row.host.state is HostState.PENDING else "starting"
    if row.host.state is not HostState.RUNNING:
        return row.host.state.value
    return "healthy" if row.host.health is Health.OK else row.host.health.value


def image(row: InstanceStatus, status: FleetStatus) -> str:
    """How a host's image stands to the newest: `newest`, `3 days older`, `not ours`."""
    if row.is_newest:
        return "newest"
    if row.image and status.newest:
        return f"{older(status.newest.created - row.image.created)} older"
    return "not ours"


def stage(seen: Progress) -> str:
    """Where a deploy is, in a line."""
    match seen.stage:
        case Stage.ASKING:
            return "asking … If this has not changed in two minutes, look at the runs first."
        case Stage.QUEUED:
            return f"queued, {seen.ahead} before it" if seen.ahead else "queued"
        case Stage.RUNNING:
            return "replacing" if seen.hosts else "planning"
        case Stage.UNKNOWN:
            return "can't be confirmed"
        case ended:
            return f"{ended} after {took(seen.took)}" if seen.took else str(ended)


def took(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def listed(ids: tuple[str, ...], most: int = 12) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more


def registry_age(status: FleetStatus, now: float) -> str:
    """How old what we know of the registry is, and why; empty when it is fresh."""
    known = status.registry
    if known.fresh:
        return ""
    return f"What I know of the registry is {older(now - known.read_at)} old. {known.trouble}"
