"""GitHub Actions on this machine: one run of one workflow file at a time, in their order."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from clawbot.sandbox import run_context
from clawbot.sandbox.expression import WorkflowError, as_text, condition, filled, whole
from clawbot.sandbox.job_runner import JobRunner, workspace
from clawbot.sandbox.repository import Repository
from clawbot.sandbox.run_context import RunnerOptions
from clawbot.sandbox.run_record import JobRecord, RunRecord
from clawbot.sandbox.workflow_file import Job, WorkflowFile, load
from fleet_control.clock import Clock

log = logging.getLogger(__name__)


@dataclass
class Again:
    """What a re-run runs: everything, or one job and what needs it."""

    job: JobRecord | None = None


@dataclass
class Runner:
    """Takes dispatches and runs them; `tokens` are the jobs' own, each with its rights.

    `hold()` keeps what waits waiting, until `release()`.
    """

    options: RunnerOptions
    repository: Repository
    clock: Clock
    api_url: str = ""
    runs: list[RunRecord] = field(default_factory=list)
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = count(19_000_000_000 + secrets.randbelow(10**6) * 1000)
        self._queue: asyncio.Queue[tuple[RunRecord, Again]] = asyncio.Queue()
        self._open = asyncio.Event()
        self._open.set()
        self._now_running: JobRunner | None = None
        self._task: asyncio.Task[None] | None = None

    def file(self) -> WorkflowFile:
        return load(self.options.workflow)

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._now_running:
            await self._now_running.cancel()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def dispatch(self, inputs: Mapping[str, str]) -> RunRecord:
        """Queue a run; `inputs` are complete."""
        now = self.clock.now()
        run_id = next(self._ids)
        title, conclusion = "", None
        try:
            title = filled(self.file().run_name, {"inputs": inputs}) or self.file().name
        except WorkflowError:
            log.exception("sandbox.workflow_invalid")
            conclusion = "startup_failure"
        run = RunRecord(
            id=run_id,
            number=len(self.runs) + 1,
            title=title,
            inputs=dict(inputs),
            head_sha=self.repository.head(),
            html_url=f"{self.api_url}/{self.options.repo}/actions/runs/{run_id}",
            created=now,
            updated=now,
            started=now,
        )
        self.runs.append(run)
        if conclusion:
            self._end(run, conclusion)
        else:
            self._wait_in_line(run, Again())
        return run

    def rerun(self, run: RunRecord, job: JobRecord | None = None) -> None:
        run.attempt += 1
        run.conclusion, run.cancelled = None, False
        run.began.clear()
        run.ended.clear()
        self._wait_in_line(run, Again(job))

    async def cancel(self, run: RunRecord) -> None:
        run.cancelled = True
        if run.status != "in_progress":
            self._end(run, "cancelled")
        elif self._now_running:
            await self._now_running.cancel()

    def find(self, run_id: int) -> RunRecord | None:
        return next((run for run in self.runs if run.id == run_id), None)

    def find_job(self, job_id: int) -> tuple[RunRecord, JobRecord] | None:
        return next(((run, job) for run in self.runs for job in run.jobs if job.id == job_id), None)

    def _wait_in_line(self, run: RunRecord, again: Again) -> None:
        # `pending` is GitHub's word for one that waits for its concurrency group.
        others = any(one.status != "completed" for one in self.runs if one is not run)
        run.status = "pending" if others or not self._open.is_set() else "queued"
        run.updated = self.clock.now()
        self._queue.put_nowait((run, again))

    async def _work(self) -> None:
        while True:
            run, again = await self._queue.get()
            await self._open.wait()
            if run.status == "completed":
                continue
            try:
                await self._run(run, again)
            except WorkflowError:
                log.exception("sandbox.workflow_invalid")
                self._end(run, "startup_failure")

    async def _run(self, run: RunRecord, again: Again) -> None:
        run.status = "in_progress"
        run.started = run.updated = self.clock.now()
        run.began.set()
        file = self.file()
        for key, job in file.jobs.items():
            await self._job(run, file, key, job, again)
        conclusions = {job.conclusion for job in run.latest_jobs()}
        if run.cancelled:
            self._end(run, "cancelled")
        else:
            self._end(run, "failure" if "failure" in conclusions else "success")

    def _end(self, run: RunRecord, conclusion: str) -> None:
        run.status, run.conclusion = "completed", conclusion
        run.updated = self.clock.now()
        run.ended.set()

    async def _job(
        self, run: RunRecord, file: WorkflowFile, key: str, job: Job, again: Again
    ) -> None:
        if (
            again.job
            and key != again.job.key
            and again.job.key not in run_context.needed(file, key)
        ):
            return
        contexts = run_context.known(self.options, self.repository.branch, run, file, job)
        succeeded = all(need["result"] == "success" for need in contexts["needs"].values())
        wanted = not job.condition or (succeeded and condition(job.condition, contexts))
        if run.cancelled or not succeeded or not wanted:
            record = self._record(run, key, filled(job.name, {**contexts, "matrix": {}}) or key)
            self._complete(run, record, "cancelled" if run.cancelled else "skipped")
            return
        await self._entries(run, key, job, contexts, again)

    async def _entries(
        self, run: RunRecord, key: str, job: Job, contexts: dict[str, Any], again: Again
    ) -> None:
        """The jobs of one key: as many as its matrix has entries, all listed before the first."""
        entries = run_context.matrix(job, contexts)
        records = []
        for entry in entries:
            name = filled(job.name or key, {**contexts, "matrix": entry})
            if again.job is None or again.job.key != key or again.job.name == name:
                records.append(self._record(run, key, name, entry))
        stopped = False
        for record in records:
            if stopped or run.cancelled:
                self._complete(run, record, "cancelled")
                continue
            await self._execute(run, record, job, {**contexts, "matrix": record.matrix})
            fails_fast = job.strategy is not None and job.strategy.fail_fast
            stopped = record.conclusion == "failure" and fails_fast and self.options.fail_fast

    async def _execute(
        self, run: RunRecord, record: JobRecord, job: Job, contexts: dict[str, Any]
    ) -> None:
        record.status = "in_progress"
        record.started = run.updated = self.clock.now()
        token = f"ghs_{secrets.token_hex(18)}"
        self.tokens[token] = {str(name): level for name, level in job.permissions.items()}
        contexts["github"]["token"] = token
        folder = self.options.folder / f"{run.id}-{record.id}"
        environ = {
            **self.options.environ,
            **run_context.environ(self.options, self.repository.branch, self.api_url, run, record),
            **{name: as_text(whole(v, contexts)) for name, v in contexts["env"].items()},
            **{name: as_text(whole(v, contexts)) for name, v in job.env.items()},
        }
        place = workspace(folder, job, environ, list(self.options.path), token)
        self._now_running = JobRunner(
            job, record, contexts, place, self.options.actions, self.clock.now
        )
        try:
            await self._now_running.run()
            self._complete(run, record, self._now_running.conclusion)
        finally:
            del self.tokens[token]
            await self._now_running.cancel()
            self._now_running = None

    def _record(
        self, run: RunRecord, key: str, name: str, matrix: dict[str, Any] | None = None
    ) -> JobRecord:
        record = JobRecord(next(self._ids), key, name, run.attempt, matrix or {})
        run.jobs.append(record)
        return record

    def _complete(self, run: RunRecord, record: JobRecord, conclusion: str) -> None:
        record.status, record.conclusion = "completed", conclusion
        record.completed = run.updated = self.clock.now()
