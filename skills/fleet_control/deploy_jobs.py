"""What the jobs of a deploy's run tell: which began, and how they left their hosts."""

import re
from collections.abc import Iterable
from enum import StrEnum

from fleet_control.ledger import WAITING, Job

PLAN = "plan"
FINISH = "finish"
# Every job of another name is a host's.
_OWN_JOBS = (PLAN, FINISH)
# The one step that moves anything, of a host's job and of `finish`.
MOVING_STEP = "Replace and wait until healthy"
FINISHING_STEP = "Remove what left, bring the rest up to date"
# How the name of the step begins that fails where a person stopped the roll. The step before it,
# which looks, fails at nothing: no other failure is taken for a stop.
STOPPED_STEP = "Stopped by "
_FAILED = ("failure", "timed_out")
# The step by which a job that failed says that it came to nothing.
UNTOUCHED_STEP = "Its host was not touched"
# How the name of the step begins that says what was remarkable before all was well: units that
# ended by themselves, platforms that a bot found away. A host says it, so it has one form.
REMARKED = "On the way: "
_AGAIN = r"restarted (?:once|\d{1,4} times)"
_AWAY = r"says: [A-Z][a-z]{1,15} is away(?:; [A-Z][a-z]{1,15} is away)*"
_REMARK = rf"[a-z0-9-]{{1,40}}\.service (?:{_AGAIN}|{_AWAY})"
_REMARKS = re.compile(rf"(?<=: |; ){_REMARK}(?=; |$)")
_RAN = re.compile(r"\bIt ran ([0-9a-f]{7}) before\.")


class EndState(StrEnum):
    """How a failed job left its instance's host, in the words that follow the id in its reason."""

    UNTOUCHED = "was not touched: "
    UNMOVED = "still has the machine it had: "
    GONE = "has no host now: "
    NEW = "has a new machine: "
    REPLACED_ILL = "was replaced but did not become healthy"
    CREATED_ILL = "was created but did not become healthy"


def begins(id_: str, left: EndState) -> str:
    """The beginning of the reason of a job that left this instance's host so."""
    return f"{id_} {left}"


def left(id_: str, reason: str) -> EndState | None:
    """How the job left this instance's host, or None where its reason does not say."""
    return next((one for one in EndState if reason.startswith(begins(id_, one))), None)


def ran_before(revision: str) -> str:
    """The sentence for which revision a host ran that did not come up again."""
    return f"It ran {revision[:7]} before."


def ran(reason: str) -> str:
    """The revision that the host ran before, or nothing where the reason does not say."""
    found = _RAN.search(reason)
    return found[1] if found else ""


def remarks(job: Job) -> str:
    """What was remarkable on a host's way to be healthy, or nothing."""
    names = (step.name for step in job.steps if step.conclusion == "success")
    told = next((name for name in names if name.startswith(REMARKED)), "")
    return "; ".join(_REMARKS.findall(told))


def was_stopped(job: Job) -> bool:
    """Whether it ended before it moved anything, since a person had stopped the roll."""
    return bool(_stopper(job))


def stopped_by(jobs: Iterable[Job]) -> str:
    """Who stopped the roll of these jobs, an account and a name; empty where nobody did, or where
    something failed, too."""
    told = [_stopper(job) for job in jobs if job.conclusion in _FAILED]
    return told[0] if told and all(told) else ""


def _stopper(job: Job) -> str:
    failed = (step.name for step in job.steps if step.conclusion == "failure")
    told = next((name for name in failed if name.startswith(STOPPED_STEP)), "")
    return told.removeprefix(STOPPED_STEP)


def began(job: Job) -> bool:
    """Whether it did anything. A job that is cancelled while it waits has no step that ran."""
    if job.status in WAITING or job.conclusion == "skipped":
        return False
    if job.conclusion == "cancelled":
        return any(step.conclusion not in (None, "skipped") for step in job.steps)
    return True


def reached(job: Job) -> bool:
    """Whether this job of a host moved it, or may have."""
    if job.conclusion == "success" or not (began(job) and job.steps):
        return job.conclusion == "success"
    if any(step.name == UNTOUCHED_STEP and step.conclusion == "success" for step in job.steps):
        return False
    moving = next((step for step in job.steps if step.name == MOVING_STEP), None)
    return moving is None or not (moving.status in WAITING or moving.conclusion == "skipped")


def host_jobs(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Those that touched a host, or may have."""
    return tuple(job for job in jobs if job.name not in _OWN_JOBS and began(job))
