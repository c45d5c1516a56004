"""The Control API's runs, read: what it says of each, with times that are times."""

import logging
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, TypeAdapter, ValidationError

from fleet_control.ledger import Run, seconds
from fleet_control.run_row import stands

log = logging.getLogger(__name__)


def _standing(row: object) -> object:
    """An API older than this client hands GitHub's null on, of a run, its jobs and their steps."""
    if not isinstance(row, dict):
        return row
    parts = {name: row[name] for name in ("jobs", "steps") if isinstance(row.get(name), list)}
    parts = {name: list(map(_standing, rows)) for name, rows in parts.items()}
    return {**row, **parts, "status": stands(row)[0]}


def _dated(run: Run) -> Run:
    for moment in (run.created, run.started or run.created, run.updated):
        seconds(moment)
    if run.made_of and run.made_of.committed:
        seconds(run.made_of.committed)
    return run


_Run = Annotated[Run, BeforeValidator(_standing), AfterValidator(_dated)]
RUN: TypeAdapter[Run] = TypeAdapter(_Run)
RUNS: TypeAdapter[tuple[Run, ...]] = TypeAdapter(tuple[_Run, ...])


def readable(answer: dict[str, Any]) -> dict[str, Any]:
    """The same answer without the runs that can't be read, as long as some can."""
    rows = answer.get("runs")
    if not isinstance(rows, list):
        return answer
    read = [row for row in rows if _is_run(row)]
    if len(read) < len(rows):
        log.warning("fleet.runs_unreadable count=%s", len(rows) - len(read))
    return {**answer, "runs": read or rows}


def _is_run(row: object) -> bool:
    try:
        RUN.validate_python(row)
    except ValidationError:
        return False
    return True
