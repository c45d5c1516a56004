"""An answer of the Control API, or of AWS before it: its JSON, or the error that it means."""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import aiohttp
from pydantic import AfterValidator, BeforeValidator, TypeAdapter, ValidationError

from fleet_control import skew
from fleet_control.announcement import Announcement, ReplyLife, WatchLease
from fleet_control.error import AwsRefused, ControlApiDown, ControlApiError, ControlApiRefused
from fleet_control.freeze import Freeze
from fleet_control.history import HistoryPage
from fleet_control.holds import HeldLock, Holds
from fleet_control.ledger import Revision, Run, seconds
from fleet_control.preflight import Check
from fleet_control.run_row import stands

LONGEST_ANSWER = 1024 * 1024  # bytes

T = TypeVar("T")

log = logging.getLogger(__name__)


def _committed(revision: Revision) -> Revision:
    seconds(revision.committed)
    return revision


def _dated(run: Run) -> Run:
    for moment in (run.created, run.started or run.created, run.updated):
        seconds(moment)
    if run.made_of and run.made_of.committed:
        seconds(run.made_of.committed)
    return run


def _standing(row: object) -> object:
    """An API older than this client hands GitHub's null on, of a run, its jobs and their steps."""
    if not isinstance(row, dict):
        return row
    parts = {name: row[name] for name in ("jobs", "steps") if isinstance(row.get(name), list)}
    parts = {name: list(map(_standing, rows)) for name, rows in parts.items()}
    return {**row, **parts, "status": stands(row)[0]}


_Run = Annotated[Run, BeforeValidator(_standing), AfterValidator(_dated)]
_CHECK = TypeAdapter(Check)
_RUN: TypeAdapter[Run] = TypeAdapter(_Run)
_REVISIONS = TypeAdapter(tuple[Annotated[Revision, AfterValidator(_committed)], ...])
_FREEZE = TypeAdapter(Freeze)
_FREEZE_OR_NONE: TypeAdapter[Freeze | None] = TypeAdapter(Freeze | None)
_LOCK_OR_NONE: TypeAdapter[HeldLock | None] = TypeAdapter(HeldLock | None)
_ANNOUNCEMENT = TypeAdapter(Announcement)
_REPLY_LIFE = TypeAdapter(ReplyLife)
_WATCH_LEASE = TypeAdapter(WatchLease)
_RUNS: TypeAdapter[tuple[Run, ...]] = TypeAdapter(tuple[_Run, ...])
_HISTORY: TypeAdapter[HistoryPage] = TypeAdapter(HistoryPage)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A deploy that was taken: its run, where the API could name it, and the API's own words.

    Attributes:
        unproven_caller: the API could not see who signed, and took the caller at its word.
        ahead: how many deploys come before it.
        note: what people should know beside, in a sentence.
    """

    run_id: int | None
    url: str
    message: str
    unproven_caller: bool = False
    ahead: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stopping:
    """A roll that was told to stop: its run, and the API's own words.

    Attributes:
        at: the instance whose host it was at, as GitHub showed it; empty for none.
        by: who told it first.
    """

    run_id: int
    url: str
    message: str
    target: str = ""
    at: str = ""
    by: str = ""


class Lost(ControlApiError):
    """Nobody knows whether the request was acted on: its answer did not arrive, or is
    unreadable."""


class BrokenOff(Lost):
    """The connection ended, perhaps a kept-alive one that the other end had closed before."""


async def limited(response: aiohttp.ClientResponse) -> bytes:
    """The body of the response; Lost where it is longer than `LONGEST_ANSWER`."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > LONGEST_ANSWER:
            raise Lost("The Control API's answer is longer than 1 MiB.")
    return bytes(text)


def understood(status: int, text: bytes, date: str | None = None) -> dict[str, Any]:
    """The JSON of a call that succeeded; raises the error that any other answer means.

    `date` is when it was answered, in the answer's own words.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(status) from error
    if not isinstance(answer, dict):
        raise _unreadable(status)
    if answer.get("ok") is True:
        return answer
    if answer.get("ok") is False and isinstance(answer.get("code"), str):
        raise _refused(status, answer)
    # Not the handler's words but AWS's own: these it says before it would invoke anything.
    if status in (403, 413, 429):
        said = _words(answer)
        skewed = skew.refused(date, str(status), said)
        why = skewed or f"AWS refused the call (HTTP {status}): {said}"
        raise AwsRefused(why, status, of_time=bool(skewed))
    raise _unreadable(status)


def _refused(status: int, answer: dict[str, Any]) -> ControlApiError:
    message = str(answer.get("error", answer["code"]))
    if answer["code"] == "github_unreachable":
        return Lost(message)
    after = answer.get("retry_after")
    return ControlApiRefused(
        answer["code"], message, status, float(after) if isinstance(after, int | float) else None
    )


def _words(answer: dict[str, Any]) -> str:
    """AWS's sentence, but never the canonical request it may quote after it."""
    words = str(answer.get("Message") or answer.get("message") or "Forbidden")
    return words.splitlines()[0][:200]


def _unreadable(status: int) -> ControlApiError:
    return Lost(f"The Control API's answer can't be read (HTTP {status}).")


def run(answer: dict[str, Any]) -> Run:
    return _part(_RUN, answer, "run")


def runs(answer: dict[str, Any], *, every: bool) -> tuple[Run, ...]:
    """Its runs. One that can't be read is left out, unless `every` one has to be known."""
    return _part(_RUNS, answer if every else _readable(answer), "runs")


def history(answer: dict[str, Any]) -> HistoryPage:
    """A page of the ledger, without the runs that can't be read, and without what a newer API may
    say beside."""
    beside = {name: answer[name] for name in HistoryPage._fields if name in answer}
    told = _part(_HISTORY, {"history": {**beside, "runs": ()}}, "history")
    return told._replace(runs=runs(answer, every=False))


def checks(answer: dict[str, Any]) -> tuple[Check, ...]:
    """Those of its checks that can be read: a newer API may say what we don't know."""
    rows = answer.get("checks")
    read = []
    for row in rows if isinstance(rows, list) else ():
        with suppress(ValidationError):
            read.append(_CHECK.validate_python(row))
    return tuple(read)


def revisions(answer: dict[str, Any]) -> tuple[Revision, ...]:
    """The branch's, where the answer has some."""
    return _part(_REVISIONS, {"revisions": [], **answer}, "revisions")


def holds(answer: dict[str, Any]) -> Holds:
    """An API that can't see the lock says nothing of it."""
    told = {"freeze": None, "lock": None, **answer}
    frozen, lock = _part(_FREEZE_OR_NONE, told, "freeze"), _part(_LOCK_OR_NONE, told, "lock")
    return Holds(frozen, lock, "lock" in answer)


def freeze(answer: dict[str, Any]) -> tuple[Freeze, Freeze | None]:
    """The freeze that was made, and the one whose place it took."""
    told = {"replaced": None, **answer}
    return _part(_FREEZE, told, "freeze"), _part(_FREEZE_OR_NONE, told, "replaced")


def lifted(answer: dict[str, Any]) -> Freeze | None:
    return _part(_FREEZE_OR_NONE, {"lifted": None, **answer}, "lifted")


def announcement(answer: dict[str, Any]) -> Announcement:
    return _part(_ANNOUNCEMENT, answer, "announcement")


def reply_life(answer: dict[str, Any]) -> ReplyLife:
    return _part(_REPLY_LIFE, answer, "reply")


def watch_lease(answer: dict[str, Any]) -> WatchLease:
    return _part(_WATCH_LEASE, answer, "watch")


def dispatched(answer: dict[str, Any]) -> Dispatched:
    run = answer.get("run")
    run = run if isinstance(run, dict) else {}
    run_id, ahead = run.get("id"), answer.get("ahead")
    return Dispatched(
        run_id if isinstance(run_id, int) else None,
        str(run.get("url", "")),
        str(answer.get("message", "")),
        answer.get("unproven_caller") is True,
        ahead if isinstance(ahead, int) else 0,
        str(answer.get("note", "")),
    )


def stopping(answer: dict[str, Any]) -> Stopping:
    run = answer.get("run")
    run = run if isinstance(run, dict) else {}
    run_id, message = run.get("id"), answer.get("message")
    if not isinstance(run_id, int) or not isinstance(message, str):
        raise ControlApiDown("The Control API does not say which run it stops.")
    told = (run.get("url"), message, run.get("target"), run.get("at"), answer.get("by"))
    return Stopping(run_id, *map(str, told))


def _part(adapter: TypeAdapter[T], answer: dict[str, Any], field: str) -> T:
    """One field of an answer, checked; ControlApiDown where it is not what it should be."""
    try:
        return adapter.validate_python(answer.get(field))
    except ValidationError as error:
        raise ControlApiDown(f"The Control API's answer has no valid `{field}`.") from error


def _readable(answer: dict[str, Any]) -> dict[str, Any]:
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
        _RUN.validate_python(row)
    except ValidationError:
        return False
    return True
