"""What the steps of one job share: folders, environment, PATH, rights."""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.environment_file import read_values
from sandbox.job_log import JobLog

_FILES = ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE")


@dataclass
class Workspace:
    """One job's; `close` removes all of it.

    Attributes:
        base: what every step gets of its machine.
        environ: what the file's `env` and the steps themselves have added.
        path: folders, the first first.
        permissions: what the job's token may.
        github: the `github` context, as the job sees it.
    """

    folder: Path
    base: Mapping[str, str]
    environ: dict[str, str]
    path: list[str]
    permissions: Mapping[str, str]
    environment: str
    github: Mapping[str, Any]
    log: JobLog

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def tools(self) -> Path:
        return self.folder / "tools"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def open(self) -> None:
        for folder in (self.work, self.temp, self.tools, self.home):
            folder.mkdir(parents=True)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def runner_environ(self) -> dict[str, str]:
        """Nothing of our own environment; what a runner of GitHub's sets."""
        shown = {key: value for key, value in self.github.items() if key not in ("event", "token")}
        return {
            **self.base,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **{f"GITHUB_{key.upper()}": str(value) for key, value in shown.items()},
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "RUNNER_ARCH": "X64",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "RUNNER_NAME": "GitHub Actions 1",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_TOOL_CACHE": str(self.tools),
        }

    def step_environ(self, own: Mapping[str, str], files: "StepFiles") -> dict[str, str]:
        """A step's whole environment; nobody but the runner says what GITHUB_… is."""
        path = self.environ.get("PATH") or os.pathsep.join(self.path)
        return {
            **self.base,
            **self.environ,
            **own,
            **self.runner_environ(),
            "PATH": own.get("PATH", path),
            **files.environ(),
        }


@dataclass(frozen=True, slots=True)
class StepFiles:
    """The files by which one step tells its runner something."""

    folder: Path
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def file(self, name: str) -> Path:
        return self.folder / f"{name.lower()}-{self.mark}"

    def environ(self) -> dict[str, str]:
        return {f"GITHUB_{name}": str(self.file(name)) for name in _FILES}

    def create(self) -> None:
        for name in _FILES:
            self.file(name).touch()

    def values(self, name: str) -> dict[str, str]:
        """OUTPUT's or ENV's; WorkflowError where it has not the form."""
        return read_values(self.file(name).read_text(errors="replace"))

    def text(self, name: str) -> str:
        return self.file(name).read_text(errors="replace")


def shell_command(shell: str, script: Path) -> Sequence[str]:
    """How GitHub calls a script: unasked, bash without `pipefail`."""
    match shell:
        case "bash":
            return ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script))
        case "sh":
            return ("sh", "-e", str(script))
        case _:
            return ("bash", "-e", str(script))
