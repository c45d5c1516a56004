"""GitHub Actions on this machine: queues the dispatches of one workflow, runs one at a time."""

import asyncio
import logging
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sandbox.expression import filled
from sandbox.run_jobs import RunJobs
from sandbox.run_record import CONTROL_API, Actor, Conclusion, JobRecord, RunRecord, RunStatus
from sandbox.runner_context import RunnerContext
from sandbox.workflow_file import WorkflowFile, load

MOST_PENDING = 100

log = logging.getLogger(__name__)


@dataclass
class Runner:
    """One run at a time: the file's concurrency group is one for all, and all may wait."""

    context: RunnerContext
    runs: list[RunRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._waiting: list[RunRecord] = []
        self._going: RunRecord | None = None
        self._task: asyncio.Task[Conclusion] | None = None

    def file(self) -> WorkflowFile:
        """The workflow file as it is now; WorkflowError if it is not understood."""
        return load(self.context.workflow)

    async def stop(self) -> None:
        """Stop everything: running jobs are killed, and their folders removed."""
        self._waiting.clear()
        if self._task:
            self._kill(self._task)
            await asyncio.wait({self._task})
        shutil.rmtree(self.context.folder, ignore_errors=True)

    def dispatch(
        self,
        inputs: Mapping[str, str],
        file: WorkflowFile | None = None,
        actor: Actor = CONTROL_API,
    ) -> RunRecord:
        """Begin a run, or put it in line; its own file is read where none is given."""
        file, now = file or self.file(), self.context.clock.now()
        run = RunRecord(
            id=next(self.context.ids),
            number=len(self.runs) + 1,
            title=filled(file.run_name, {"inputs": inputs}),
            file=file,
            inputs=dict(inputs),
            head_sha=self.context.repository.head(),
            actor=actor,
            created=now,
            triggered=now,
            updated=now,
        )
        self.runs.append(run)
        self._enter(run)
        return run

    def rerun(self, run: RunRecord, jobs: Iterable[JobRecord] = ()) -> None:
        """Another attempt of a run that has ended: of all its jobs, or these and who needs them."""
        run.attempt, run.triggered = run.attempt + 1, self.context.clock.now()
        run.conclusion = run.completed = run.started = None
        run.again = frozenset(job.id for job in jobs)
        self._enter(run)

    def cancel(self, run: RunRecord) -> None:
        """End a waiting run at once; kill a running one, which ends soon."""
        if run in self._waiting:
            self._waiting.remove(run)
            self._end(run, Conclusion.CANCELLED)
        elif self._task and run is self._going:
            self._kill(self._task)

    def _kill(self, task: asyncio.Task[Conclusion]) -> None:
        # Once: a second time would break off what it does to end.
        if not task.cancelling():
            task.cancel()

    def find(self, run_id: int) -> RunRecord | None:
        return next((run for run in self.runs if run.id == run_id), None)

    def listed(self) -> list[RunRecord]:
        """The runs as GitHub's list has them: some seconds late."""
        until = self.context.clock.now() - self.context.listed_after
        return [run for run in self.runs if run.created <= until]

    def find_job(self, job_id: int) -> tuple[RunRecord, JobRecord] | None:
        return next(((run, job) for run in self.runs for job in run.jobs if job.id == job_id), None)

    def _enter(self, run: RunRecord) -> None:
        run.status, run.updated = RunStatus.PENDING, self.context.clock.now()
        self._waiting.append(run)
        if not self._going:
            self._begin_next()
        elif len(self._waiting) > MOST_PENDING:
            self.cancel(run)
        self.context.changes.tell()

    def _begin_next(self) -> None:
        if self._waiting:
            self._going = run = self._waiting.pop(0)
            run.status = RunStatus.QUEUED
            self._task = asyncio.create_task(RunJobs(run, self.context).run())
            self._task.add_done_callback(partial(self._ended, run))

    def _ended(self, run: RunRecord, task: asyncio.Task[Conclusion]) -> None:
        self._going = None
        if task.cancelled():
            self._end(run, Conclusion.CANCELLED)
        elif error := task.exception():
            log.error("sandbox.run_broken run=%s", run.id, exc_info=error)
            self._end(run, Conclusion.FAILURE)
        else:
            self._end(run, task.result())
        self._begin_next()

    def _end(self, run: RunRecord, conclusion: Conclusion) -> None:
        run.end(conclusion, self.context.clock.now())
        run.updated = self.context.clock.now()
        self.context.changes.tell()
