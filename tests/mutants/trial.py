"""Copies of the tree, in which tests are run against mutants."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from coverage import CoverageData

from tests.mutants.mutant import Mutant
from tests.mutants.recorder import SECONDS
from tests.mutants.table import ROOT

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", ".*_cache", ".hypothesis")
# The last: hypothesis has been imported already, by the warm Python.
PYTEST = (
    *("-q", "-x", "-p", "no:cacheprovider", "--no-header"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
# What a test may take longer than it did, before it counts as one that a mutant keeps from ending.
PATIENCE, SLOWER = 20.0, 5


@dataclass
class Record:
    """What one run of the unchanged tree told about each test.

    Attributes:
        ran: file -> line -> the tests that ran it.
        seconds: how long each test took.
    """

    ran: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[str, float] = field(default_factory=dict)

    def tests(self, mutant: Mutant, files: Iterable[str]) -> list[str]:
        """The tests of these files that ran what is changed, the quickest first.

        What runs while a module is imported, all of them ran.
        """
        wanted = tuple(f"{one}::" for one in files)
        lines = self.ran[mutant.identity.file]
        found = set[str]().union(*(lines.get(line, ()) for line in mutant.lines))
        chosen = [one for one in found or self.seconds if one.startswith(wanted)]
        return sorted(chosen, key=lambda one: (self.seconds[one], one))


class Copy:
    """A copy of the tree in which one file at a time is another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._warm: subprocess.Popen[str] | None = None
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        path = os.pathsep.join(str(one) for one in (folder, folder / "skills"))
        self._environ = os.environ | {"PYTHONPATH": path}

    def record(self, test_file: str, mutated: Iterable[str], record: Record) -> str:
        """Run a file of tests as it is; what they say if they are not green."""
        data, seconds = self.folder / ".coverage", self.folder / ".seconds.json"
        include = ",".join(str(self.folder / one) for one in mutated)
        coverage = ("-m", "coverage", "run", f"--data-file={data}", f"--include={include}")
        plugin = ("-p", "tests.mutants.recorder", test_file)
        done = subprocess.run(  # noqa: S603  (a command of our own)
            [sys.executable, *coverage, "-m", "pytest", *PYTEST, *plugin],
            cwd=self.folder,
            env=self._environ | {SECONDS: str(seconds)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            return done.stdout
        record.seconds |= json.loads(seconds.read_text())
        measured = CoverageData(str(data))
        measured.read()
        for path in measured.measured_files():
            lines = record.ran[str(Path(path).relative_to(self.folder))]
            for line, contexts in measured.contexts_by_lineno(path).items():
                lines.setdefault(line, set()).update(filter(None, contexts))
        return ""

    def warm_up(self, test_files: Iterable[str]) -> None:
        """Import what these tests do, once for all mutants."""
        with self.folder.with_suffix(".out").open("w") as said:
            self._warm = subprocess.Popen(  # noqa: S603  (a command of our own)
                [sys.executable, "-m", "tests.mutants.warm", *test_files],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def killed(self, mutant: Mutant, tests: list[str], seconds: float) -> bool:
        """Whether a test turns red, or does not end, with the mutant in its file's place."""
        file = self.folder / mutant.identity.file
        kept = file.with_suffix(".kept")
        file.rename(kept)
        try:
            file.write_text(mutant.source)
            return not self.green(tests, PATIENCE + SLOWER * seconds)
        finally:
            kept.replace(file)

    def green(self, tests: list[str], seconds: float) -> bool:
        assert self._warm is not None
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        arguments = [*PYTEST, f"--basetemp={self.folder}.tmp", *tests]
        self._warm.stdin.write(json.dumps([arguments, seconds]) + "\n")
        self._warm.stdin.flush()
        answer = self._warm.stdout.readline().strip()
        if answer not in ("green", "red"):
            raise RuntimeError(self.folder.with_suffix(".out").read_text())
        return answer == "green"

    def close(self) -> None:
        """End the warm Python, which reads no more then."""
        if self._warm is not None:
            self._warm.communicate()
