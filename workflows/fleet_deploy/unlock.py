"""The operation `unlock`: break the one lock on the state that was asked for, and nothing else."""

from collections.abc import Iterable

from fleet_control.ledger import Run
from fleet_control.policy import may_operate
from workflows.fleet_deploy import inputs, lost_lock, runner
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.other_runs import Jobs
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped


def run(job: JobContext, runs: Iterable[Run], jobs: Jobs) -> tuple[Annotation, ...]:
    """Break it; Stopped where this caller may not, where it is another's, or at work.

    No job comes after this one: the roll is empty.
    """
    if refused := may_operate(inputs.speaker(job.asked, job.starter, job.registry)):
        raise Stopped(f"Refused ({refused.code})", refused.message)
    job.engine.init()
    try:
        held = lost_lock.look(job, runs, jobs)
    except Stopped as stop:
        raise _untouched(stop.title, str(stop)) from stop
    if held is None:
        raise _untouched("Not locked", "The state is not locked.")
    if held.lock.id != job.asked.target:
        why = f"The state has another lock by now, {held.lock.id}: {held.sentence()}"
        raise _untouched("Another lock", why)
    if held.works:
        raise _untouched("Locked", held.sentence())
    who = inputs.asker(job.asked, job.starter)
    said = lost_lock.broken(job, held, f"Asked by {who}.")
    runner.write_outputs(job.environ, {"roll": "[]"})
    return (said,)


def _untouched(title: str, why: str) -> Stopped:
    return Stopped(title, f"Nothing was touched: {why}")
