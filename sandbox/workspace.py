"""The workspace that the steps of one job share: folders, environment, PATH, log."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sandbox.job_log import JobLog
from sandbox.workflow_file import JobSpec


@dataclass
class Workspace:
    """`environ` and `path` are what each step gets; an action may add to both."""

    folder: Path
    job: JobSpec
    environ: dict[str, str]
    path: list[str]
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
