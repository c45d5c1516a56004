"""Locks that jobs leave whose runner was lost: what each job notes, and whose a lock is by that.

GitHub ends a job whose runner lost contact, while the engine there may still be applying. So a lock
is broken only once whoever took it has no credentials any more (docs/adr/0032).
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet_control import state_lock
from fleet_control.ledger import Run
from fleet_control.state_lock import LockNote, StateLock
from workflows.fleet_deploy import control_table, engine_error, lock, runner
from workflows.fleet_deploy.control_table import TableAway
from workflows.fleet_deploy.engine import EngineFailed
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.other_runs import Jobs
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped

_NAMELESS = (
    "The state has a lock that does not tell whose it is. See `A stuck lock` in docs/runbook.md."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundLock:
    """The lock on the state, and who holds it as far as the control table and GitHub tell.

    Attributes:
        note: of the job that took it; None where no job is known to have.
        works: whether that job has not ended by GitHub's word.
        unseen: why no note could be read, or empty.
    """

    lock: StateLock
    note: LockNote | None = None
    works: bool = False
    unseen: str = ""

    @property
    def breakable(self) -> float | None:
        """From when on a run may break it by itself, in Unix seconds; None for no such moment."""
        if self.note is None or self.works:
            return None
        return state_lock.breakable(self.lock, self.note)

    def holder(self, has: str = "has") -> str:
        """Who holds it, since when, and for which job."""
        who = f"{self.lock.who} {has} held the lock on the state{lock.since(self.lock)}"
        if self.note is None:
            return who
        return f"{who}, for the job of {_whose(self.note)} in run {self.note.run}"

    def sentence(self) -> str:
        """That, and how it is released."""
        if self.unseen:
            return (
                f"{self.holder()}, and I can't see whether a job does: {self.unseen} If nobody is "
                "at work there, an operator releases it: /fleet unlock."
            )
        if self.note is None:
            return (
                f"{self.holder()}. No job of a deploy took it: whoever did releases it, or, if "
                "nobody is at work there, an operator: /fleet unlock."
            )
        moment = self.breakable
        if moment is None:
            return f"{self.holder()}, which still runs."
        # Up to the full minute, or the moment that is told would be too early.
        return (
            f"{self.holder()}, which has ended, but what it began may not have. A deploy breaks it "
            f"from {lock.told(moment + 59)} on; an operator may before: /fleet unlock."
        )


def _whose(note: LockNote) -> str:
    return note.job.partition(":")[0]


def noted(job: JobContext, name: str) -> tuple[Annotation, ...]:
    """Write down that this job of this name is about to lock; why that could not be done."""
    note = state_lock.begun(lock.here(), job.run.id, name, job.clock.now())
    table = control_table.connect(job.environ)
    try:
        if table:
            table.put(state_lock.item(note))
    except TableAway as away:
        left = "if this job's runner is lost, its lock stays until `/fleet unlock`"
        return (Annotation("Lock not noted", f"{away} Nothing else depends on it; {left}."),)
    return ()


def look(job: JobContext, runs: Iterable[Run], jobs: Jobs) -> FoundLock | None:
    """The lock on the state; None where there is none, Stopped where it names no holder.

    `runs` are those that GitHub lists.
    """
    held = _held(job)
    if held is None:
        return None
    table = control_table.connect(job.environ)
    if table is None:
        return FoundLock(held, unseen=control_table.UNSET)
    try:
        note = state_lock.note_of(held, table.get(state_lock.key(held.who)))
    except TableAway as away:
        return FoundLock(held, unseen=str(away))
    return FoundLock(held, note, works=note is not None and _works(note, runs, jobs))


def _held(job: JobContext) -> StateLock | None:
    """The lock, as the engine names it. It takes and gives back a file beside the state first, and
    then an item of its table; of an item without the file it says nothing but that it is there."""
    if held := job.engine.lock():
        return held
    (bucket,) = runner.needed(job.environ, "TOFU_STATE_BUCKET")
    try:
        row = control_table.of_locks(job.environ).get(f"{bucket}/fleet.tfstate")
    except TableAway:  # the engine will say so
        return None
    if row is None:
        return None
    if held := state_lock.read_info(str(row.get("Info", ""))):
        return held
    raise Stopped("Locked", _NAMELESS)


def _works(note: LockNote, runs: Iterable[Run], jobs: Jobs) -> bool:
    if any(run.id == note.run and run.finished for run in runs):
        return False
    mine = [job for job in jobs(note.run) if job.name == note.job]
    return not any(job.conclusion for job in mine)


def make_way(job: JobContext, name: str, runs: Iterable[Run], jobs: Jobs) -> tuple[Annotation, ...]:
    """Break the lock of a lost runner, and note that this job is about to lock; Stopped where it is
    too early for that.

    Any other lock stays: the engine waits for it, and whoever holds it may give it back. The note
    of another job is not written over while it may be needed: machines share names.
    """
    held = look(job, runs, jobs)
    if held and (held.works or held.unseen):
        return ()
    said: tuple[Annotation, ...] = ()
    if held and held.breakable is not None:
        if job.clock.now() < held.breakable:
            raise Stopped("Locked", held.sentence())
        said = (broken(job, held, "That job has ended, and its credentials too."),)
    return said + noted(job, name)


def broken(job: JobContext, held: FoundLock, why: str) -> Annotation:
    """Break it; what the run's page says of that."""
    try:
        job.engine.unlock(held.lock.id)
    except EngineFailed:
        # So it ends, too, where it broke a lock of which it found but one half.
        if _held(job):
            raise
    run = held.note.run if held.note else 0
    log.info("fleet.lock_broken id=%s who=%s run=%d", held.lock.id, held.lock.who, run)
    said = f"{held.holder('had')}: it is broken ({held.lock.id}). {why}"
    runner.write_summary(job.environ, f"## The lock on the state is broken\n\n{said}")
    return Annotation("Lock broken", said)


@contextmanager
def telling_whose(job: JobContext, runs: Iterable[Run], jobs: Jobs) -> Iterator[None]:
    """Where the engine waited for a lock in vain, the error says who holds it, and what then."""
    try:
        yield
    except EngineFailed as failed:
        waited = lock.held(engine_error.lines(failed.said))
        held = look(job, runs, jobs) if waited else None
        if held is None:
            raise
        raise Stopped("Locked", f"Nothing was touched: {held.sentence()}") from failed
