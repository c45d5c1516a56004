"""One attempt of a run: its jobs one after the other, those of a matrix too."""

import asyncio

from sandbox.expression import Scope, filled, holds
from sandbox.job_log import JobLog
from sandbox.job_runner import JobRunner
from sandbox.run_record import Conclusion, JobRecord, RunRecord
from sandbox.runner_context import RunnerContext
from sandbox.workflow_file import JobSpec, MatrixEntry, WorkflowError, entries

# GitHub cuts longer job names.
_LONGEST_NAME = 100


class RunJobs:
    """When `run` is cancelled, what runs is killed, and what has not begun will not."""

    def __init__(self, run: RunRecord, context: RunnerContext) -> None:
        self._run = run
        self._context = context
        self._cancelled = False

    async def run(self) -> Conclusion:
        self._run.begin(self._context.clock.now())
        self._tell()
        again = [job for job in self._run.jobs if job.id in self._run.again]
        began = not again
        for key, job in self._run.file.jobs.items():
            chosen = {one.name for one in again if one.key == key}
            began = began or bool(chosen)
            if began:
                await self._begin(key, job, chosen)
        found = {job.conclusion for job in self._run.latest_jobs()}
        worst = (Conclusion.FAILURE, Conclusion.CANCELLED)
        return next((one for one in worst if one in found), Conclusion.SUCCESS)

    async def _begin(self, key: str, job: JobSpec, chosen: set[str]) -> None:
        """All jobs of one key, or those chosen by name; none where one before did not succeed."""
        scope = self._scope(job)
        if self._cancelled or not (self._is_well_before(key) and holds(job.condition, scope)):
            # GitHub shows a name of a matrix that was never spread out as it is written.
            ended = Conclusion.CANCELLED if self._cancelled else Conclusion.SKIPPED
            self._end(self._record(key, job.name), ended)
            return
        try:
            found = entries(job.matrix, scope) if job.matrix else [{}]
        except WorkflowError as error:
            record = self._record(key, key)
            JobLog(record.log, self._context.clock.now).error(str(error))
            self._end(record, Conclusion.FAILURE)
            return
        named = [(_name(job, entry), entry) for entry in found]
        await self._in_turn(
            job,
            [self._record(key, *one) for one in named if not chosen or one[0] in chosen],
        )

    def _is_well_before(self, key: str) -> bool:
        before = list(self._run.file.jobs)[: list(self._run.file.jobs).index(key)]
        jobs = [job for job in self._run.latest_jobs() if job.key in before]
        return all(job.conclusion is Conclusion.SUCCESS for job in jobs)

    async def _in_turn(self, job: JobSpec, records: list[JobRecord]) -> None:
        """Run the jobs one after the other; after a failure the others are cancelled."""
        conclusion = Conclusion.SUCCESS
        for record in records:
            if conclusion is Conclusion.SUCCESS:
                conclusion = await self._execute(job, record)
            else:
                self._end(record, Conclusion.CANCELLED)

    async def _execute(self, job: JobSpec, record: JobRecord) -> Conclusion:
        scope = {**self._scope(job), "matrix": record.entry}
        runner = JobRunner(self._run, job, record, scope, self._context)
        record.begin(self._context.clock.now())
        self._tell()
        conclusion = Conclusion.FAILURE
        try:
            conclusion = await runner.run()
        except asyncio.CancelledError:
            self._cancelled, conclusion = True, Conclusion.CANCELLED
        finally:
            self._end(record, conclusion)
        return conclusion

    def _scope(self, job: JobSpec) -> Scope:
        """The contexts that a job's keys see; in a matrix, the last job to set an output wins."""
        needs: dict[str, dict[str, dict[str, str]]] = {one: {"outputs": {}} for one in job.needs}
        for one in self._run.latest_jobs():
            if one.key in needs:
                needs[one.key]["outputs"] |= one.outputs
        return {"inputs": self._run.inputs, "vars": self._context.variables, "needs": needs}

    def _record(self, key: str, name: str, entry: MatrixEntry | None = None) -> JobRecord:
        record = JobRecord(
            id=next(self._context.ids),
            key=key,
            name=name,
            attempt=self._run.attempt,
            created=self._context.clock.now(),
            entry=entry or {},
        )
        self._run.jobs.append(record)
        self._tell()
        return record

    def _end(self, record: JobRecord, conclusion: Conclusion) -> None:
        record.end(conclusion, self._context.clock.now())
        self._tell()

    def _tell(self) -> None:
        self._run.updated = self._context.clock.now()
        self._context.changes.tell()


def _name(job: JobSpec, entry: MatrixEntry) -> str:
    name = filled(job.name, {"matrix": entry})
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
