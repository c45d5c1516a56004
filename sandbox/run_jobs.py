"""One attempt of a run: its jobs in the order of their needs, each matrix spread out."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import run_context
from sandbox.expression import Scope, filled, holds
from sandbox.job_log import JobLog
from sandbox.job_runner import JobRunner, Machine
from sandbox.matrix import Entry, entries, name_of
from sandbox.run_record import Conclusion, JobRecord, Place, RunRecord
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import Job, Permissions, WorkflowFile
from sandbox.workspace import Workspace

# GitHub cuts longer job names.
_LONGEST_NAME = 100
# What a token may where the file does not say.
_USUAL_PERMISSIONS: Permissions = {"contents": "read"}


@dataclass(frozen=True, slots=True)
class Site:
    """What every run of this stand-in has.

    Attributes:
        folder: where the jobs' folders are made.
        environ, path: what a machine of ours has; every step gets it.
        variables, secrets: the repository's.
        fail_fast: whether a matrix stops at its first failure; not every runner does.
        tokens: those of the jobs that run now, each with its rights.
        next_id: gives the next job its id.
    """

    place: Place
    folder: Path
    machine: Machine
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    environ: Mapping[str, str]
    path: tuple[str, ...]
    fail_fast: bool
    tokens: dict[str, Mapping[str, str]]
    next_id: Callable[[], int]


@dataclass
class _Spread:
    """The jobs of one key at work: `room` for how many at once, `stopped` by the first failure."""

    room: asyncio.Semaphore
    total: int
    runners: set[JobRunner] = field(default_factory=set)
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
        for runner in self.runners:
            runner.cancel()


class RunJobs:
    """`again` names the jobs that a re-run runs; the results of the others stay as they are."""

    def __init__(
        self, run: RunRecord, file: WorkflowFile, site: Site, again: frozenset[int] | None = None
    ) -> None:
        self._run = run
        self._file = file
        self._site = site
        self._only = _chosen(run, again)
        self._ended = {key: asyncio.Event() for key in file.jobs}
        self._spreads: list[_Spread] = []
        self._cancelled = False

    def cancel(self) -> None:
        """Kill what runs; what has not begun will not, unless it says `always()`."""
        self._cancelled = True
        for spread in self._spreads:
            spread.stop()

    async def run(self) -> Conclusion:
        async with asyncio.TaskGroup() as group:
            for key in self._file.jobs:
                group.create_task(self._key(key))
        together = run_context.result(
            job for job in self._run.latest_jobs() if job.conclusion is not Conclusion.SKIPPED
        )
        if self._cancelled:
            return Conclusion.CANCELLED
        return Conclusion.SUCCESS if together is Conclusion.SKIPPED else together

    async def _key(self, key: str) -> None:
        """All jobs of one key, once those that it needs have ended."""
        for need in self._file.jobs[key].needs:
            await self._ended[need].wait()
        if self._is_again(key):
            await self._begin(key)
        self._ended[key].set()

    def _is_again(self, key: str) -> bool:
        only = self._only
        return only is None or key in only or not self._file.before(key).isdisjoint(only)

    async def _begin(self, key: str) -> None:
        job, scope = self._file.jobs[key], self._scope(key)
        try:
            if not holds(job.condition, scope):
                self._skip(key, scope)
                return
            found = entries(job.strategy.matrix, scope) if job.strategy else [{}]
            names = [
                self._name(key, entry, scope, _strategy(job, index, len(found)))
                for index, entry in enumerate(found)
            ]
        except WorkflowError as error:
            record = self._record(key, key)
            self._log(record).error(str(error))
            self._end(record, Conclusion.FAILURE)
            return
        await self._spread_out(
            job,
            [
                self._record(key, name, entry)
                for name, entry in zip(names, found, strict=True)
                if self._only is None or name in self._only.get(key, {name})
            ],
        )

    def _skip(self, key: str, scope: Scope) -> None:
        # GitHub has no entry to fill in, and shows such a name as it is written.
        job = self._file.jobs[key]
        name = job.name or key if job.strategy else self._name(key, {}, scope, _strategy(job, 0, 1))
        skipped = Conclusion.CANCELLED if self._cancelled else Conclusion.SKIPPED
        self._end(self._record(key, name), skipped)

    async def _spread_out(self, job: Job, records: list[JobRecord]) -> None:
        """As many at once as may be, all listed before the first begins."""
        at_once = (job.strategy and job.strategy.max_parallel) or len(records)
        spread = _Spread(asyncio.Semaphore(max(1, at_once)), len(records))
        self._spreads.append(spread)
        async with asyncio.TaskGroup() as group:
            for index, record in enumerate(records):
                group.create_task(self._in_turn(job, record, spread, index))

    async def _in_turn(self, job: Job, record: JobRecord, spread: _Spread, index: int) -> None:
        async with spread.room:
            if spread.stopped:
                self._end(record, Conclusion.CANCELLED)
                return
            await self._execute(job, record, spread, index)
            fails_fast = self._site.fail_fast and bool(job.strategy and job.strategy.fail_fast)
            if record.conclusion is Conclusion.FAILURE and fails_fast:
                spread.stop()

    async def _execute(self, job: Job, record: JobRecord, spread: _Spread, index: int) -> None:
        token = f"ghs_{secrets.token_hex(18)}"
        space = self._workspace(job, record, token)
        contexts = {
            **self._scope(record.key).contexts,
            "github": space.github,
            "matrix": record.entry,
            "secrets": {**self._site.secrets, "GITHUB_TOKEN": token},
            "strategy": _strategy(job, index, spread.total),
        }
        runner = JobRunner(self._file, record, contexts, space, self._site.machine)
        spread.runners.add(runner)
        self._site.tokens[token] = space.permissions
        conclusion = Conclusion.CANCELLED
        record.begin(self._now())
        self._tell()
        try:
            space.open()
            (space.temp / "event.json").write_text(json.dumps(space.github["event"]))
            conclusion = await runner.run()
        finally:
            del self._site.tokens[token]
            spread.runners.discard(runner)
            space.close()
            self._end(record, conclusion)

    def _workspace(self, job: Job, record: JobRecord, token: str) -> Workspace:
        folder = self._site.folder / f"{self._run.id}-{record.id}"
        scope = Scope({**self._scope(record.key).contexts, "matrix": record.entry})
        log = self._log(record)
        log.mask([token, *self._site.secrets.values()])
        permissions = job.permissions if job.permissions is not None else self._file.permissions
        return Workspace(
            folder=folder,
            base=self._site.environ,
            environ={},
            path=list(self._site.path),
            permissions={
                str(name): level
                for name, level in (
                    _USUAL_PERMISSIONS if permissions is None else permissions
                ).items()
            },
            environment=filled(job.environment, scope),
            github=run_context.github(self._site.place, self._run, record.key, token, folder),
            log=log,
        )

    def _scope(self, key: str) -> Scope:
        """What a job's own keys see; its `if` asks for all jobs before it, near and far."""
        run, site, job = self._run, self._site, self._file.jobs[key]
        contexts: dict[str, Any] = {
            "github": run_context.github(site.place, run, key),
            "inputs": run.inputs,
            "vars": site.variables,
            "needs": {need: run_context.needed(self._jobs_of(need)) for need in job.needs},
        }
        results = (run_context.result(self._jobs_of(one)) for one in self._file.before(key))
        return Scope(contexts, run_context.status(results, cancelled=self._cancelled))

    def _jobs_of(self, key: str) -> list[JobRecord]:
        return [job for job in self._run.latest_jobs() if job.key == key]

    def _name(self, key: str, entry: Entry, scope: Scope, strategy: Mapping[str, Any]) -> str:
        job = self._file.jobs[key]
        named = Scope({**scope.contexts, "matrix": entry, "strategy": strategy})
        name = filled(job.name, named) or name_of(key, entry)
        return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."

    def _record(self, key: str, name: str, entry: Entry | None = None) -> JobRecord:
        record = JobRecord(
            id=self._site.next_id(),
            key=key,
            name=name,
            attempt=self._run.attempt,
            created=self._now(),
            entry=entry or {},
        )
        self._run.jobs.append(record)
        self._tell()
        return record

    def _log(self, record: JobRecord) -> JobLog:
        return JobLog(record.log, self._site.machine.clock.now)

    def _now(self) -> float:
        return self._site.machine.clock.now()

    def _end(self, record: JobRecord, conclusion: Conclusion) -> None:
        record.end(conclusion, self._now())
        self._tell()

    def _tell(self) -> None:
        self._run.updated = self._now()
        self._site.machine.tell()


def _chosen(run: RunRecord, again: frozenset[int] | None) -> dict[str, set[str]] | None:
    """The names of the jobs to run again, by key; None for all."""
    if again is None:
        return None
    chosen: dict[str, set[str]] = {}
    for job in run.jobs:
        if job.id in again:
            chosen.setdefault(job.key, set()).add(job.name)
    return chosen


def _strategy(job: Job, index: int, total: int) -> dict[str, Any]:
    asked = job.strategy
    return run_context.strategy(
        index,
        total,
        fail_fast=asked.fail_fast if asked else True,
        max_parallel=asked.max_parallel if asked else 1,
    )
