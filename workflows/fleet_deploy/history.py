"""What the registry said before: the branch's history, as git has it in this checkout."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workflows.fleet_deploy.git import Git, GitFailed

# A run acts on the branch as it is when its turn comes, and launches its last host so much later.
LONGEST_ROLL_SECONDS = 86400.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class History:
    """
    Attributes:
        root: the checkout; where it is none of git's, history says nothing.
        file: the registry, below it.
    """

    root: Path
    file: str
    environ: Mapping[str, str]

    def said(self, name: str, launched: float) -> tuple[Mapping[str, Any], ...]:
        """All that the entry of this name has said since a machine was launched by it.

        Empty where history does not tell.
        """
        found: list[Mapping[str, Any]] = []
        for commit, when in self._commits():
            entry = self._entries(commit).get(name)
            if isinstance(entry, Mapping):
                found.append(entry)
            if found and when <= launched - LONGEST_ROLL_SECONDS:
                break
        return tuple(found)

    def _commits(self) -> Iterator[tuple[str, float]]:
        """Those of the branch that changed the registry, the newest first."""
        said = self._git("log", "--first-parent", "--format=%H %ct", "--", self.file)
        for line in said.splitlines():
            commit, _, seconds = line.partition(" ")
            yield commit, float(seconds)

    def _entries(self, commit: str) -> Mapping[str, Any]:
        """The registry at that commit, read without good faith: it may have been broken then."""
        try:
            entries = json.loads(self._git("show", f"{commit}:{self.file}"))
        except ValueError:
            return {}
        return entries if isinstance(entries, Mapping) else {}

    @cache  # noqa: B019  (as long as a job lives)
    def _git(self, *argv: str) -> str:
        try:
            return Git(self.root, self.environ).says(*argv).decode(errors="replace")
        except GitFailed as error:
            log.info("fleet.history_unread command=%s why=%s", argv[0], error)
            return ""
