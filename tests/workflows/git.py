"""A checkout of git's, whose registry was something else before."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet_control.seed import BOOT
from workflows.fleet_deploy.boot_check import ANSWERS

REGISTRY = "nix/instances.json"


def run(folder: Path, *argv: str, when: float = 1_790_000_000.0) -> str:
    """What git says in that folder; a commit is made at `when` (Unix seconds)."""
    moment = f"{when:.0f} +0000"
    who = ("-c", "user.name=sam", "-c", "user.email=sam@example.test")
    done = subprocess.run(  # noqa: S603  (a test's own words)
        ["/usr/bin/env", "git", *who, *argv],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def begin(folder: Path) -> None:
    """A repository with all that a host is built from, in which nothing is registered yet.

    It has no sample hooks of git's, fifteen files for each test to write and to remove.
    """
    run(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    files = {
        "flake.nix": "{ }",
        "flake.lock": "{}",
        "nix/facts.json": '{"agentCommand": "agent"}',
        "skills/fleet_control/seed.py": f'BOOT = "{BOOT}"',
        ANSWERS: "",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"{text}\n")
    run(folder, "add", *files)
    run(folder, "commit", "--quiet", "-m", "A flake")


def commit(folder: Path, registry: Mapping[str, Any] | str, when: float, *also: str) -> None:
    """The registry as it is from then on, and `also`; the first makes the repository."""
    if not (folder / ".git").is_dir():
        run(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    text = registry if isinstance(registry, str) else json.dumps(registry)
    (folder / REGISTRY).parent.mkdir(exist_ok=True)
    (folder / REGISTRY).write_text(text)
    run(folder, "add", REGISTRY, *also)
    run(folder, "commit", "--quiet", "--allow-empty", "-m", "The registry", when=when)
