"""OpenTofu, or what stands in for it: init, plan, show, apply."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleet_control.state_lock import StateLock
from workflows.fleet_deploy import configuration_check, engine_error, lock, summary
from workflows.fleet_deploy.change import host_address, targets
from workflows.fleet_deploy.runner import needed
from workflows.fleet_deploy.state import machines_of
from workflows.fleet_deploy.stopped import Stopped

FOLDER = "tofu/fleet"
_QUIET = ("-input=false", "-no-color")
_LOCKED = (*_QUIET, "-lock-timeout=5m")
_FORCED = ("-no-color", "-force")
_MADE = re.compile(r"^(\S+): Creation complete after .*\[id=(i-[0-9a-f]+)\]$", re.MULTILINE)
# Tokens of the run that the engine has no use for.
_WITHHELD = ("GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
# What a later job is handed reaches the engine as it is.
_REVISION, _SEED = "TF_VAR_revision", "TF_VAR_seed_sha256"
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

    def made_of(self, revision: str, seed_sha256: str) -> "Engine":
        """The same, for hosts of this revision, whose seed has that sum."""
        told = {_REVISION: revision, _SEED: seed_sha256}
        return replace(self, environ={**self.environ, **told})

    def init(self) -> None:
        """Stopped, before the engine sees it, where the folder holds what no fleet has."""
        # What an earlier one left there, the engine would take unasked.
        shutil.rmtree(self.root / FOLDER / ".terraform", ignore_errors=True)
        if offences := configuration_check.offences(self.root, FOLDER):
            raise summary.stop("Guarded", "OpenTofu was not started: ", offences)
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

    def plan_removal(self, file: Path, image: str, ids: Iterable[str]) -> Any:
        """Plan to remove the hosts of these ids, which left the registry, and nothing else."""
        addresses = (address for id_ in ids for address in targets(id_))
        return self._plan(file, image, *(f"-target={address}" for address in addresses))

    def machines(self) -> dict[str, str]:
        """The machines that the state knows, each with the instance whose host it is.

        As the state was last written: nobody is asked whether they are there.
        """
        return machines_of(self._shown("state"))

    def plan_rest(self, file: Path, image: str) -> Any:
        """Plan whatever differs from the configuration."""
        return self._plan(file, image)

    def apply(self, file: Path) -> dict[str, str]:
        """The machines that it made, by their addresses, as far as it named them."""
        return dict(_MADE.findall(self._locking("apply", str(file))))

    def adopt(self, id_: str, machine: str, image: str) -> None:
        """Make the state know the machine that is this instance's host; EC2 is not touched."""
        address, variable = host_address(id_), f"-var=ami={image}"
        # The machine before it is gone, but may still be in the state, and stand in the way.
        self._locking("apply", "-refresh-only", "-auto-approve", f"-target={address}", variable)
        self._locking("import", variable, address, machine)

    def _locking(self, command: str, *options: str) -> str:
        """What it wrote; where it was killed, the sentence says what became of its lock."""
        began = time.time()
        try:
            return self._run(command, *_LOCKED, *options)
        except EngineKilled as killed:
            raise EngineKilled(killed.title, f"{killed} {self._released(began)}") from killed

    def _released(self, began: float) -> str:
        """Give a killed engine's lock back, if it is surely that one; what is to be done now."""
        left = self.lock()
        if left and lock.is_left_by(left, began):
            with suppress(Stopped):
                self.unlock(left.id)
                return (
                    "Its lock on the state is given back: the next deploy takes it up from there."
                )
            left = self.lock()
        if left:
            return f"Its lock is not given back: {lock.stays(left)}."
        return "If its lock on the state stayed, the next deploy says so, and how to release it."

    def lock(self) -> StateLock | None:
        """The lock on the state, where there is one and the engine names it."""
        try:
            # No lock has this id, and the engine says so by telling of the one that there is.
            self._run("force-unlock", *_FORCED, "whose", errors=False)
        except EngineFailed as refused:
            return lock.held(engine_error.lines(refused.said))
        except Stopped:
            return None
        return None

    def unlock(self, id_: str) -> None:
        """Break the lock of this id; EngineFailed where none has it."""
        self._run("force-unlock", *_FORCED, id_)

    def _plan(self, file: Path, image: str, *options: str) -> Any:
        """The plan that now lies in `file`, as JSON."""
        self._locking("plan", f"-out={file}", f"-var=ami={image}", *options)
        return self._shown("plan", str(file))

    def _shown(self, what: str, *file: str) -> Any:
        shown = self._run("show", "-json", *file, quiet=True)
        try:
            return json.loads(shown)
        except ValueError as error:
            raise Stopped("OpenTofu failed", f"OpenTofu's {what} is not JSON.") from error

    def _run(self, command: str, *options: str, quiet: bool = False, errors: bool = True) -> str:
        """What the command wrote. It goes to the log as it comes: of a `quiet` one the errors
        alone, and where those are to be expected nothing."""
        argv = [self.program, f"-chdir={FOLDER}", command, *options]
        kept = {name: value for name, value in self.environ.items() if name not in _WITHHELD}
        try:
            with subprocess.Popen(  # noqa: S603  (a fixed command; what was asked is validated)
                argv,
                cwd=self.root,
                env={**kept, "TF_IN_AUTOMATION": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=_STANDARD_OUTPUT if quiet else subprocess.STDOUT,
                text=True,
                encoding="utf-8",
            ) as process:
                said = _heard(process, quiet=quiet or not errors)
        except OSError as error:
            raise Stopped("OpenTofu failed", f"{self.program} can't be run: {error}.") from error
        if process.returncode < 0:
            why = f"OpenTofu's {command} was killed (signal {-process.returncode})."
            raise EngineKilled("OpenTofu failed", why)
        if process.returncode:
            raise EngineFailed(engine_error.failure(command, process.returncode, said), said)
        return said


class EngineKilled(Stopped):
    """The engine ended by a signal, with its work half done."""


class EngineFailed(Stopped):
    """The engine ended with an error.

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
