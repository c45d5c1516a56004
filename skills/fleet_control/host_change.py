"""What a deploy changed of each host, as the names of its jobs and steps tell.

Standard library only: the Lambda may carry this file.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import FINISH, began, reached, was_stopped
from fleet_control.ledger import Job, Run

HOST_JOB = re.compile(
    r"(?P<id>[a-z0-9-]{1,32}): (?P<old>none|ami-[0-9a-f]+) -> (?P<new>ami-[0-9a-f]+)"
    r"(?: @(?P<revision>[0-9a-f]{7}))?"
)
# How the name of a host job's first step begins, which says what the host ran before: the job's own
# name has no room for it.
RAN = "It ran "
_RAN = re.compile(rf"{RAN}([0-9a-f]{{7}})")


class HostChange(NamedTuple):
    """What one job of a deploy did with one host, or is to do.

    Attributes:
        old: its image before; empty where there was no host.
        old_revision: the first seven digits of the commit that it ran before; empty where that is
            not known.
        new, new_revision: the same of what it becomes.
        began: whether the job did anything, or was about to.
        done: whether it ended well.
        moved: whether it moved the host, or may have.
        ended: when the job was over, ISO 8601 in UTC; empty while it is not.
    """

    id: str
    old: str
    old_revision: str
    new: str
    new_revision: str
    began: bool
    done: bool
    moved: bool = False
    ended: str = ""


def changes(run: Run) -> Iterator[HostChange]:
    """The hosts of a deploy, in the order of its roll."""
    for job in run.jobs:
        if found := HOST_JOB.fullmatch(job.name):
            yield HostChange(
                found["id"],
                "" if found["old"] == "none" else found["old"],
                _ran(job),
                found["new"],
                found["revision"] or "",
                began(job) and not was_stopped(job),
                job.conclusion == "success",
                reached(job),
                job.completed_at or "",
            )


def target(run: Run) -> str:
    """What a run is of; where its title does not say, as of somebody's button, what its jobs tell:
    empty where they don't."""
    if run.target:
        return run.target
    if any(job.name == FINISH for job in run.jobs):
        return ALL
    ids = [one.id for one in changes(run)]
    return ids[0] if len(ids) == 1 else ""


def _ran(job: Job) -> str:
    told = (_RAN.fullmatch(step.name) for step in job.steps)
    return next((found[1] for found in told if found), "")
