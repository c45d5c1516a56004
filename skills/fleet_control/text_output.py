"""The command's output for people: plain text in columns."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from fleet_control.deploy_jobs import remarks
from fleet_control.duration import older
from fleet_control.history import HistoryPage, HistoryRow, beside, nothing
from fleet_control.history import rows as history_of
from fleet_control.host_change import changes
from fleet_control.last_words import quoted
from fleet_control.ledger import BUTTON, Job, Operation, Run, seconds
from fleet_control.line import printable
from fleet_control.phrases import (
    MARKS,
    job_state,
    of_the_fleet,
    own_answer,
    problems,
    ready,
    registry_age,
    revision,
    run_state,
    told,
    worst_first,
)
from fleet_control.preflight import Check
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, InstanceStatus

_STATUS_HEAD = (
    "INSTANCE",
    "IS",
    "HOST",
    "STATE",
    "HEALTH",
    "TYPE",
    "IMAGE",
    "REVISION",
    "SINCE (UTC)",
    "ADDRESS",
    "WHAT IS WRONG",
    "WHAT IT SAID",
)
_RUNS_HEAD = ("RUN", "TARGET", "IMAGE OR COMMIT", "ASKED BY", "ASKED (UTC)", "IS", "LINK")
_HISTORY_HEAD = ("RUN", "WHAT", "IS", "BEFORE → AFTER", "ASKED BY", "ASKED (UTC)", "LINK")
_REGISTRY_HEAD = ("INSTANCE", "HOST", "TYPE", "BOOTSTRAP PREFIX")


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns, an empty cell shown as ``-``."""
    shown = [[printable(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )


def status(fleet: FleetStatus, now: float, held: str = "") -> str:
    rows = [_STATUS_HEAD, *(_status_row(row, fleet, now) for row in fleet.rows)]
    wrong = [printable(of_the_fleet(one)) for one in fleet.faults]
    told = [_summary(fleet, now), *wrong, source(fleet.known, now), printable(held)]
    return "\n".join((columns(rows), "", *filter(None, told)))


def runs(found: Sequence[Run]) -> str:
    return columns([_RUNS_HEAD, *(_run_row(run) for run in found)]) if found else "No runs."


def history(page: HistoryPage, target: str) -> str:
    """A page of the ledger, and what was not looked at."""
    rows = [_history_row(row) for row in history_of(page)]
    shown = columns([_HISTORY_HEAD, *rows]) if rows else printable(nothing(target))
    more = f"Page {page.page} of {page.pages}, newest first." if page.pages > 1 else ""
    return "\n".join(filter(None, (shown, more, printable(beside(page, target)))))


def _history_row(row: HistoryRow) -> tuple[str, ...]:
    asked = _minute(datetime.fromtimestamp(row.asked, UTC))
    return (str(row.run_id), row.what, row.ended, row.moved, row.by, asked, row.url)


def run(one: Run) -> str:
    (row,) = history_of(HistoryPage((one,)))
    jobs = columns([(job.name, _stands(job)) for job in one.jobs])
    parts = (
        printable(f"run {one.id}: {run_state(one)}"),
        printable(f"{_does(one)}, asked for by {_asker(one)}"),
        printable(f"before → after: {row.moved}") if _is_known_before(one) else "",
        printable(f"revision {told(one.made_of, seconds(one.created))}") if one.made_of else "",
        jobs,
        printable(f"why: {one.reason}") if one.reason else "",
        _last_words(one),
        printable(one.url),
    )
    return "\n".join(part for part in parts if part)


def _is_known_before(one: Run) -> bool:
    """Whether more is known of what the hosts ran before than the names of the jobs tell."""
    return any(change.old_revision for change in changes(one))


def _does(one: Run) -> str:
    what = f"deploys {one.target or 'a target'} ({one.image_or_commit or 'newest image'})"
    match one.operation:
        case Operation.ROLLBACK:
            what = f"rolls back {one.target}"
        case Operation.RESUME:
            what = f"takes up run {one.target}"
        case Operation.UNLOCK:
            what = f"breaks the lock {one.target} on the state"
    return f"{what}, overriding the freeze" if one.override else what


def _stands(job: Job) -> str:
    told = remarks(job)
    stands = job_state(job)
    return f"{stands} ({told})" if told else stands


def _last_words(one: Run) -> str:
    if one.last_words is None:
        return ""
    head = f"the last words of {one.last_words.instance}, which a stranger may have written:"
    return "\n".join(map(printable, (head, *quoted(one.last_words))))


def registry(known: KnownRegistry, now: float) -> str:
    rows = [
        (id_, entry.host, entry.instance_type, entry.bootstrap_prefix)
        for id_, entry in known.registry.items()
    ]
    return "\n".join((columns([_REGISTRY_HEAD, *rows]), "", source(known, now)))


def preflight(checks: Sequence[Check]) -> str:
    """What a preflight came to, and each thing that was looked at, worst first."""
    rows = [
        printable(row)
        for one in worst_first(checks)
        for row in (
            f"{MARKS[one.outcome]} {one.name}: {one.told}",
            one.advice and f"  {one.advice}",
        )
        if row
    ]
    return "\n".join((f"{ready(checks)}.", *rows))


def source(known: KnownRegistry, now: float) -> str:
    """Where the registry comes from, and how old it is where that matters."""
    return printable(registry_age(known, now)) or "The registry is as it is at its source."


def _status_row(row: InstanceStatus, fleet: FleetStatus, now: float) -> tuple[str, ...]:
    wrong = "; ".join(fault.in_short for fault in row.faults)
    is_ = row.condition or "unregistered"
    if row.replacing:
        is_ = "being replaced" if row.leaving else "starting"
    return (row.id, is_, *_host_cells(row, fleet), wrong, own_answer(row, now))


def _host_cells(row: InstanceStatus, fleet: FleetStatus) -> tuple[str, ...]:
    host = row.host
    if host is None:
        return ("",) * 8
    image = f"{host.image} (newest)" if row.is_newest else host.image
    since = _minute(datetime.fromtimestamp(host.launched, UTC))
    known = (host.id, host.state, host.health, host.type, image)
    return (*known, revision(row, fleet), since, host.address)


def _summary(fleet: FleetStatus, now: float) -> str:
    counts = ", ".join(problems(fleet))
    newest = fleet.newest
    image = (
        f"Newest image: {newest.id} {newest.name}, {older(now - newest.created)} old."
        if newest
        else "There is no image to deploy."
    )
    many = "1 instance" if len(fleet.rows) == 1 else f"{len(fleet.rows)} instances"
    newest_revision = fleet.newest_revision
    branch = f" Newest revision: {told(newest_revision, now)}" if newest_revision else ""
    none = "no instance has a fault" if fleet.faults else "nothing is wrong"
    return printable(f"{many}; {counts or none}. {image}{branch}")


def _run_row(run: Run) -> tuple[str, ...]:
    asked = _minute(datetime.fromisoformat(run.created))
    is_ = run_state(run)
    what = f"{run.operation} {run.target}".strip()
    return (str(run.id), what, run.image_or_commit, _asker(run), asked, is_, run.url)


def _asker(run: Run) -> str:
    return run.caller or run.requested_by or BUTTON


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
