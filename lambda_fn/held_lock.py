"""The lock on the state of tofu/fleet, as OpenTofu's table shows it, and the job that took it."""

from collections.abc import Mapping
from contextlib import suppress

from fleet_control import state_lock
from fleet_control.state_lock import LockNote, StateLock
from lambda_fn.failure import Failure
from lambda_fn.http_client import Budget
from lambda_fn.settings import FunctionSettings
from lambda_fn.table import Table


def seen(
    conf: FunctionSettings, notes: Table | None, environ: Mapping[str, str], budget: Budget
) -> Mapping[str, Mapping[str, object] | None]:
    """`lock` tells of the lock, None where there is none; nothing where that is not to be seen,
    or the lock does not tell whose it is.

    `notes` is the control table. A lock that no job is known to have taken has
    no `run`, no `job`, and no moment at which it is `breakable`.
    """
    if not (conf.lock_table and conf.state_lock):
        return {}
    locks = Table(conf.lock_table, environ, budget, key="LockID")
    with suppress(Failure):
        row = locks.get(conf.state_lock)
        if row is None:
            return {"lock": None}
        if lock := state_lock.read_info(str(row.get("Info", ""))):
            return {"lock": _told(lock, _note(lock, notes))}
    return {}


def _note(lock: StateLock, notes: Table | None) -> LockNote | None:
    row = notes.get(state_lock.key(lock.who)) if notes else None
    return state_lock.note_of(lock, row)


def _told(lock: StateLock, note: LockNote | None) -> Mapping[str, object]:
    return {
        **lock._asdict(),
        "run": note and note.run,
        "job": note and note.job,
        "breakable": note and state_lock.breakable(lock, note),
    }
