"""How a deploy goes, read from its run: a pure function of what GitHub shows."""

from collections.abc import Iterator
from dataclasses import replace

from clawbot.progress import HostProgress, HostStage, Progress, Stage
from fleet_control import phrases
from fleet_control.deploy_jobs import EndState, left, ran, reached, remarks, stopped_by
from fleet_control.host_change import HOST_JOB, changes, target
from fleet_control.ledger import Job, Run, person, seconds
from fleet_control.rollback import unreached

_FAILED = ("failure", "timed_out")
_LOOK = "To look at it first: `A host that did not come up` in docs/runbook.md."
_SPARED = (EndState.UNTOUCHED, EndState.UNMOVED)


def progress(run: Run, ahead: int = 0) -> Progress:
    """What a run shows. `ahead` counts the deploys before it, for one that waits."""
    stage = _stage(run)
    began = _began(run)
    hosts = tuple(_hosts(run))
    made_of = None if any(one.revision for one in hosts) else run.made_of
    known = Progress(
        stage=stage,
        target=target(run),
        image_or_commit=run.image_or_commit,
        url=run.url,
        run_id=run.id,
        ahead=ahead if stage is Stage.QUEUED else 0,
        review=run.status == "waiting",
        hosts=hosts,
        made_of=made_of,
        asked=seconds(run.created),
        began=began,
        # While it runs, a number that moves by itself would be a change to show, each time.
        took=max(0.0, _ended(run) - began) if run.finished else 0.0,
        operation=run.operation,
        override=run.override,
        left=tuple(one.id for one in unreached(run)) if run.finished else (),
    )
    if stage is Stage.STOPPED:
        return _stopped(known, run)
    if stage in (Stage.FAILED, Stage.CANCELLED):
        return _ended_badly(known, run)
    return known


def _stage(run: Run) -> Stage:
    if run.finished:
        if run.conclusion == "success":
            return Stage.DONE
        if stopped_by(run.jobs):
            return Stage.STOPPED
        return Stage.CANCELLED if run.conclusion == "cancelled" else Stage.FAILED
    # queued, pending and requested mean that its turn has not come; waiting, that a reviewer has
    # not let it begin, or go on.
    # A job that waits may have a start already; its status tells.
    begun = run.status == "in_progress" or any(_has_begun(job) for job in run.jobs)
    return Stage.RUNNING if begun else Stage.QUEUED


def _has_begun(job: Job) -> bool:
    return job.status in ("in_progress", "completed")


def _began(run: Run) -> float:
    """GitHub's own start of a run is when it was made, however long it then waited: that stands for
    it only once nothing better will come."""
    starts = [seconds(job.started_at) for job in run.jobs if job.started_at and _has_begun(job)]
    return min(starts, default=seconds(run.started or run.created) if run.finished else 0.0)


def _ended(run: Run) -> float:
    ends = [seconds(job.completed_at) for job in run.jobs if job.completed_at]
    return max(ends, default=seconds(run.updated))


def _hosts(run: Run) -> Iterator[HostProgress]:
    jobs = (job for job in run.jobs if HOST_JOB.fullmatch(job.name))
    moves = tuple(changes(run))
    alike = len({one.new_revision for one in moves}) < 2
    stopped = False
    for job, one in zip(jobs, moves, strict=True):
        # Not every runner stops a serial matrix; then the jobs after the first failed one fail
        # too, without touching their hosts.
        stage = HostStage.UNTOUCHED if stopped else _host_stage(job, run)
        if stage is HostStage.FAILED:
            stopped = True
            stage = HostStage.UNTOUCHED if _is_spared(one.id, job, run) else stage
        waits = stage in (HostStage.WAITING, HostStage.UNTOUCHED)
        began = seconds(job.started_at) if job.started_at and not waits else 0.0
        ended = seconds(job.completed_at) if job.completed_at and began else began
        took = max(0.0, ended - began)
        revision = "" if alike else one.new_revision
        yield HostProgress(one.id, one.old, one.new, stage, began, took, remarks(job), revision)


def _host_stage(job: Job, run: Run) -> HostStage:
    if job.finished:
        return HostStage.HEALTHY if job.conclusion == "success" else HostStage.FAILED
    if run.finished:
        return HostStage.UNTOUCHED
    return HostStage.REPLACING if job.status == "in_progress" else HostStage.WAITING


def _is_spared(id_: str, job: Job, run: Run) -> bool:
    """Whether a job that did not end well did not move its host, as the run itself tells; one that
    was cancelled may never have begun."""
    return not reached(job) or left(id_, run.reason) in _SPARED


def _stopped(known: Progress, run: Run) -> Progress:
    by, stages = stopped_by(run.jobs), {one.stage for one in known.hosts}
    advice = _goes_on(run)
    if HostStage.HEALTHY not in stages:
        advice = "No host was touched. Ask again when it may go on."
    elif HostStage.UNTOUCHED not in stages:
        advice = "Every host is done. What left the registry stays until the next deploy of `all`."
    reason = run.reason or f"The roll was stopped by {person(by)}."
    return replace(known, stopped_by=by, reason=reason, advice=advice)


def _goes_on(run: Run) -> str:
    return f"To go on from there: `/fleet resume {run.id}`."


def _ended_badly(known: Progress, run: Run) -> Progress:
    failed = next((job for job in run.jobs if job.conclusion in _FAILED), None)
    return replace(
        known,
        step=_step(failed) if failed else "",
        reason=run.reason or phrases.conclusion(run),
        advice=_advice(known, run),
        last_words=run.last_words,
    )


def _step(job: Job) -> str:
    host = HOST_JOB.fullmatch(job.name)
    name = host["id"] if host else job.name
    step = next((step.name for step in job.steps if step.conclusion in _FAILED), "")
    return f"{name}, {step}" if step else name


def _advice(known: Progress, run: Run) -> str:
    stages = {host.stage for host in known.hosts}
    failed = next((host for host in known.hosts if host.stage is HostStage.FAILED), None)
    if failed:
        advice = _advice_for(failed, left(failed.id, run.reason), ran(run.reason))
        rest = f" For the hosts after it: `/fleet resume {run.id}`." if known.left else ""
        return f"{advice}{rest}"
    if HostStage.HEALTHY in stages and known.left:
        return _goes_on(run)
    if HostStage.HEALTHY in stages:
        return "See `/fleet status` for what moved, then ask again."
    if known.stage is Stage.CANCELLED:
        return "No host was touched. Ask again if it is still wanted."
    return "No host was touched. Ask again once that is put right."


def _advice_for(failed: HostProgress, where: EndState | None, before: str) -> str:
    """What to do about a host by where it is now; only one that runs its new image can go back."""
    again = f"`/fleet deploy {failed.id}`"
    match where:
        case EndState.REPLACED_ILL if failed.old == failed.new and before:
            return f"To go back: `/fleet deploy {failed.id} {before}`. {_LOOK}"
        case EndState.REPLACED_ILL if failed.old == failed.new:
            return (
                "It had this image before. If what was merged since is at fault: "
                f"`/fleet deploy {failed.id} <commit>`, of the revision that it ran before. {_LOOK}"
            )
        case EndState.REPLACED_ILL if failed.old:
            back = f"`/fleet deploy {failed.id} {failed.old}`"
            return f"To go back to its old image: {back}. {_LOOK}"
        case EndState.REPLACED_ILL | EndState.CREATED_ILL:
            return f"See what it says, then {again} again. {_LOOK}"
        case EndState.GONE:
            return f"It has no host: {again} when what it says has changed."
        case _:
            return f"See `/fleet status` for where it is now; {again} replaces it again."
