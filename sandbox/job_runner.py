"""One job on a runner of its own: its steps in order, in a fresh folder, with GitHub's files."""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.expression import FAILED, Scope, filled, holds
from sandbox.job_log import JobLog
from sandbox.run_record import Conclusion, JobRecord, RunRecord, StepRecord
from sandbox.runner_context import RunnerContext
from sandbox.workflow_file import JobSpec, StepSpec, WorkflowError
from sandbox.workspace import Workspace


class JobRunner:
    """Runs one job to its end; where that is cancelled, what runs is killed."""

    def __init__(
        self, run: RunRecord, job: JobSpec, record: JobRecord, scope: Scope, context: RunnerContext
    ) -> None:
        self._run = run
        self._job = job
        self._record = record
        self._context = context
        self._log = JobLog(record.log, context.clock.now)
        self._token = f"ghs_{secrets.token_hex(18)}"
        self._steps: dict[str, dict[str, dict[str, str]]] = {}
        github = {"ref": context.origin.ref, "token": self._token}
        self._scope = {**scope, "github": github, "steps": self._steps}
        self._space = Workspace(
            folder=context.folder / f"{run.id}-{record.id}",
            job=job,
            environ=self._filled(run.file.env),
            path=list(context.path),
            log=self._log,
        )

    async def run(self) -> Conclusion:
        """Fill the record; never raises for what a step does."""
        self._log.mask([self._token])
        self._context.tokens[self._token] = self._job.permissions
        minutes = self._job.timeout_minutes
        steps = asyncio.create_task(self._run_steps())
        timer = asyncio.create_task(self._context.clock.sleep(minutes * 60))
        try:
            await asyncio.wait({steps, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not steps.done():
                self._log.error(
                    f"The job has exceeded the maximum execution time of {minutes} minutes."
                )
        finally:
            timer.cancel()
            steps.cancel()
            await asyncio.wait({steps})
            self._space.close()
            del self._context.tokens[self._token]
        return steps.result()

    async def _run_steps(self) -> Conclusion:
        first, last = StepRecord(name="Set up job"), StepRecord(name="Complete job")
        steps = [(step, StepRecord(name=step.name)) for step in self._job.steps]
        self._record.steps = [first, *(shown for _, shown in steps), last]
        first.begin(self._context.clock.now())
        self._space.open()
        self._end(first, Conclusion.SUCCESS)
        conclusion = Conclusion.SUCCESS
        for step, shown in steps:
            shown.begin(self._context.clock.now())
            if self._is_due(step, conclusion):
                shown.name = filled(step.name, self._scope)
                ended = await self._step(step)
                self._end(shown, ended)
                conclusion = ended if conclusion is Conclusion.SUCCESS else conclusion
            else:
                self._end(shown, Conclusion.SKIPPED)
        self._hand_on()
        last.begin(self._context.clock.now())
        self._end(last, Conclusion.SUCCESS)
        return conclusion

    def _is_due(self, step: StepSpec, so_far: Conclusion) -> bool:
        condition = step.condition.removeprefix(FAILED)
        wanted = Conclusion.SUCCESS if condition == step.condition else Conclusion.FAILURE
        return so_far is wanted and holds(condition, self._scope)

    async def _step(self, step: StepSpec) -> Conclusion:
        outputs: dict[str, str] = {}
        try:
            await (self._use if step.uses else self._script)(step, outputs)
            await self._context.goes_on.wait()
        except (WorkflowError, OSError) as error:
            self._log.error(str(error))
            return Conclusion.FAILURE
        except asyncio.CancelledError:
            self._log.error("The operation was canceled.")
            return Conclusion.CANCELLED
        finally:
            self._steps[step.id] = {"outputs": outputs}
        return Conclusion.SUCCESS

    async def _use(self, step: StepSpec, outputs: dict[str, str]) -> None:
        given = self._filled(step.given)
        self._head(step.uses, "", given)
        action = self._context.actions[step.uses.partition("@")[0]]
        playing = asyncio.create_task(asyncio.to_thread(action, given, self._space))
        try:
            outputs |= await asyncio.shield(playing)
        finally:
            # A thread can't be stopped: until it ends it might still write into our folder.
            await asyncio.wait({playing})

    async def _script(self, step: StepSpec, outputs: dict[str, str]) -> None:
        own, space = self._filled(step.env), self._space
        self._head(step.run.strip().splitlines()[0], step.run, {**space.environ, **own})
        mark = space.temp / secrets.token_hex(8)
        script, said, output, summary = (
            mark.with_suffix(one) for one in (".sh", ".log", ".output", ".summary")
        )
        script.write_text(step.run)
        environ = {
            **self._context.environ,
            **space.environ,
            **own,
            **self._runner_environ(),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        for file in (said, output, summary):
            file.touch()
        try:
            code = await _execute(("bash", "-e", str(script)), space.work, environ, said)
        finally:
            for line in _lines(said):
                self._log.hear(line)
            self._record.summary += summary.read_text(errors="replace")
        outputs |= _values(_lines(output))
        if code:
            raise WorkflowError(f"Process completed with exit code {code}.")

    def _runner_environ(self) -> dict[str, str]:
        """The variables that GitHub's runner sets, and none of our own environment."""
        run, origin = self._run, self._context.origin
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": run.actor.login,
            "GITHUB_ACTOR_ID": str(run.actor.id),
            "GITHUB_API_URL": origin.api,
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_JOB": self._record.key,
            "GITHUB_REF": origin.ref,
            "GITHUB_REPOSITORY": origin.repo,
            "GITHUB_RUN_ATTEMPT": str(run.attempt),
            "GITHUB_RUN_ID": str(run.id),
            "GITHUB_SHA": run.head_sha,
            "GITHUB_TRIGGERING_ACTOR": run.actor.login,
            "GITHUB_WORKFLOW_REF": f"{origin.repo}/{origin.path}@{origin.ref}",
            "GITHUB_WORKSPACE": str(self._space.work),
            "HOME": str(self._space.home),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join(self._space.path),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self._space.temp),
        }

    def _head(self, what: str, script: str, env: Mapping[str, str]) -> None:
        """The lines that GitHub writes before a step's own."""
        lines = [f"\x1b[36;1m{line}\x1b[0m" for line in script.rstrip().split("\n") if script]
        given = [f"  {key}: {value}" for key, value in env.items()]
        lines += ["env:", *given] if script else given
        for line in (f"##[group]Run {what}", *lines, "##[endgroup]"):
            self._log.write(line)

    def _hand_on(self) -> None:
        """Set the job's outputs, without those that hold a secret."""
        for name, value in self._filled(self._job.outputs).items():
            if self._log.masked(value) == value:
                self._record.outputs[name] = value
            else:
                self._log.write(f"##[warning]Skip output '{name}' since it may contain secret.")

    def _filled(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(text, self._scope) for name, text in texts.items()}

    def _end(self, step: StepRecord, conclusion: Conclusion) -> None:
        step.end(conclusion, self._context.clock.now())
        self._context.changes.tell()


def _lines(file: Path) -> list[str]:
    lines = file.read_text(errors="replace").split("\n")
    return lines if lines[-1] else lines[:-1]


def _values(lines: list[str]) -> dict[str, str]:
    """GITHUB_OUTPUT's ``name=value`` lines; WorkflowError where a line is no such, nor empty."""
    values = {}
    for line in filter(None, lines):
        name, is_value, value = line.partition("=")
        if not (name and is_value) or "<<" in name:
            raise WorkflowError(f"Invalid format '{line}': I know lines of name=value only")
        values[name] = value
    return values


async def _execute(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], said: Path
) -> int:
    """A step's script in a process group of its own: its exit code; what it says goes to
    the file `said`. OSError if it can't be started.

    What it left running in the background is killed, as is everything when we are cancelled.
    """
    with said.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        return await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
