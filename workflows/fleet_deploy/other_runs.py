"""Other runs of the same ask, or of the same bot instance, and whether they moved a host.

GitHub starts runs one at a time and mostly, not surely, in the order in which they were asked for.
What a run did is asked of its jobs, and only where its conclusion leaves it open.
"""

from collections.abc import Callable, Iterable

from fleet_control import ledger
from fleet_control.deploy_jobs import PLAN, began, host_jobs
from fleet_control.ledger import WAITING, Job, Run, seconds

# Asks GitHub for the jobs of a run by its id.
Jobs = Callable[[int], Iterable[Job]]

_SUCCESS = "success"


def deploy_of(request_id: str, run_id: int, runs: Iterable[Run], jobs: Jobs) -> Run | None:
    """The other run that is the deploy of this ask, if there is one: the oldest, unless it was
    cancelled before it began; or a younger one, if that was let in first."""
    same = (run for run in runs if request_id and run.request_id == request_id)
    others = sorted((run for run in same if run.id != run_id), key=lambda run: run.id)
    for one in others:
        if one.id > run_id:
            is_deploy = _is_moving(one, jobs)
        else:
            is_deploy = one.conclusion != "cancelled" or any(map(began, jobs(one.id)))
        if is_deploy:
            return one
    return None


def unfinished(
    instance: str, mine: Run, request_id: str, runs: Iterable[Run], jobs: Jobs
) -> Run | None:
    """A deploy of this bot instance that was not over when this run was asked for, and is not one
    that was refused: else of two that came at once the second would move a host too, since it has
    its turn when the first is over."""
    for one in ledger.unfinished(runs, instance, at=seconds(mine.created)):
        if one.id == mine.id or (one.request_id and one.request_id == request_id):
            continue
        if _is_moving(one, jobs) if one.id > mine.id else not _came_to_nothing(one, jobs):
            return one
    return None


def _is_moving(run: Run, jobs: Jobs) -> bool:
    """Whether it got past `plan`."""
    if run.conclusion == _SUCCESS or run.status in WAITING:
        return run.conclusion == _SUCCESS
    return bool(host_jobs(jobs(run.id)))


def _came_to_nothing(run: Run, jobs: Jobs) -> bool:
    """Whether it is over, or about to be, without having come as far as a host."""
    if run.conclusion == _SUCCESS or run.status in WAITING:
        return False
    seen = tuple(jobs(run.id))
    refused = any(job.name == PLAN and job.conclusion not in (None, _SUCCESS) for job in seen)
    return (run.finished or refused) and not host_jobs(seen)
