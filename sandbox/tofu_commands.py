"""The README's commands that set up an AWS account commands of docs/set-up.md, in its order.

Hosts are a run's to make; `apply_fleet` plays the deploy that made the first ones.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine import TofuEngine
from sandbox.principal import REGION
from sandbox.run_record import CONTROL_API, PERSON
from sandbox.seed import BOOTSTRAP_BUCKET, IMAGE_BUCKET, LOCK_TABLE, STATE_BUCKET

_BACKEND = (
    '-backend-config="bucket=$TF_VAR_state_bucket" '
    '-backend-config="dynamodb_table=$TF_VAR_lock_table" '
    '-backend-config="region=$TF_VAR_region"'
)
STATE = ("tofu -chdir=tofu/state init", "tofu -chdir=tofu/state apply")
CONTROL = (
    "python3 -m lambda_fn.build build/control-api.zip",
    f"tofu -chdir=tofu/control init {_BACKEND}",
    "tofu -chdir=tofu/control apply",
)
FLEET = (
    f"tofu -chdir=tofu/fleet init {_BACKEND}",
    'tofu -chdir=tofu/fleet apply -var="ami=$IMAGE"',
)
URL = "tofu -chdir=tofu/control output -raw control_api_url"
_LEFT_OUT = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*", "__pycache__")
_ALIVE_SECONDS = 10.0


class CommandFailed(RuntimeError):
    """A command of the set-up ended badly; the message ends with its last words."""


@dataclass(frozen=True, slots=True)
class TofuCommands:
    """Runs such commands in a checkout, against the account that `environ` names.

    Attributes:
        folder: the checkout; `lay_out` makes one.
        environ: what each command runs with, whole.
        say: told what is being done, and now and then that it still is.
    """

    folder: Path
    environ: Mapping[str, str]
    say: Callable[[str], None]
    _running: "set[subprocess.Popen[bytes]]" = field(default_factory=set)

    def stop(self) -> None:
        """Kill the running command, from another thread."""
        for process in tuple(self._running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def apply_state(self) -> None:
        self.run(*STATE)

    def apply_control(self) -> None:
        self.run(*CONTROL)

    def apply_fleet(self, image: str, revision: str, seed_sha256: str) -> None:
        """The deploy that made the fleet, played in one apply: on this image, as this revision."""
        self.say("No person applies tofu/fleet: this plays the deploy that made the first hosts.")
        self.run(*FLEET, IMAGE=image, **self.of_the_fleet(revision, seed_sha256))

    def of_the_fleet(self, revision: str, seed_sha256: str) -> dict[str, str]:
        """The variables of tofu/fleet, but for the image."""
        made_of = {"TF_VAR_revision": revision, "TF_VAR_seed_sha256": seed_sha256}
        return {"TF_VAR_control_api_url": self.ask(URL), **made_of}

    def run(self, *commands: str, **more: str) -> None:
        for command in commands:
            self._run(command, {**self.environ, **more})

    def ask(self, command: str, **more: str) -> str:
        """Run the command; returns what it prints."""
        done = subprocess.run(  # noqa: S602  (our own line, to be run as in a shell)
            command, shell=True, cwd=self.folder, env={**self.environ, **more},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CommandFailed(f"{command}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout

    def _run(self, command: str, environ: Mapping[str, str]) -> None:
        began = time.monotonic()
        shown = command.partition(" -backend-config")[0]
        self.say(shown)
        with (self.folder / "set-up.log").open("a+b") as log, subprocess.Popen(  # noqa: S602  (as in `ask`)
            command, shell=True, cwd=self.folder, env=environ,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,  # so that `stop` reaches what the shell starts
        ) as process:  # fmt: skip
            self._running.add(process)
            while True:
                try:
                    process.wait(_ALIVE_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    self.say(f"{shown}: {time.monotonic() - began:.0f} s")
            self._running.discard(process)
            if process.returncode:
                log.seek(0)
                words = log.read().decode(errors="replace")[-3000:]
                raise CommandFailed(f"{command}:\n{words}")


def lay_out(checkout: Path, folder: Path, registry: bytes) -> None:
    """Copy what the set-up needs of a checkout, and write a registry of one's own."""
    for part in ("tofu/state", "tofu/control", "tofu/fleet", "lambda_fn", "skills"):
        shutil.copytree(checkout / part, folder / part, ignore=_LEFT_OUT)
    (folder / "nix").mkdir()
    (folder / "nix/instances.json").write_bytes(registry)
    (folder / "build").mkdir()


def environment(
    engine: TofuEngine, folder: Path, aws_url: str, keys: Mapping[str, str], repository: str
) -> dict[str, str]:
    """What docs/set-up.md has people export, and what makes tofu work with moto."""
    return {
        **keys,
        **engine_environment(engine),
        "PATH": os.pathsep.join(_path(engine, folder)),
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join((str(folder), str(folder / "skills"))),
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TF_CLI_ARGS_apply": "-auto-approve -input=false -no-color",
        "TF_VAR_region": REGION,
        "TF_VAR_state_bucket": STATE_BUCKET,
        "TF_VAR_lock_table": LOCK_TABLE,
        "TF_VAR_bootstrap_bucket": BOOTSTRAP_BUCKET,
        "TF_VAR_image_bucket": IMAGE_BUCKET,
        "TF_VAR_repository": repository,
        "TF_VAR_repository_id": "1234567",
        "TF_VAR_oidc_subject": f"repo:{repository}:environment:fleet",
        "TF_VAR_control_api_account": str(CONTROL_API),
        "TF_VAR_deploy_people": str(PERSON),
        "TF_VAR_s3_use_path_style": "true",
    }


def engine_environment(engine: TofuEngine) -> dict[str, str]:
    """What the engine needs where S3 is moto's: its buckets have no host names."""
    return {**engine.environ, "TF_CLI_ARGS_init": "-backend-config=use_path_style=true"}


def _path(engine: TofuEngine, folder: Path) -> Iterator[str]:
    """Folders to look in: ours first, where the engine is called tofu whichever it is."""
    programs = folder / ".programs"
    programs.mkdir(exist_ok=True)
    for name, program in (("tofu", engine.program), ("python3", Path(sys.executable))):
        launcher = programs / name
        launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(str(program))} "$@"\n')
        launcher.chmod(0o755)
    yield str(programs)
    yield from os.environ.get("PATH", os.defpath).split(os.pathsep)
