"""The repository at GitHub: this checkout, with the registry from a file."""

import hashlib
import shutil
from pathlib import Path

REGISTRY = "nix/instances.json"
_LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    ".terraform",
    "build",
    "dist",
    "tests",
)


def blob_sha(content: bytes) -> str:
    """Git's own name for a file's content."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


class Repository:
    """A branch whose only moving file is the registry: each content it has had is a commit."""

    def __init__(self, checkout: Path, registry: Path, branch: str = "main") -> None:
        self._checkout = checkout
        self._registry = registry
        self._commits: dict[str, bytes] = {}
        self.branch = branch

    def registry(self) -> bytes:
        """The file as it is at its source now; OSError where it is gone."""
        return self._registry.read_bytes()

    def head(self) -> str:
        """The branch's newest commit."""
        content = self.registry()
        sha = hashlib.sha1(b"commit " + content, usedforsecurity=False).hexdigest()
        self._commits[sha] = content
        return sha

    def check_out(self, ref: str, folder: Path) -> str | None:
        """Lay that commit, or the branch's newest, into `folder`; its sha, None if unknown."""
        if ref in ("", self.branch, f"refs/heads/{self.branch}"):
            ref = self.head()
        if ref not in self._commits:
            return None
        shutil.copytree(self._checkout, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        (folder / REGISTRY).write_bytes(self._commits[ref])
        return ref
