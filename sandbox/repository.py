"""The repository as the stand-in for GitHub has it: this checkout, the registry from a file."""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

REGISTRY = "nix/instances.json"
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


class Repository:
    """A branch whose only moving file is the registry: each content it has had is a commit.

    Where the file is gone from its source, that is a commit too.
    """

    def __init__(self, checkout: Path, registry: Path, branch: str = "main") -> None:
        self._checkout = checkout
        self._registry = registry
        self._commits: dict[str, bytes | None] = {}
        self._history: list[tuple[str, float]] = []
        self.branch = branch

    def find(self, ref: str) -> str | None:
        """The commit that a branch, or the name of a commit, is now."""
        if ref in (self.branch, f"refs/heads/{self.branch}"):
            return self.head()
        return ref if ref in self._commits else None

    def head(self) -> str:
        """The branch's newest commit."""
        try:
            content: bytes | None = self._registry.read_bytes()
        except OSError:
            content = None
        name = b"commit " + (content if content is not None else b"without")
        sha = hashlib.sha1(name, usedforsecurity=False).hexdigest()
        self._commits[sha] = content
        if not self._history or self._history[-1][0] != sha:
            self._history.append((sha, time.time()))
        return sha

    def read(self, path: str, ref: str) -> bytes | None:
        """A file at that commit; None where it is not there, or the commit is not."""
        commit = self.find(ref)
        if commit is None:
            return None
        if path == REGISTRY:
            return self._commits[commit]
        file = (self._checkout / path).resolve()
        inside = file.is_relative_to(self._checkout.resolve()) and file.is_file()
        return file.read_bytes() if inside else None

    def check_out(self, ref: str, folder: Path, *, with_history: bool = False) -> str | None:
        """Lay that commit, or the branch's newest, into `folder`; its name, None if unknown.

        With its history it is a repository of git's, in which commits have other names. Where there
        is no git there is none.
        """
        commit = self.find(ref)
        if commit is None:
            return None
        shutil.copytree(self._checkout, folder, ignore=_LEFT_OUT, symlinks=True, dirs_exist_ok=True)
        registry = folder / REGISTRY
        content = self._commits[commit]
        if content is None:
            registry.unlink(missing_ok=True)
        else:
            registry.parent.mkdir(parents=True, exist_ok=True)
            registry.write_bytes(content)
        git = shutil.which("git")
        if with_history and git:
            self._lay_history(git, folder, commit)
        return commit

    def _lay_history(self, git: str, folder: Path, commit: str) -> None:
        """What the registry was until that commit."""
        last = max(number for number, (sha, _) in enumerate(self._history) if sha == commit)
        past = b"".join(self._imported(*one) for one in self._history[: last + 1])
        for argv, said in (
            (("init", "-q", "-b", self.branch), b""),
            (("fast-import", "--quiet"), past),
        ):
            subprocess.run([git, *argv], cwd=folder, input=said, check=True)  # noqa: S603  (fixed)

    def _imported(self, sha: str, when: float) -> bytes:
        """A commit as `git fast-import` reads it."""
        content = self._commits[sha]
        change = f"D {REGISTRY}\n".encode()
        if content is not None:
            change = f"M 644 inline {REGISTRY}\ndata {len(content)}\n".encode() + content + b"\n"
        head = (
            f"commit refs/heads/{self.branch}\n"
            f"committer GitHub <noreply@github.test> {when:.0f} +0000\n"
            "data 12\nThe registry\n"
        )
        return head.encode() + change
