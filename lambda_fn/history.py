"""The ledger, read: one run with its jobs, or the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_control import ledger
from lambda_fn.deploy import DAY, DAYS_LOOKED_BACK
from lambda_fn.reason import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_fn.ask import ListRuns, ReadRun
    from lambda_fn.github import FoundJob, GitHub

_FAILED = ("failure", "timed_out")


def run(ask: ReadRun, github: GitHub) -> Mapping[str, object]:
    found = github.run(ask.run_id)
    jobs = github.jobs(ask.run_id)
    failed = _first_failed(jobs) if found.conclusion in _FAILED else None
    why = github.shown(reason(github.log(failed.id))) if failed else ""
    return {"run": written(found._replace(jobs=tuple(one.job for one in jobs), reason=why))}


def _first_failed(jobs: Iterable[FoundJob]) -> FoundJob | None:
    """Of a roll that stopped, the job that stopped it; those after it only say that it did."""
    failed = [one for one in jobs if one.job.conclusion in _FAILED]
    return min(failed, key=lambda one: one.job.completed_at or "~", default=None)


def runs(ask: ListRuns, github: GitHub) -> Mapping[str, object]:
    """Newest first. A request id, and what is unfinished, is looked for in the last days only."""
    if not (ask.request_id or ask.unfinished):
        return {"runs": [written(one) for one in github.runs(newest=ask.limit)]}
    now = github.budget.now()
    found = [
        written(one)
        for one in github.runs(since=now - DAYS_LOOKED_BACK * DAY)
        if ask.request_id in ("", one.request_id)
        and not (ask.unfinished and one.finished and ledger.seconds(one.updated) < now - DAY)
    ]
    return {"runs": found[: ask.limit]}


def written(run: ledger.Run) -> Mapping[str, object]:
    """As JSON objects, where `json` would make lists of named tuples."""
    jobs = [{**job._asdict(), "steps": [step._asdict() for step in job.steps]} for job in run.jobs]
    return {**run._asdict(), "jobs": jobs}
