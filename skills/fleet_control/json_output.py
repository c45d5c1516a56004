"""The command's output for programs: JSON objects, times in ISO 8601 (UTC)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fleet_control.fault import Fault
from fleet_control.freeze import Freeze
from fleet_control.history import HistoryPage, rows
from fleet_control.holds import Holds
from fleet_control.host import Host, Image
from fleet_control.host_change import changes
from fleet_control.ledger import Revision, Run
from fleet_control.preflight import Check
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, InstanceStatus

Document = Mapping[str, Any]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status(fleet: FleetStatus) -> Document:
    return {
        "taken": moment(fleet.taken),
        "registry": _known(fleet.known),
        "newest_image": _image(fleet.newest),
        "newest_revision": _revision(fleet.newest_revision),
        "problems": dict(fleet.counts),
        "faults": _faults(fleet.faults),
        "instances": [_row(row, fleet) for row in fleet.rows],
    }


def holds(seen: Holds) -> Document:
    """What keeps deploys from beginning; `unseen` is why that can't be seen, or empty."""
    return {"holds": {"freeze": _freeze(seen.freeze), "unseen": seen.unseen}}


def registry(known: KnownRegistry) -> Document:
    entries = {
        id_: entry.model_dump(by_alias=True, exclude_none=True)
        for id_, entry in known.registry.items()
    }
    return {"registry": _known(known), "instances": entries}


def preflight(checks: Iterable[Check]) -> Document:
    return {"checks": [one._asdict() for one in checks]}


def history(page: HistoryPage) -> Document:
    runs = [
        {
            **run(one),
            "changes": [change._asdict() for change in changes(one)],
            "outcome": row.outcome,
            "told": row.ended,
        }
        for one, row in zip(page.runs, rows(page), strict=True)
    ]
    return {**page._asdict(), "runs": runs}


def run(one: Run) -> Document:
    jobs = [{**job._asdict(), "steps": [step._asdict() for step in job.steps]} for job in one.jobs]
    words = one.last_words._asdict() if one.last_words else None
    return {**one._asdict(), "jobs": jobs, "made_of": _revision(one.made_of), "last_words": words}


def _revision(one: Revision | None) -> Document | None:
    return one._asdict() if one else None


def _freeze(one: Freeze | None) -> Document | None:
    if one is None:
        return None
    times = {"since": moment(one.since), "until": moment(one.until)}
    return {"by": one.by, "reason": one.reason, **times}


def _known(known: KnownRegistry) -> Document:
    return {
        "version": known.version,
        "fresh": known.fresh,
        "read_at": moment(known.read_at) if known.is_read else None,
        "trouble": known.trouble,
    }


def _row(row: InstanceStatus, fleet: FleetStatus) -> Document:
    return {
        "id": row.id,
        "registered": row.instance is not None if fleet.known.is_read else None,
        "condition": row.condition,
        "replacing": row.replacing,
        "host": _host(row.host),
        "leaving": [host.id for host in row.leaving],
        "image": _image(row.image),
        "is_newest_image": row.is_newest,
        "revisions_ahead": fleet.ahead(row),
        "faults": _faults(row.faults),
    }


def _faults(faults: Iterable[Fault]) -> list[Document]:
    return [{"problem": one.problem, "words": one.words, "repair": one.repair} for one in faults]


def _host(host: Host | None) -> Document | None:
    if host is None:
        return None
    said = host.answer
    return {
        "id": host.id,
        "state": host.state,
        "health": host.health,
        "type": host.type,
        "image": host.image,
        "revision": host.revision or None,
        "launched": moment(host.launched),
        "address": host.address,
        "own_answer": said and {"well": said.well, "at": moment(said.when), "why": said.why},
    }


def _image(image: Image | None) -> Document | None:
    if image is None:
        return None
    return {"id": image.id, "name": image.name, "created": moment(image.created)}
