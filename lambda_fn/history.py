"""The history: the newest runs of the ledger with their jobs, which tell what each did to its
hosts; a page at a time.

The list itself is one call of GitHub's, each run's jobs another: those are asked for of the runs
that are shown, and of such as may have brought the target along, within a measure.
"""

from collections.abc import Iterable, Iterator, Mapping

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import FINISH, MOVING_STEP, UNTOUCHED_STEP
from fleet_control.github import PER_PAGE
from fleet_control.host_change import RAN, changes
from fleet_control.ledger import Job, Operation, Run
from lambda_fn.failure import Failure
from lambda_fn.github import GitHubClient

PAGE = 8
# Of how many others the jobs are asked for in one call, and what that may take of it in seconds.
MOST_OTHERS = 12
OTHERS_SECONDS = 3.0
# What all of the jobs may take: the rest of a call's time is the answer's.
JOBS_SECONDS = 6.5
# As many jobs and steps, together, as fit into the megabyte that our asker reads.
MOST_PARTS = 6000

Shown = tuple[Run, tuple[Job, ...] | None]


class JobsReader:
    """The jobs of runs, asked for until so many were or the time or GitHub's quota is used up;
    those of a run that has ended are cached for good.

    Attributes:
        why: what ended it early, in a sentence; empty where nothing did.
    """

    def __init__(self, github: GitHubClient, most: int) -> None:
        self._github = github
        self._left = most
        self.why = ""

    def of(self, run: Run) -> tuple[Job, ...] | None:
        """None where they were not asked for, or can't be read."""
        cache = self._github.cache
        known = cache.jobs(run)
        if known is not None or not self._left:
            return known
        self._left -= 1
        try:
            jobs = tuple(_telling(one.job) for one in self._github.jobs(run))
        except Failure as failure:
            self._left, self.why = 0, str(failure)
            return None
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        if run.finished and all(job.finished for job in jobs):
            cache.keep_jobs(run, jobs)
        return jobs


def _telling(job: Job) -> Job:
    """Without the steps that tell nothing of what it changed: a page of whole fleets has thousands.
    Of a job that did not end well, the first that ran tells that it began, and which failed why."""
    ran = [one for one in job.steps if one.conclusion not in (None, "skipped")]
    names: tuple[str, ...] = (RAN,)
    telling = [one for one in ran if one.conclusion == "failure"]
    if job.conclusion != "success":
        names += (MOVING_STEP, UNTOUCHED_STEP)
        telling += ran[:1]
    steps = (one for one in job.steps if one in telling or one.name.startswith(names))
    return job._replace(steps=tuple(steps))


def answer(target: str, page: int, github: GitHubClient) -> Mapping[str, object]:
    """That page of the runs that concern the target, or of all where none is named.

    `unlooked` counts those that may have brought it along and were not looked at, `unseen` are the
    ids of those on the page whose jobs could not be had, `why` is what kept us from either.
    """
    within = github.within(JOBS_SECONDS)
    others = JobsReader(within.within(OTHERS_SECONDS), MOST_OTHERS)
    known = [(run, concerns(run, target, others)) for run in github.runs(PER_PAGE)]
    found = [run for run, is_one in known if is_one]
    count = max(1, -(-len(found) // PAGE))
    number = min(page, count)
    reader = JobsReader(within, PAGE)
    shown = [(run, reader.of(run)) for run in found[(number - 1) * PAGE : number * PAGE]]
    shown = [*_fitting(shown)]
    return {
        "runs": [run._replace(jobs=jobs or ()) for run, jobs in shown],
        "page": number,
        "pages": count,
        "unlooked": sum(is_one is None for _, is_one in known),
        "unseen": [run.id for run, jobs in shown if jobs is None],
        "why": reader.why or others.why,
    }


def _fitting(shown: Iterable[Shown]) -> Iterator[Shown]:
    """The same without the jobs that the answer has no room for."""
    room = MOST_PARTS
    for run, jobs in shown:
        parts = sum(1 + len(job.steps) for job in jobs or ())
        fits = parts <= room
        room -= parts * fits
        yield run, jobs if fits else None


def concerns(run: Run, target: str, others: JobsReader) -> bool | None:
    """Whether this run is of the target's history; None where that was not looked at.

    Its own are, those of all, and what took up another; a missing host, too, is brought along by
    whichever deploy comes next, and whom a person's button meant its jobs alone tell.
    """
    if not target or run.operation == Operation.RESUME:
        return True
    if run.operation == Operation.UNLOCK or (target == ALL and run.target not in ("", ALL)):
        return False
    if run.target in (target, ALL):
        return True
    jobs = others.of(run)
    return None if jobs is None else _brought(run, jobs, target)


def _brought(run: Run, jobs: Iterable[Job], target: str) -> bool:
    if target == ALL:
        return any(job.name == FINISH for job in jobs)
    return any(one.id == target for one in changes(run._replace(jobs=tuple(jobs))))
