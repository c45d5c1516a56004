"""GitHub's row of a run or of a job, read: what it may leave out, or null, costs that row alone.

Standard library only: the Lambda carries this file.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fleet_control.ledger import GITHUB, Entry, Job, Run, Step
from fleet_control.run_title import parse_title

# Ours, where GitHub tells none: neither waiting nor over, so that nothing is built on either.
UNKNOWN = "unknown"
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,39}(\[bot\])?")


def read_run(raw: Mapping[str, Any], believed: str = "") -> Run:
    """A run as GitHub's REST API gives it; a title of another form is somebody's button.

    So is whatever the account of that number did not start, where one is named: anybody who can
    push a branch can start a run with any title. Who pressed it GitHub tells, as ``github:sam``.
    What GitHub may leave out, or null, leaves that in doubt and no more; LookupError or TypeError
    where there is no id, or no time at all.
    """
    actor = raw.get("actor") or raw.get("triggering_actor") or {}
    ours = not believed or str(actor.get("id")) == believed
    entry = parse_title(raw.get("display_title") or "") if ours else None
    entry = entry or Entry()
    if not (entry.caller or entry.requested_by):
        entry = entry._replace(requested_by=_presser(actor))
    status, conclusion = stands(raw)
    started = raw.get("run_started_at")
    moments = [one for one in (raw.get("created_at"), started, raw.get("updated_at")) if one]
    return Run(
        id=int(raw["id"]),
        url=raw.get("html_url") or "",
        status=status,
        conclusion=conclusion,
        **entry._asdict(),
        created=moments[0],
        started=started,
        updated=moments[-1],
        attempt=raw.get("run_attempt") or 1,
    )


def _presser(actor: Mapping[str, Any]) -> str:
    login = str(actor.get("login") or "")
    return f"{GITHUB}:{login}" if _LOGIN.fullmatch(login) else ""


def stands(raw: Mapping[str, Any]) -> tuple[str, str | None]:
    """The status and conclusion of a run, a job or a step; whatever has the latter is over."""
    conclusion = raw.get("conclusion") or None
    return raw.get("status") or ("completed" if conclusion else UNKNOWN), conclusion


class Listed(NamedTuple):
    """A job of a run, by its id. `begun`: whether it ever had a runner or a step."""

    id: int
    job: Job
    begun: bool


def read_job(raw: Mapping[str, Any]) -> Listed:
    steps = tuple(Step(one.get("name") or "", *stands(one)) for one in raw.get("steps") or ())
    times = (raw.get("started_at"), raw.get("completed_at"))
    job = Job(raw.get("name") or "", *stands(raw), *times, steps)
    return Listed(int(raw["id"]), job, bool(steps or raw.get("runner_id")))
