"""The history of deploys: a page of the ledger, and what is said of each of its runs.

Pure: `now` is wherever it is asked for, so that what is said stays true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fleet_control.deploy_jobs import FINISH, began, stopped_by, was_stopped
from fleet_control.duration import exact, older
from fleet_control.host_change import HostChange, changes, target
from fleet_control.ledger import WAITING, Job, Operation, Run, asked_by, person, seconds
from fleet_control.phrases import REVIEW

# As many as the Control API has at the most.
MOST_PAGES = 100
UNSEEN = "what it changed could not be seen"


class HistoryPage(NamedTuple):
    """Runs with their jobs, newest first.

    Attributes:
        page, pages: which this is, from 1, and how many there are.
        unlooked: how many further runs may have brought the target along, and were not looked at.
        unseen: the ids of those among `runs` whose jobs could not be had.
        why: what kept the Control API from looking, in a sentence; empty where nothing did.
    """

    runs: tuple[Run, ...]
    page: int = 1
    pages: int = 1
    unlooked: int = 0
    unseen: tuple[int, ...] = ()
    why: str = ""


class RunResult(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What is said of one run.

    Attributes:
        operation, target, override: as the ledger has them; where a button was pressed, the target
            is what the jobs tell, and empty where they don't.
        by: who asked, and through what.
        asked: when, Unix seconds.
        moved: image and revision before and after; empty where no host was to change, or it is not
            known yet.
        result: how it stands and at which host, in words.
        took: seconds from its first job's start to its end; 0 where that is not known.
    """

    run_id: int
    url: str
    operation: str
    target: str
    override: str
    by: str
    asked: float
    moved: str
    outcome: RunResult
    result: str
    took: float = 0.0

    @property
    def what(self) -> str:
        """What was asked for, as it is typed."""
        asked = f"{self.operation or 'deploy'} {self.target}".rstrip()
        return f"{asked}, overriding the freeze" if self.override else asked

    @property
    def ended(self) -> str:
        """The result, and how long it took."""
        if not self.took:
            return self.result
        between = "," if "," in self.result else ""
        return f"{self.result}{between} after {exact(self.took)}"


def rows(page: HistoryPage) -> tuple[HistoryRow, ...]:
    """A row for each run of the page."""
    return tuple(_row(run, seen=run.id not in page.unseen) for run in page.runs)


def _row(run: Run, *, seen: bool) -> HistoryRow:
    moved = tuple(changes(run))
    outcome = _outcome(run)
    return HistoryRow(
        run_id=run.id,
        url=run.url,
        operation=run.operation,
        target=target(run),
        override=run.override,
        by=asked_by(run),
        asked=seconds(run.created),
        moved=_moved(run, moved) if seen else UNSEEN,
        outcome=outcome,
        result=_result(run, outcome, moved, seen=seen),
        took=_took(run) if run.finished else 0.0,
    )


def _outcome(run: Run) -> RunResult:
    if not run.finished:
        begun = any(job.status in ("in_progress", "completed") for job in run.jobs)
        if run.status in WAITING and not begun:
            return RunResult.QUEUED
        return RunResult.RUNNING if begun or run.status == "in_progress" else RunResult.UNKNOWN
    match run.conclusion:
        case "success":
            return RunResult.DONE
        case "cancelled":
            return RunResult.CANCELLED
        case _:
            return RunResult.STOPPED if stopped_by(run.jobs) else RunResult.FAILED


def _result(run: Run, outcome: RunResult, moved: Sequence[HostChange], *, seen: bool) -> str:
    """With the host that a run is at, or ended at; of several, how many were done."""
    if run.status == "waiting":
        return REVIEW
    if outcome in (RunResult.DONE, RunResult.QUEUED, RunResult.UNKNOWN):
        return str(outcome)
    at = _at(run, moved)
    told = f"{outcome} at {at}" if at else str(outcome) if seen else _word(run, outcome)
    if outcome is RunResult.STOPPED:
        told = f"stopped by {person(stopped_by(run.jobs))}"
    if len(moved) > 1:
        return f"{told}, {sum(one.done for one in moved)} of {len(moved)} hosts done"
    may = at == FINISH or run.operation == Operation.UNLOCK or any(one.moved for one in moved)
    return f"{told}, no host touched" if seen and run.finished and not may else told


def _word(run: Run, outcome: RunResult) -> str:
    """How a run stands whose jobs may not have been looked at: whether one that failed was stopped
    by a person, they alone tell."""
    may_be_stopped = run.conclusion == "failure" and run.operation != Operation.UNLOCK
    is_open = outcome is RunResult.FAILED and may_be_stopped and not run.jobs
    return f"{outcome} or {RunResult.STOPPED}" if is_open else str(outcome)


def _at(run: Run, moved: Sequence[HostChange]) -> str:
    """The host that was begun and is not done, or the end of a deploy of all that was not."""
    ends = (job.name for job in run.jobs if job.name == FINISH and _is_left(job))
    return next((one.id for one in moved if one.began and not one.done), next(ends, ""))


def _is_left(job: Job) -> bool:
    return began(job) and job.conclusion != "success" and not was_stopped(job)


def _took(run: Run) -> float:
    starts = [seconds(job.started_at) for job in run.jobs if job.started_at]
    ends = [seconds(job.completed_at) for job in run.jobs if job.completed_at]
    return max(0.0, max(ends) - min(starts)) if starts and ends else 0.0


def _moved(run: Run, moved: Sequence[HostChange]) -> str:
    """`ami-1 @1234567 → ami-2 @89abcde`; of several hosts, how many and what they have alike."""
    if not moved:
        return f"with {run.image_or_commit}" if run.image_or_commit else ""
    before = _together([(one.old, one.old_revision) for one in moved])
    told = f"{before} → {_together([(one.new, one.new_revision) for one in moved])}"
    if len(moved) > 1:
        return f"{len(moved)} hosts, {told}"
    return told if moved[0].id == run.target else f"{moved[0].id}, {told}"


def _together(states: Sequence[tuple[str, str]]) -> str:
    """The image and the revision that all have, or how many different ones there are."""
    known = [one for one in states if one[0]]
    if not known:
        return "no host"
    images, revisions = {image for image, _ in known}, {revision for _, revision in known}
    told = min(images) if len(images) == 1 else f"{len(images)} images"
    if "" not in revisions:
        told += f" @{min(revisions)}" if len(revisions) == 1 else f", {len(revisions)} revisions"
    missing = len(states) - len(known)
    return f"{told}, {missing} without a host" if missing else told


def beside(page: HistoryPage, target: str) -> str:
    """What was not looked at, in a sentence or two; empty where everything was."""
    told = []
    if page.unlooked:
        deploys = "1 deploy" if page.unlooked == 1 else f"{page.unlooked} deploys"
        told.append(
            f"Of {deploys} of other hosts it was not looked at whether {target} was brought along;"
            " ask again for more."
        )
    return " ".join([*told, *([page.why] if page.why else [])])


def brief(run: Run, now: float) -> str:
    """A run in a few words, by its row of the ledger: `deploy claw-2 · done · 3 hours ago`."""
    asked = f"{run.operation or 'deploy'} {run.target}".rstrip()
    return f"{asked} · {_word(run, _outcome(run))} · {older(now - seconds(run.created))} ago"


def title(target: str) -> str:
    """What a page of this target's history is called."""
    return f"The last deploys of {target}" if target else "The last deploys"


def nothing(target: str) -> str:
    """What is said where there is no run to show."""
    return f"None of the last deploys concerns {target}." if target else "There was no deploy yet."
