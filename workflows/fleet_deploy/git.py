"""Runs git in this checkout."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflows.fleet_deploy.stopped import Stopped

_TIMEOUT_SECONDS = 60


class GitFailed(Stopped):
    """A git command failed, or git is not installed."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__("Git failed", f"`git {command}` failed in this checkout ({why}).")


@dataclass(frozen=True)
class Git:
    """Git in one checkout.

    Attributes:
        root: the checkout. A folder above it is never taken for one.
    """

    root: Path
    environ: Mapping[str, str]

    def says(self, *argv: str, asked: bytes = b"") -> bytes:
        """What the command writes, `asked` on its standard input; GitFailed where it fails."""
        kept = {name: self.environ[name] for name in ("PATH", "HOME") if name in self.environ}
        environ = {**kept, "GIT_CEILING_DIRECTORIES": str(self.root.resolve().parent)}
        try:
            done = subprocess.run(  # noqa: S603  (fixed words, and commits that git named)
                ["git", *argv],  # noqa: S607  (the runner's own)
                cwd=self.root,
                env=environ,
                input=asked,
                capture_output=True,
                check=True,
                timeout=_TIMEOUT_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise GitFailed(argv[0], type(error).__name__) from error
        return done.stdout
