"""One job on a runner of its own: its steps in order, in a fresh folder, with GitHub's files."""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clawbot.sandbox.expression import WorkflowError, as_text, filled, whole
from clawbot.sandbox.run_record import JobRecord, StepRecord, moment
from clawbot.sandbox.workflow_file import Job, Step

_COMMAND = re.compile(r"::(?P<command>[a-z-]+)(?: [^:]*)?::(?P<message>.*)")
_SHOWN_AS = {
    "error": "##[error]",
    "warning": "##[warning]",
    "notice": "##[notice]",
    "debug": "##[debug]",
    "group": "##[group]",
    "endgroup": "##[endgroup]",
}
_HEREDOC = re.compile(r"(?P<name>[^=\n]+?)<<(?P<mark>\S+)")


@dataclass
class Workspace:
    """What a job's steps share.

    Attributes:
        environ: what every later step gets beside its own `env`.
        path: folders before the runner's PATH.
        permissions: what the job's token may.
    """

    folder: Path
    temp: Path
    token: str
    permissions: Mapping[str, str]
    environment: str
    environ: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)


# An action we play ourselves: (its `with`, the workspace) -> its outputs; WorkflowError fails it.
Action = Callable[[Mapping[str, str], Workspace], dict[str, str]]


class JobRunner:
    """Runs one job to its end; `cancel` kills whatever it has started."""

    def __init__(
        self,
        job: Job,
        record: JobRecord,
        contexts: dict[str, Any],
        workspace: Workspace,
        actions: Mapping[str, Action],
        now: Callable[[], float],
    ) -> None:
        self._job = job
        self._record = record
        self._contexts = contexts
        self._workspace = workspace
        self._actions = actions
        self._now = now
        self._masks: set[str] = {workspace.token}
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False
        self._step_outputs: dict[str, Any] = {}

    async def run(self) -> None:
        """Fill the record; never raises for what a step does."""
        record = self._record
        record.steps = [StepRecord(self._title(step)) for step in self._job.steps]
        for step, shown in zip(self._job.steps, record.steps, strict=True):
            if self._cancelled or any(one.conclusion == "failure" for one in record.steps):
                shown.status, shown.conclusion = "completed", "skipped"
                continue
            shown.status = "in_progress"
            succeeded = await self._step(step)
            shown.status = "completed"
            shown.conclusion = "success" if succeeded else "failure"
        record.outputs = {
            name: as_text(whole(text, self._known())) for name, text in self._job.outputs.items()
        }

    async def cancel(self) -> None:
        self._cancelled = True
        await self._kill()

    @property
    def conclusion(self) -> str:
        if self._cancelled:
            return "cancelled"
        failed = any(step.conclusion == "failure" for step in self._record.steps)
        return "failure" if failed else "success"

    def _known(self) -> dict[str, Any]:
        return {**self._contexts, "steps": self._step_outputs}

    def _title(self, step: Step) -> str:
        return filled(step.title, self._known())

    async def _step(self, step: Step) -> bool:
        self._write(f"##[group]{self._title(step)}")
        self._write("##[endgroup]")
        try:
            outputs = await (self._use(step) if step.uses else self._script(step))
        except WorkflowError as error:
            self._write(f"##[error]{error}")
            return False
        if outputs is None:
            return False
        if step.id:
            self._step_outputs[step.id] = {"outputs": outputs, "outcome": "success"}
        return True

    async def _use(self, step: Step) -> dict[str, str]:
        name, _, _ = step.uses.partition("@")
        if name not in self._actions:
            raise WorkflowError(f"I don't play the action `{name}`")
        given = {key: as_text(whole(value, self._known())) for key, value in step.given.items()}
        return await asyncio.to_thread(self._actions[name], given, self._workspace)

    async def _script(self, step: Step) -> dict[str, str] | None:
        temp = self._workspace.temp
        script, output, summary = (
            temp / f"{name}-{secrets.token_hex(4)}" for name in ("script", "output", "summary")
        )
        script.write_text(filled(step.run, self._known()))
        output.touch()
        summary.touch()
        own = {name: as_text(whole(value, self._known())) for name, value in step.env.items()}
        code = await self._execute(
            ["bash", "-e", str(script)],
            {
                **self._workspace.environ,
                **own,
                "PATH": os.pathsep.join(self._workspace.path),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
        )
        self._record.summary += summary.read_text()
        if code:
            self._write(f"##[error]Process completed with exit code {code}.")
            return None
        return read_outputs(output.read_text())

    async def _execute(self, command: list[str], environ: dict[str, str]) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._workspace.folder,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
        )
        try:
            async with asyncio.timeout(self._job.timeout_minutes * 60):
                await self._listen(self._process)
                return await self._process.wait()
        except TimeoutError:
            self._write("##[error]The operation was canceled: it took too long.")
            return 124
        finally:
            await self._kill()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while line := await process.stdout.readline():
            self._heard(line.decode(errors="replace").rstrip("\n"))

    def _heard(self, line: str) -> None:
        command = _COMMAND.fullmatch(line)
        if command is None:
            self._write(line)
        elif command["command"] == "add-mask":
            self._masks.add(command["message"])
        else:
            shown = _SHOWN_AS.get(command["command"], f"::{command['command']}::")
            message = command["message"]
            for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
                message = message.replace(code, character)
            self._write(shown + message)

    def _write(self, line: str) -> None:
        for masked in self._masks:
            line = line.replace(masked, "***") if masked else line
        stamp = (moment(self._now()) or "").removesuffix("Z") + ".0000000Z"
        self._record.log += [f"{stamp} {part}" for part in line.split("\n")]

    async def _kill(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def read_outputs(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT: ``name=value`` lines, and ``name<<MARK`` … ``MARK`` for more than a line."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        heredoc = _HEREDOC.fullmatch(line)
        if heredoc:
            value: list[str] = []
            for inner in lines:
                if inner == heredoc["mark"]:
                    break
                value.append(inner)
            else:
                raise WorkflowError(f"GITHUB_OUTPUT: `{heredoc['mark']}` never came")
            outputs[heredoc["name"]] = "\n".join(value)
        elif "=" in line:
            name, _, value_text = line.partition("=")
            outputs[name] = value_text
        elif line:
            raise WorkflowError(f"GITHUB_OUTPUT: `{line}` is not name=value")
    return outputs


def workspace(
    folder: Path, job: Job, environ: Mapping[str, str], path: list[str], token: str
) -> Workspace:
    """A fresh folder for one job."""
    shutil.rmtree(folder, ignore_errors=True)
    work, temp, home = folder / "work", folder / "temp", folder / "home"
    for made in (work, temp, home):
        made.mkdir(parents=True)
    runner = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(work),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(temp),
    }
    return Workspace(
        folder=work,
        temp=temp,
        token=token,
        permissions={str(name): level for name, level in job.permissions.items()},
        environment=job.environment,
        environ={**runner, **environ},
        path=list(path),
    )
