"""The registry's earlier contents, from the branch's history in this checkout."""

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
class RegistryHistory:
    """Reads what the registry's entries said at earlier commits.

    Attributes:
        root: the checkout; where it is none of git's, history says nothing.
        file: the registry, below it.
    """

    root: Path
    file: str
    environ: Mapping[str, str]

    @cache  # noqa: B019  (as long as a job lives)
    def said(self, name: str, launched: float) -> tuple[Mapping[str, Any], ...] | None:
        """All that the entry of this name has said since a machine was launched by it.

        Empty where the branch never had it; None where history can't be read to its end.
        """
        try:
            return tuple(self._said(name, launched))
        except GitFailed as error:
            log.info("fleet.history_unread why=%s", error)
            return None

    def _said(self, name: str, launched: float) -> Iterator[Mapping[str, Any]]:
        begun = False
        for commit, when in self._commits():
            entry = self._entries(commit).get(name)
            if isinstance(entry, Mapping):
                begun = True
                yield entry
            if begun and when <= launched - LONGEST_ROLL_SECONDS:
                break

    @cache  # noqa: B019  (as above)
    def _commits(self) -> tuple[tuple[str, float], ...]:
        """Those of the branch that changed the registry, the newest first."""
        if self._git("rev-parse", "--is-shallow-repository").strip() != "false":
            raise GitFailed("log", "the history is cut off")
        said = self._git("log", "--first-parent", "--format=%H %ct", "--", self.file)
        lines = (line.partition(" ") for line in said.splitlines())
        return tuple((commit, float(seconds)) for commit, _, seconds in lines)

    @cache  # noqa: B019  (as above)
    def _entries(self, commit: str) -> Mapping[str, Any]:
        """The registry at that commit, read without good faith: it may have been broken then, or
        not there."""
        listed = self._git("ls-tree", commit, "--", self.file).split()
        try:
            entries = json.loads(self._git("cat-file", "blob", listed[2])) if listed else {}
        except ValueError:
            return {}
        return entries if isinstance(entries, Mapping) else {}

    def _git(self, *argv: str) -> str:
        return Git(self.root, self.environ).says(*argv).decode(errors="replace")
