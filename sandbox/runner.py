"""GitHub Actions on this machine: takes dispatches of one workflow file, and runs them in turn."""

import asyncio
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from fleet_control.clock import Clock
from sandbox import run_context
from sandbox.actions import Action
from sandbox.changes import Changes
from sandbox.concurrency import Lanes, Rule
from sandbox.expression import Scope, filled
from sandbox.job_runner import Machine
from sandbox.repository import Repository
from sandbox.run_jobs import RunJobs, Site
from sandbox.run_record import (
    CONTROL_API,
    Account,
    Conclusion,
    JobRecord,
    Place,
    RunRecord,
    RunStatus,
)
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import WorkflowFile
from sandbox.workflow_reader import load

log = logging.getLogger(__name__)


def usual_path() -> tuple[str, ...]:
    """This interpreter's folder first, so that a step's `python3` is ours."""
    return (str(Path(sys.executable).parent), *os.defpath.split(os.pathsep))


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """What the runs get from outside their file.

    Attributes:
        workflow: the file.
        repo: ``owner/name``.
        folder: where the jobs' folders are made.
        variables, secrets: the repository's `vars` and `secrets`.
        environ, path: what a machine of ours has; every step gets it.
        fail_fast: whether a matrix stops at its first failure; not every runner does.
    """

    workflow: Path
    repo: str
    folder: Path
    variables: Mapping[str, str]
    environ: Mapping[str, str]
    actions: Mapping[str, Action]
    path: tuple[str, ...] = field(default_factory=usual_path)
    secrets: Mapping[str, str] = field(default_factory=dict)
    fail_fast: bool = True


@dataclass
class Runner:
    """`tokens` are those of the jobs that run now, each with its rights.

    `hold()` keeps what is queued waiting for a runner, until `release()`.
    """

    options: RunnerOptions
    repository: Repository
    clock: Clock
    api_url: str = ""
    runs: list[RunRecord] = field(default_factory=list)
    tokens: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes = Changes()
        # GitHub's ids are large, and grow over all its repositories.
        self._ids = count(19_000_000_000 + secrets.randbelow(10**6) * 1000)
        self._lanes = Lanes(self._begin, self.cancel)
        self._again: dict[int, frozenset[int]] = {}
        self._playing: dict[int, RunJobs] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def place(self) -> Place:
        options = self.options
        return Place(self.api_url, options.repo, options.workflow.name, self.repository.branch)

    def file(self) -> WorkflowFile:
        """The workflow file as it is now; WorkflowError if GitHub would not start it."""
        known = {name: action.known for name, action in self.options.actions.items()}
        return load(self.options.workflow, known)

    def hold(self) -> None:
        self._lanes.hold()

    def release(self) -> None:
        self._lanes.release()

    async def stop(self) -> None:
        """End everything; what ran is killed, and its folders are removed."""
        self._lanes.hold()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self.options.folder, ignore_errors=True)

    def dispatch(
        self,
        inputs: Mapping[str, str],
        file: WorkflowFile | None = None,
        actor: Account = CONTROL_API,
    ) -> RunRecord:
        """Begin a run, or put it in line; its own file is read where none is given.

        A file that is not valid is a run that ends at once, as `startup_failure`.
        """
        now, problem, rule = self.clock.now(), "", None
        title = workflow = self.place.path
        try:
            file = file or self.file()
            scope = run_context.of_event(self.place, inputs, self.options.variables)
            workflow = file.name or workflow
            title, rule = filled(file.run_name, scope).strip() or workflow, _rule(file, scope)
        except WorkflowError as error:
            problem = str(error)
        run = RunRecord(
            id=next(self._ids),
            number=len(self.runs) + 1,
            title=title,
            workflow=workflow,
            inputs=dict(inputs),
            head_sha=self.repository.head(),
            actor=actor,
            created=now,
            triggered=now,
            updated=now,
            file=file,
            problem=problem,
        )
        self.runs.append(run)
        self._enter(run, rule)
        return run

    def rerun(self, run: RunRecord, jobs: Iterable[JobRecord] | None = None) -> None:
        """Another attempt of a run that has ended: of all its jobs, or these and who needs them."""
        run.attempt, run.triggered = run.attempt + 1, self.clock.now()
        run.conclusion = run.completed = run.started = None
        if jobs is not None:
            self._again[run.id] = frozenset(job.id for job in jobs)
        scope = run_context.of_event(self.place, run.inputs, self.options.variables)
        self._enter(run, _rule(run.file, scope) if run.file else None)

    def cancel(self, run: RunRecord) -> None:
        """What waits ends at once; what runs is killed, and ends soon."""
        if run.id in self._playing:
            self._playing[run.id].cancel()
        elif not run.ended:
            self._end(run, Conclusion.CANCELLED)

    def find(self, run_id: int) -> RunRecord | None:
        return next((run for run in self.runs if run.id == run_id), None)

    def find_job(self, job_id: int) -> tuple[RunRecord, JobRecord] | None:
        return next(((run, job) for run in self.runs for job in run.jobs if job.id == job_id), None)

    def _enter(self, run: RunRecord, rule: Rule | None) -> None:
        run.status, run.updated = RunStatus.QUEUED, self.clock.now()
        if run.problem:
            log.error("sandbox.workflow_invalid run=%s problem=%s", run.id, run.problem)
            self._end(run, Conclusion.STARTUP_FAILURE)
        else:
            self._lanes.enter(run, rule)
            self.changes.tell()

    def _begin(self, run: RunRecord) -> None:
        if run.file is None:
            raise ValueError("a run without a file has ended already")
        playing = RunJobs(run, run.file, self._site(), self._again.pop(run.id, None))
        self._playing[run.id] = playing
        task = asyncio.create_task(self._play(run, playing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, run: RunRecord, playing: RunJobs) -> None:
        run.begin(self.clock.now())
        run.updated = self.clock.now()
        self.changes.tell()
        conclusion = Conclusion.FAILURE
        try:
            conclusion = await playing.run()
        except asyncio.CancelledError:
            conclusion = Conclusion.CANCELLED
            raise
        except Exception:
            log.exception("sandbox.run_broken run=%s", run.id)
        finally:
            del self._playing[run.id]
            self._end(run, conclusion)

    def _end(self, run: RunRecord, conclusion: Conclusion) -> None:
        run.end(conclusion, self.clock.now())
        run.updated = self.clock.now()
        self._again.pop(run.id, None)
        self._lanes.leave(run)
        self.changes.tell()

    def _site(self) -> Site:
        options = self.options
        return Site(
            place=self.place,
            folder=options.folder,
            machine=Machine(options.actions, self.clock, self.changes.tell),
            variables=options.variables,
            secrets=options.secrets,
            environ=options.environ,
            path=options.path,
            fail_fast=options.fail_fast,
            tokens=self.tokens,
            next_id=lambda: next(self._ids),
        )


def _rule(file: WorkflowFile, scope: Scope) -> Rule | None:
    asked = file.concurrency
    if asked is None:
        return None
    group = filled(asked.group, scope)
    return Rule(group, keep_all=asked.queue == "max", cancel_running=asked.cancel_in_progress)
