"""The lock on the state of tofu/fleet: who holds it, which job that is, when it may be broken.

Each job of a run writes down, before the engine may lock, from where it is about to and when its
credentials end at the latest: the row `lock#<user@machine>` of the control table. A lock that
fits no such row is a person's own.

Standard library only: the Lambda carries this file.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

# How long the credentials last that a job takes the deploy role with.
SESSION_SECONDS = 3600
# How far the clocks of two machines may differ: AWS lets each be five minutes from its own.
MARGIN_SECONDS = 600
# GitHub forgets nothing of a run within 35 days; a lock that is older is broken by hand.
_KEPT_SECONDS = 40 * 86400
_ID = re.compile(r"[0-9a-f-]{8,64}")
_UNSAFE = re.compile(r"[^\w@.:+ -]+")

Item = Mapping[str, str | int | float]


class StateLock(NamedTuple):
    """A lock as its holder wrote it down.

    Attributes:
        who: ``user@machine``.
        created: Unix seconds; None where its holder did not say, or not so that it can be read.
    """

    id: str
    who: str
    created: float | None


class LockNote(NamedTuple):
    """What a job wrote down before it could lock.

    Attributes:
        run: its run's id.
        job: its name.
        began: when it did, in Unix seconds.
        ends: when its credentials end at the latest.
    """

    who: str
    run: int
    job: str
    began: float
    ends: float


def read_lock(fields: Mapping[str, object]) -> StateLock | None:
    """The lock of these fields, named as OpenTofu names them; None where they name none."""
    id_ = str(fields.get("ID", ""))
    if not _ID.fullmatch(id_):
        return None
    who = plain(str(fields.get("Who", ""))) or "somebody"
    return StateLock(id_, who, _seconds(str(fields.get("Created", ""))))


def read_info(text: str) -> StateLock | None:
    """The lock that the column `Info` of OpenTofu's table tells of."""
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    return read_lock(fields) if isinstance(fields, dict) else None


def plain(who: str) -> str:
    """The name of a holder as it is shown, and as a row is found by it."""
    return _UNSAFE.sub(" ", who)[:60]


def _seconds(text: str) -> float | None:
    """The table has ``2026-11-24T08:00:00.123Z``; Go prints ``2026-11-24 08:00:00.123 +0000 UTC``,
    and year 1 for none."""
    try:
        moment = datetime.fromisoformat(text[:19])
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp() if moment.year > 1 else None


def key(who: str) -> str:
    return f"lock#{plain(who)}"


def begun(who: str, run: int, job: str, now: float) -> LockNote:
    """The note of a job that begins now: its credentials were given to it before."""
    return LockNote(plain(who), run, job, int(now), int(now) + SESSION_SECONDS)


def item(note: LockNote) -> Item:
    """The row of the control table."""
    fields = {name: one for name, one in note._asdict().items() if name != "who"}
    return {"pk": key(note.who), "expires": int(note.began) + _KEPT_SECONDS, **fields}


def note_of(lock: StateLock, row: Item | None) -> LockNote | None:
    """The job that took this lock, by the row of who holds it; None where none can have."""
    try:
        fields = {name: (row or {})[name] for name in LockNote._fields[1:]}
        note = LockNote(lock.who, **fields)  # type: ignore[arg-type]  # (as `item` wrote it)
        fits = lock.created is not None and note.began <= lock.created <= note.ends
    except (LookupError, TypeError):
        return None
    return note if fits else None


def breakable(lock: StateLock, note: LockNote) -> float:
    """From when on nobody has credentials any more who can have taken it, in Unix seconds.

    Machines share names, and a job may have found no way to the table: so whoever took it counts
    as having had credentials since that moment, even if the note's own ended before.
    """
    return max(note.ends, (lock.created or 0.0) + SESSION_SECONDS) + MARGIN_SECONDS
