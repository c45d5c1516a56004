"""The git repository behind the sandbox's GitHub; its first content is this checkout's."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fleet_control.error import RegistryError
from fleet_control.registry import parse
from fleet_control.seed import PATHS

REGISTRY = "nix/instances.json"
FACTS = "nix/facts.json"
# What a change of the sandbox changes: a line for each. Hosts are built from it.
CHANGES = "nix/changes.txt"
# No host is built from it.
DOCUMENT = "README.md"
# What was merged before the sandbox began, and when (Unix seconds): always at the same moment, so
# that a script can name these commits by what an earlier start of the same checkout showed.
PAST = (
    ("Hosts rotate their logs", 1_767_607_200),
    ("The agent keeps its sessions", 1_770_026_400),
    ("A newer nixpkgs", 1_770_976_800),
)
# It does not live for long: to pack it, or to look whether that is due, does not pay.
_PASSING = ("-c", "core.compression=0", "-c", "gc.auto=0", "-c", "maintenance.auto=false")
# What git does not track, and what no run needs: a job should not wait for it.
_LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    ".terraform",
    "build",
    "dist",
    "node_modules",
    "tests",
    "docs",
)


def blob_sha(content: bytes) -> str:
    """Git's own name for a file's content."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _hosts(registry: bytes) -> list[str]:
    try:
        return [entry.host for entry in parse(registry).values()]
    except RegistryError:
        return []


class Repository:
    """A branch whose registry is a file elsewhere: whenever that file changes, it is committed.

    Where the file is gone from its source, that is a commit too. RuntimeError where there is no
    git. `uploads` is told each content of the registry, as the people who merge it would be.
    """

    def __init__(
        self,
        checkout: Path,
        registry: Path,
        folder: Path,
        branch: str = "main",
        uploads: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._registry = registry
        self._folder = folder
        self._content = self._now()
        self.uploads = uploads
        self.branch = branch
        shutil.copytree(checkout, folder, ignore=_LEFT_OUT, symlinks=True)
        self._git("init", "--quiet", "--template=", "--initial-branch", branch)
        self._fill_in()
        self._lay_registry()
        self.commits: list[str] = []
        for one in PAST:
            self._change(CHANGES, *one)
        self._read = cache(self._read_once)
        self._clone = cache(self._clone_once)

    def find(self, ref: str) -> str | None:
        """The commit that a branch, or a commit's own name, stands for now."""
        if ref in (self.branch, f"refs/heads/{self.branch}"):
            return self.head()
        return ref if ref in self.commits else None

    def head(self) -> str:
        """The branch's newest commit."""
        content = self._now()
        if content != self._content:
            self._content = content
            self._lay_registry()
            self._commit("The registry")
            if content is not None:
                self.uploads(content)
        return self.commits[-1]

    def revision(self) -> str:
        """The branch's newest commit that changes what hosts are built from."""
        newest = ("log", "--first-parent", "--max-count=1", "--format=%H", self.head())
        return self._git(*newest, "--", *PATHS).decode().strip()

    def merge(self, subject: str, path: str = CHANGES) -> str:
        """Commit a change to this file, which hosts are or are not built from; the commit."""
        return self._change(path, subject)

    def _change(self, path: str, subject: str, when: float | None = None) -> str:
        with (self._folder / path).open("a") as file:
            file.write(f"{subject}\n")
        return self._commit(subject, when)

    def read(self, path: str, ref: str) -> bytes | None:
        """A file at that commit; None where it is not there, or the commit is not."""
        commit = self.find(ref)
        return self._read(path, commit) if commit else None

    def names(self, folder: str, ref: str) -> list[str]:
        """What lies in a folder at that commit; nothing where there is none."""
        commit = self.find(ref)
        listed = self._git("ls-tree", "--name-only", commit, f"{folder}/") if commit else b""
        return [line.rpartition("/")[2] for line in listed.decode().splitlines()]

    def remove(self, path: str) -> str:
        """Commit that a file is gone; the commit."""
        (self._folder / path).unlink()
        return self._commit(f"No {path}")

    def history(self, at: str, count: int) -> list[dict[str, Any]]:
        """The commit that a branch or some digits name, and those before it, in GraphQL's form."""
        self.head()
        try:
            found = self._git("rev-parse", "--verify", "--quiet", f"{at}^{{commit}}")
        except subprocess.CalledProcessError:
            return []
        form = "--format=%H%x00%s%x00%cI%x00%P"
        said = self._git("log", f"--max-count={count}", form, found.decode().strip())
        return [self._commit_as_told(*line.split("\0")) for line in said.decode().splitlines()]

    def _commit_as_told(self, oid: str, subject: str, when: str, parents: str) -> dict[str, Any]:
        lines = self._git("ls-tree", oid).decode().splitlines()
        entries = (line.split(maxsplit=3) for line in lines)
        # Git writes a mode in octal digits; GitHub tells the number.
        tree = [
            {"name": name, "mode": int(mode, 8), "oid": sum_} for mode, _, sum_, name in entries
        ]
        return {
            "oid": oid,
            "messageHeadline": subject,
            "committedDate": when.replace("+00:00", "Z"),
            "parents": {"nodes": [{"oid": parent} for parent in parents.split()[:1]]},
            "tree": {"entries": tree},
        }

    def check_out(self, ref: str, folder: Path, *, with_history: bool = False) -> str | None:
        """Lay that commit, or the branch's newest, into `folder`; its name, None if unknown."""
        commit = self.find(ref)
        if commit is None:
            return None
        folder.mkdir(exist_ok=True)
        copy = ("cp", "-R", f"{self._clone(commit)}/.", str(folder))
        subprocess.run(copy, check=True)  # noqa: S603  (fixed words, and folders of our own)
        if not with_history:
            shutil.rmtree(folder / ".git")
        return commit

    def _clone_once(self, commit: str) -> Path:
        """A clone in which that commit lies checked out, which nobody works in: to copy one is
        quicker by far than to make one."""
        clone = self._folder / ".git" / f"clone-{commit}"
        self._git("clone", "--quiet", "--shared", "--no-checkout", str(self._folder), str(clone))
        self._git("-C", str(clone), "checkout", "--quiet", "--detach", commit)
        return clone

    def _now(self) -> bytes | None:
        """The registry's content at its source."""
        try:
            return self._registry.read_bytes()
        except OSError:
            return None

    def _fill_in(self) -> None:
        """Write what the checkout leaves open: a fact that people fill in, and a flake's files."""
        facts = self._folder / FACTS
        facts.parent.mkdir(exist_ok=True)
        said = json.loads(facts.read_bytes()) if facts.exists() else {}
        facts.write_text(json.dumps({**said, "agentCommand": "agent"}))
        for name in ("flake.nix", "flake.lock"):
            (self._folder / name).touch()

    def _lay_registry(self) -> None:
        """Write the registry, and a configuration for each host that has none."""
        for host in _hosts(self._content or b""):
            configuration = self._folder / f"nix/hosts/{host}.nix"
            configuration.parent.mkdir(parents=True, exist_ok=True)
            configuration.touch()
        file = self._folder / REGISTRY
        file.parent.mkdir(parents=True, exist_ok=True)
        if self._content is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(self._content)

    def _read_once(self, path: str, commit: str) -> bytes | None:
        try:
            return self._git("show", f"{commit}:{path}")
        except subprocess.CalledProcessError:
            return None

    def _commit(self, subject: str, when: float | None = None) -> str:
        who = ("-c", "user.name=sam", "-c", "user.email=sam@sandbox.example")
        self._git("add", "--all")
        self._git(*who, "commit", "--quiet", "--allow-empty", "-m", subject, when=when)
        commit = self._git("rev-parse", "HEAD").decode().strip()
        self.commits.append(commit)
        return commit

    def _git(self, *argv: str, when: float | None = None) -> bytes:
        moment = f"{time.time() if when is None else when:.0f} +0000"
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }
        try:
            done = subprocess.run(  # noqa: S603  (fixed words, and commits of our own)
                ["git", *_PASSING, *argv],  # noqa: S607  (whichever is installed)
                cwd=self._folder, env=environ, capture_output=True, check=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise RuntimeError("git is not installed, and the sandbox's GitHub needs it") from error
        return done.stdout
