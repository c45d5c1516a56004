"""What a run's jobs say of themselves, for whoever reads it: what began, and what moved no host."""

from collections.abc import Iterable

from fleet_control.ledger import Job

PLAN = "plan"
# Every job of another name is a host's.
_OWN_JOBS = (PLAN, "finish")
_WAITING = ("queued", "pending", "waiting", "requested")
# The one step that moves anything.
MOVING_STEP = "Replace and wait until healthy"


def untouched(id_: str) -> str:
    """How the reason begins where a job stopped before it moved this instance's host."""
    return f"{id_} was not touched: "


def began(job: Job) -> bool:
    """Whether it did anything. A job that is cancelled while it waits has no step that ran."""
    if job.status in _WAITING or job.conclusion == "skipped":
        return False
    if job.conclusion == "cancelled":
        return any(step.conclusion not in (None, "skipped") for step in job.steps)
    return True


def host_jobs(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Those that touched a host, or may have."""
    return tuple(job for job in jobs if job.name not in _OWN_JOBS and began(job))
