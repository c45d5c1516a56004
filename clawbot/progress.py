"""How a deploy goes, read from its run: a pure function of what GitHub shows."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from fleet_control.ledger import Job, Run, seconds

_HOST_JOB = re.compile(
    r"(?P<id>[a-z0-9-]{1,32}): (?P<old>none|ami-[0-9a-f]+) -> (?P<new>ami-[0-9a-f]+)"
)


class Stage(StrEnum):
    """Where a deploy is. UNKNOWN: we lost sight of it and say so."""

    ASKING = "asking"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class HostStage(StrEnum):
    """Where one host of a deploy is."""

    WAITING = "waiting"
    REPLACING = "replacing"
    HEALTHY = "healthy"
    FAILED = "failed"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class HostProgress:
    """One host of a deploy; `old` is its image before, empty where there was no host."""

    id: str
    old: str
    new: str
    stage: HostStage


@dataclass(frozen=True, slots=True)
class Progress:
    """A deploy, as far as it is known.

    Attributes:
        image: the image asked for; empty for the newest.
        ahead: how many deploys wait or run before this one.
        took: seconds from the run's turn to its end.
        step: what was going on when it failed.
        reason: why it failed or what is not known, in a sentence.
        advice: what to do next.
    """

    stage: Stage
    target: str
    image: str = ""
    url: str = ""
    run_id: int | None = None
    ahead: int = 0
    hosts: tuple[HostProgress, ...] = ()
    took: float = 0.0
    step: str = ""
    reason: str = ""
    advice: str = ""


def progress(run: Run, ahead: int = 0) -> Progress:
    """What a run shows. `ahead` counts the deploys before it, for one that waits."""
    known = Progress(
        stage=_stage(run),
        target=run.target,
        image=run.ami_override,
        url=run.url,
        run_id=run.id,
        ahead=ahead,
        hosts=tuple(_host(job, run) for job in run.jobs if _HOST_JOB.fullmatch(job.name)),
        took=_took(run),
    )
    return known if known.stage not in (Stage.FAILED, Stage.CANCELLED) else _ended_badly(known, run)


def _took(run: Run) -> float:
    if not run.finished:
        return 0.0  # a number that moves by itself would be a change to show, each time
    return max(0.0, seconds(run.updated) - seconds(run.started or run.created))


def _stage(run: Run) -> Stage:
    if run.status == "in_progress":
        return Stage.RUNNING
    if not run.finished:
        # queued, pending, waiting, requested: its turn has not come
        return Stage.RUNNING if any(job.started_at for job in run.jobs) else Stage.QUEUED
    if run.conclusion == "success":
        return Stage.DONE
    return Stage.CANCELLED if run.conclusion == "cancelled" else Stage.FAILED


def _host(job: Job, run: Run) -> HostProgress:
    found = _HOST_JOB.fullmatch(job.name)
    if found is None:
        raise ValueError(f"not a host's job: {job.name}")
    old = "" if found["old"] == "none" else found["old"]
    return HostProgress(found["id"], old, found["new"], _host_stage(job, run))


def _host_stage(job: Job, run: Run) -> HostStage:
    if job.status == "completed":
        if job.conclusion == "success":
            return HostStage.HEALTHY
        # A matrix's later jobs end as cancelled when an earlier one fails; they never began.
        begun = any(step.status == "completed" for step in job.steps)
        return HostStage.FAILED if begun else HostStage.UNTOUCHED
    if run.finished:
        return HostStage.UNTOUCHED
    return HostStage.REPLACING if job.status == "in_progress" else HostStage.WAITING


def _ended_badly(known: Progress, run: Run) -> Progress:
    failed = next((job for job in run.jobs if job.conclusion in ("failure", "timed_out")), None)
    at_host = failed is not None and _HOST_JOB.fullmatch(failed.name) is not None
    return replace(
        known,
        step=_step(failed) if failed else "",
        reason=run.reason or _conclusion(run),
        advice=_advice(known, at_host=at_host),
    )


def _step(job: Job) -> str:
    steps = (step.name for step in job.steps if step.conclusion in ("failure", "timed_out"))
    step = next(steps, "")
    return f"{job.name}, {step}" if step else job.name


def _conclusion(run: Run) -> str:
    match run.conclusion:
        case "cancelled":
            return "Somebody cancelled it, or GitHub dropped it from a full queue."
        case "timed_out":
            return "It took longer than its workflow allows."
        case "startup_failure":
            return "GitHub could not start it: the workflow file is not valid."
        case "action_required":
            return "It waits for an approval on GitHub."
        case other:
            return f"GitHub says: {other}."


def _advice(known: Progress, *, at_host: bool) -> str:
    moved = [host for host in known.hosts if host.stage is HostStage.HEALTHY]
    if known.stage is Stage.CANCELLED:
        return "No host was touched." if not known.hosts else "See `/fleet status` for what moved."
    if not at_host and not moved:
        return "No host was touched. Put right what it says, and ask again."
    if not at_host:
        return "See `/fleet status` for what moved, then ask again."
    failed = next((host for host in known.hosts if host.stage is HostStage.FAILED), None)
    if failed is None or not failed.old:
        return "The other hosts run what they ran. See `/fleet status`."
    return (
        "The hosts after it run what they ran. "
        f"To go back: `/fleet deploy {failed.id} {failed.old}`."
    )
