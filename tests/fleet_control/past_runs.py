"""Runs with jobs whose times are told in seconds after the first of them began."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fleet_control.ledger import Job, Run
from tests.fleet_control.fleets import run

BEGAN = 1_790_000_000


def moment(after: float) -> str:
    return f"{datetime.fromtimestamp(BEGAN + after, UTC):%Y-%m-%dT%H:%M:%SZ}"


def job(name: str, start: int | None = None, end: int | None = None, how: str = "success") -> Job:
    """One that waits, runs or has ended, by what is known of it; a host's by the host's id."""
    name = name if name in ("plan", "finish") else f"{name}: ami-1 -> ami-2"
    if start is None:
        return Job(name, "queued")
    if end is None:
        return Job(name, "in_progress", None, moment(start))
    return Job(name, "completed", how, moment(start), moment(end))


def went(id_: int, *jobs: Job, **more: Any) -> Run:
    """A deploy of all that is over."""
    return run(id_, **{"target": "all", "jobs": jobs} | more)


def going(id_: int, *jobs: Job, **more: Any) -> Run:
    """A deploy of all that runs, or waits where none of its jobs has begun."""
    status = "in_progress" if any(one.status != "queued" for one in jobs) else "pending"
    known: dict[str, Any] = {"target": "all", "created": moment(0), "jobs": jobs}
    return run(id_, status=status, conclusion=None, **known | more)


def rolled(id_: int, each: int, *ids: str, **more: Any) -> Run:
    """One that took so long for each host, 40 seconds for its plan and 20 to finish."""
    ends = [40 + each * n for n in range(len(ids) + 1)]
    hosts = (job(id_, ends[n] + 3, ends[n + 1]) for n, id_ in enumerate(ids))
    last = ends[-1]
    return went(id_, job("plan", 0, 40), *hosts, job("finish", last + 2, last + 20), **more)


def steps() -> Iterator[tuple[tuple[Job, ...], str]]:
    """A roll of three as GitHub shows it, one change at a time, with what a reply then tells."""
    plan, done, ids = job("plan", 0, 50), tuple[Job, ...](), ("claw-1", "claw-2", "claw-3")
    yield (job("plan", 0),), "planning"
    yield (plan, *map(job, ids)), "0 of 3 hosts done"
    for n, id_ in enumerate(ids):
        left = tuple(map(job, ids[n + 1 :]))
        yield (plan, *done, job(id_, 53 + 120 * n), *left), "🔵"
        done = (*done, job(id_, 53 + 120 * n, 170 + 120 * n))
        yield (plan, *done, *left), f"{n + 1} of 3 hosts done"
