"""One job on a runner of its own: its steps in order, in a fresh folder, with GitHub's files."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_control.clock import Clock
from sandbox import run_context
from sandbox.actions import Action
from sandbox.expression import Scope, Status, filled, holds, whole
from sandbox.expression_value import as_text
from sandbox.job_log import JobLog
from sandbox.run_record import Conclusion, JobRecord, StepRecord
from sandbox.step_process import execute
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import Job, Step, Texts, WorkflowFile
from sandbox.workspace import StepFiles, Workspace, shell_command


@dataclass(frozen=True, slots=True)
class Machine:
    """What all jobs are run with; `tell` is called after each change of a record."""

    actions: Mapping[str, Action]
    clock: Clock
    tell: Callable[[], None]


class JobRunner:
    """Runs one job to its end; `cancel` kills the step that runs, and ends the job."""

    def __init__(
        self,
        file: WorkflowFile,
        record: JobRecord,
        contexts: Mapping[str, Any],
        workspace: Workspace,
        machine: Machine,
    ) -> None:
        self._file = file
        self._job: Job = file.jobs[record.key]
        self._record = record
        self._contexts = contexts
        self._workspace = workspace
        self._machine = machine
        self._log: JobLog = workspace.log
        self._steps: dict[str, Any] = {}
        self._failed = False
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    async def run(self) -> Conclusion:
        """Fill the record; never raises for what a step does."""
        timer = asyncio.create_task(self._end_in_time())
        try:
            await self._run_steps()
            self._record.outputs = self._outputs()
        except WorkflowError as error:
            self._log.error(str(error))
            self._failed = True
        finally:
            timer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await timer
        return self._conclusion

    @property
    def _conclusion(self) -> Conclusion:
        if self._failed:
            return Conclusion.FAILURE
        return Conclusion.CANCELLED if self._cancelled.is_set() else Conclusion.SUCCESS

    async def _end_in_time(self) -> None:
        await self._machine.clock.sleep(self._job.timeout_minutes * 60)
        self._log.error(
            "The job has exceeded the maximum execution time of "
            f"{as_text(self._job.timeout_minutes)} minutes."
        )
        self.cancel()

    async def _run_steps(self) -> None:
        first, last = StepRecord(name="Set up job"), StepRecord(name="Complete job")
        steps = [(step, StepRecord(name=step.title)) for step in self._job.steps]
        self._record.steps = [first, *(shown for _, shown in steps), last]
        first.begin(self._now())
        self._workspace.environ = self._evaluated(self._file.env)
        self._workspace.environ |= self._evaluated(self._job.env)
        self._end(first, Conclusion.SUCCESS)
        for step, shown in steps:
            await self._step(step, shown)
        last.begin(self._now())
        self._end(last, Conclusion.SUCCESS)

    async def _step(self, step: Step, shown: StepRecord) -> None:
        outputs: dict[str, str] = {}
        shown.begin(self._now())
        try:
            wanted = holds(step.condition, self._scope())
            if wanted:
                shown.name = filled(step.title, self._scope())
                self._machine.tell()
            task = self._play(step, shown.name, outputs) if wanted else None
            conclusion = await self._unless_cancelled(task) if task else Conclusion.SKIPPED
        except (WorkflowError, OSError) as error:
            self._log.error(str(error))
            conclusion = Conclusion.FAILURE
        self._failed = self._failed or conclusion is Conclusion.FAILURE
        if step.id:
            ended = {"outcome": str(conclusion), "conclusion": str(conclusion)}
            self._steps[step.id] = {"outputs": outputs, **ended}
        self._end(shown, conclusion)

    async def _unless_cancelled(self, playing: Awaitable[Conclusion]) -> Conclusion:
        """Its conclusion; killed if the job is cancelled meanwhile."""
        if self._cancelled.is_set():
            # Only `always()` and `cancelled()` come here: GitHub lets them finish.
            return await playing
        task = asyncio.ensure_future(playing)
        cancel = asyncio.create_task(self._cancelled.wait())
        try:
            await asyncio.wait({task, cancel}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            self._log.error("The operation was canceled.")
            return Conclusion.CANCELLED
        finally:
            task.cancel()
            cancel.cancel()
            await asyncio.gather(task, cancel, return_exceptions=True)

    async def _play(self, step: Step, title: str, outputs: dict[str, str]) -> Conclusion:
        if step.uses:
            return await self._use(step, outputs)
        return await self._script(step, title, outputs)

    async def _use(self, step: Step, outputs: dict[str, str]) -> Conclusion:
        name = step.uses.partition("@")[0]
        given = self._evaluated(step.given)
        self._head(f"Run {step.uses}", [f"  {key}: {value}" for key, value in given.items()])
        action = self._machine.actions[name]
        playing = asyncio.create_task(asyncio.to_thread(action.play, given, self._workspace))
        try:
            outputs |= await asyncio.shield(playing)
        finally:
            # A thread can't be stopped: until it ends it might still write into our folder.
            await asyncio.wait({playing})
        return Conclusion.SUCCESS

    async def _script(self, step: Step, title: str, outputs: dict[str, str]) -> Conclusion:
        scope, space = self._scope(), self._workspace
        files = StepFiles(space.temp)
        files.create()
        script = files.file("SCRIPT")
        script.write_text(text := filled(step.run, scope))
        own = self._evaluated(step.env)
        shell = step.shell or self._job.defaults.run.shell or self._file.defaults.run.shell
        command = shell_command(shell, script)
        lines = [f"\x1b[36;1m{line}\x1b[0m" for line in text.rstrip().split("\n")]
        env = {**space.environ, **own}
        lines += ["env:", *(f"  {key}: {value}" for key, value in env.items())] if env else []
        self._head(f"Run {text.strip().splitlines()[0]}" if not step.name else title, lines)
        environ = space.step_environ(own, files)
        code = await execute(command, self._folder(step, scope), environ, self._log.hear)
        self._record.summary += files.text("STEP_SUMMARY")
        outputs |= files.values("OUTPUT")
        space.environ |= files.values("ENV")
        space.path[:0] = reversed(files.text("PATH").splitlines())
        if code:
            self._log.error(f"Process completed with exit code {code}.")
        return Conclusion.FAILURE if code else Conclusion.SUCCESS

    def _folder(self, step: Step, scope: Scope) -> Path:
        defaults = (self._job.defaults.run, self._file.defaults.run)
        asked = (step.working_directory, *(one.working_directory for one in defaults))
        return self._workspace.work / filled(next(filter(None, asked), ""), scope)

    def _head(self, title: str, lines: Iterable[str]) -> None:
        """What GitHub writes before a step's own lines."""
        for line in (f"##[group]{title}", *lines, "##[endgroup]"):
            self._log.write(line)

    def _outputs(self) -> dict[str, str]:
        """What the job hands to those after it; GitHub hands no secret on."""
        outputs: dict[str, str] = {}
        for name, text in self._job.outputs.items():
            value = as_text(whole(text, self._scope()))
            if self._log.masked(value) == value:
                outputs[name] = value
            else:
                self._log.write(f"##[warning]Skip output '{name}' since it may contain secret.")
        return outputs

    def _evaluated(self, texts: Texts) -> dict[str, str]:
        scope = self._scope()
        return {name: as_text(whole(text, scope)) for name, text in texts.items()}

    def _scope(self) -> Scope:
        cancelled = self._cancelled.is_set()
        status = Status(not self._failed and not cancelled, self._failed, cancelled)
        return Scope(
            {
                **self._contexts,
                "env": self._workspace.environ,
                "job": {"status": "failure" if self._failed else str(self._conclusion)},
                "runner": run_context.runner(self._workspace),
                "steps": self._steps,
            },
            status,
        )

    def _now(self) -> float:
        return self._machine.clock.now()

    def _end(self, step: StepRecord, conclusion: Conclusion) -> None:
        step.end(conclusion, self._now())
        self._machine.tell()
