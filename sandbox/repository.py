"""The repository as the stand-in for GitHub has it: this checkout, the registry from a file."""

import hashlib
import shutil
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

    def check_out(self, ref: str, folder: Path) -> str | None:
        """Lay that commit, or the branch's newest, into `folder`; its name, None if unknown."""
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
        return commit
