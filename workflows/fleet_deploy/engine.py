"""OpenTofu, or what stands in for it: init, plan, show, apply."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.fleet_deploy import configuration, diagnosis, lock
from workflows.fleet_deploy.change import host_address, targets
from workflows.fleet_deploy.runner import needed
from workflows.fleet_deploy.stop import Stopped
from workflows.fleet_deploy.summary import bullets

FOLDER = "tofu/fleet"
_QUIET = ("-input=false", "-no-color")
_LOCKED = (*_QUIET, "-lock-timeout=5m")
_MADE = re.compile(r"^(\S+): Creation complete after .*\[id=(i-[0-9a-f]+)\]$", re.MULTILINE)
# Tokens of the run that the engine has no use for.
_WITHHELD = ("GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
# Our own, so that what it writes to either comes in its turn.
_STANDARD_OUTPUT = 1


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine at work in the fleet's folder.

    Attributes:
        program: `tofu`, or a path.
        root: the repository's root.
        backend: where the state lies, as ``key=value``.
    """

    program: str
    root: Path
    environ: Mapping[str, str]
    backend: tuple[str, ...]

    def init(self) -> None:
        """Stopped, before the engine sees it, where the folder holds what no fleet has."""
        # What an earlier one left there, the engine would take unasked.
        shutil.rmtree(self.root / FOLDER / ".terraform", ignore_errors=True)
        offences = configuration.offences(self.root, FOLDER)
        if offences:
            more = f" (and {len(offences) - 1} more)" if len(offences) > 1 else ""
            raise Stopped(
                "Guarded",
                f"OpenTofu was not started: {offences[0]}{more}.",
                bullets(offences),
            )
        self._run("init", *_QUIET, *(f"-backend-config={one}" for one in self.backend))

    def plan_hosts(self, file: Path, image: str, ids: Iterable[str]) -> Any:
        """Plan to replace these hosts, or create those that are not there, and nothing else."""
        chosen = tuple(ids)
        return self._plan(
            file,
            image,
            *(f"-replace={host_address(id_)}" for id_ in chosen),
            *(f"-target={address}" for id_ in chosen for address in targets(id_)),
        )

    def plan_rest(self, file: Path, image: str) -> Any:
        """Plan whatever differs from the configuration."""
        return self._plan(file, image)

    def apply(self, file: Path) -> dict[str, str]:
        """The machines that it made, by their addresses, as far as it named them."""
        began = time.time()
        try:
            said = self._run("apply", *_LOCKED, str(file))
        except Killed:
            self._release(began)
            raise
        return dict(_MADE.findall(said))

    def adopt(self, id_: str, machine: str, image: str) -> None:
        """Make the state know the machine that is this instance's host; EC2 is not touched."""
        address, variable = host_address(id_), f"-var=ami={image}"
        # The machine before it is gone, but may still be in the state, and stand in the way.
        options = (*_LOCKED, "-refresh-only", "-auto-approve", f"-target={address}", variable)
        self._run("apply", *options)
        self._run("import", *_LOCKED, variable, address, machine)

    def _release(self, began: float) -> None:
        """A killed engine leaves its lock: give it back, if it is surely that one."""
        try:
            self._run(
                "force-unlock", "-no-color", "-force", "whose"
            )  # refused, and says whose the lock is
        except Failed as refused:
            left = lock.held(diagnosis.lines(refused.said))
            if left and lock.is_left_by(left, began):
                self._run("force-unlock", "-no-color", "-force", left.id)

    def _plan(self, file: Path, image: str, *options: str) -> Any:
        """The plan that now lies in `file`, as JSON."""
        self._run("plan", *_LOCKED, f"-out={file}", f"-var=ami={image}", *options)
        shown = self._run("show", "-json", str(file), quiet=True)
        try:
            return json.loads(shown)
        except ValueError as error:
            raise Stopped("OpenTofu failed", "OpenTofu's plan is not JSON.") from error

    def _run(self, command: str, *options: str, quiet: bool = False) -> str:
        """What the command wrote, where it is `quiet`; else that goes to the log as it comes."""
        argv = [self.program, f"-chdir={FOLDER}", command, *options]
        try:
            with subprocess.Popen(  # noqa: S603  (a fixed command; what was asked is validated)
                argv,
                cwd=self.root,
                env=_environment(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=_STANDARD_OUTPUT if quiet else subprocess.STDOUT,
                text=True,
                encoding="utf-8",
            ) as process:
                said = _heard(process, quiet=quiet)
        except OSError as error:
            raise Stopped("OpenTofu failed", f"{self.program} can't be run: {error}.") from error
        if process.returncode < 0:
            why = f"OpenTofu's {command} was killed (signal {-process.returncode})."
            raise Killed("OpenTofu failed", f"{why} The next deploy takes it up from there.")
        if process.returncode:
            raise Failed(diagnosis.failure(command, process.returncode, said), said)
        return said


class Killed(Stopped):
    """The engine ended by a signal, with its work half done."""


class Failed(Stopped):
    """The engine said no.

    Attributes:
        said: the last of its words.
    """

    def __init__(self, sentence: str, said: str) -> None:
        super().__init__("OpenTofu failed", sentence)
        self.said = said


def read(environ: Mapping[str, str], root: Path) -> Engine:
    """The engine that the environment names; Stopped if it does not say where the state lies."""
    bucket, table, region = needed(environ, "TOFU_STATE_BUCKET", "TOFU_LOCK_TABLE", "AWS_REGION")
    return Engine(
        program=environ.get("TOFU") or "tofu",
        root=root,
        environ=environ,
        backend=(f"bucket={bucket}", f"dynamodb_table={table}", f"region={region}"),
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _WITHHELD}
    return {**kept, "TF_IN_AUTOMATION": "1"}


def _heard(process: subprocess.Popen[str], *, quiet: bool) -> str:
    if process.stdout is None:
        return ""
    if quiet:
        return process.stdout.read()
    last = deque[str](maxlen=200)
    for line in process.stdout:
        last.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    return "".join(last)
