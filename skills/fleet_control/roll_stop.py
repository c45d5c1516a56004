"""Where a roll is that a person wants to stop: between two hosts it can be, and not in one.

Standard library only: the Lambda carries this file.
"""

from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import FINISH, FINISHING_STEP, MOVING_STEP
from fleet_control.host_change import HOST_JOB
from fleet_control.ledger import WAITING, Job, Operation, Run, asked_by

_MOVING = (MOVING_STEP, FINISHING_STEP)


class Place(NamedTuple):
    """Where a roll is.

    Attributes:
        at: the instance whose host is being moved, or `finish`; empty where it is at none.
        more: whether something comes after that which has not begun.
    """

    at: str
    more: bool


def place(run: Run) -> Place:
    """Where a run that is under way is, as GitHub shows it."""
    moving = [job for job in run.jobs if job.conclusion is None and _moves(job)]
    still = any(not job.finished and not _moves(job) for job in run.jobs)
    # GitHub lists no job before those that it needs have ended.
    listed = any(job.name == FINISH for job in run.jobs)
    return Place(_name(moving[0]) if moving else "", still or (_finishes(run) and not listed))


def named(run: Run) -> str:
    """A run by its id, with what it is for and whose it is."""
    if not run.target:
        return f"Run {run.id} (begun on GitHub)"
    did = f"{run.operation or 'deploy'} `{run.target}`"
    return f"Run {run.id} ({did}, asked for by {asked_by(run)})"


def is_under_way(run: Run) -> bool:
    """Whether it has begun and not ended."""
    begun = run.status == "in_progress" or any(job.status not in WAITING for job in run.jobs)
    return begun and not run.finished


def _moves(job: Job) -> bool:
    """Whether it has begun to move what it is for."""
    return any(step.name in _MOVING and step.status not in WAITING for step in job.steps)


def _name(job: Job) -> str:
    found = HOST_JOB.fullmatch(job.name)
    return found["id"] if found else job.name


def _finishes(run: Run) -> bool:
    """Whether it may end with `finish`: what a resumed run was for is not in its title, nor is
    anything in that of one that was begun on GitHub."""
    of_all = run.operation == Operation.DEPLOY and run.target in ("", ALL)
    return of_all or run.operation == Operation.RESUME
