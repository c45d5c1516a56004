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
from tests.mutants.table import ROOT
from tests.mutants.warm import PIPES, TrialOutcome, TrialRequest

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", ".*_cache", ".hypothesis")
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider")
# How much longer than they did tests may take, before a mutant counts as keeping them from ending.
PATIENCE, SLOWER = 20.0, 5
LONGEST_FILE_SECONDS = 900.0


@dataclass
class Record:
    """What the tests did without a mutant.

    Attributes:
        ran: file -> line -> the tests that ran it.
        seconds: how long each test took.
    """

    ran: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[str, float] = field(default_factory=dict)

    def tests(self, mutant: Mutant, files: Iterable[str]) -> list[str]:
        """The tests of these files that ran what is changed; those that are likeliest to tell, and
        the quickest, first.

        All of them for what ran while the file was imported, and where another process ran it.
        """
        file = mutant.identity.file
        wanted = tuple(f"{one}::" for one in files)
        own = [one for one in self.seconds if one.startswith(wanted)]
        found = set[str]().union(*(self.ran[file].get(line, ()) for line in mutant.lines))
        chosen = [one for one in own if one in found and mutant.function] or own
        named = f"/test_{Path(file).stem}"
        return sorted(chosen, key=lambda one: (named not in one, self.seconds[one], one))


class Copy:
    """A copy of the tree in which one file at a time is another, and a Python that waits there."""

    def __init__(self, folder: Path, test_files: Iterable[str]) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        path = os.pathsep.join(str(one) for one in (folder, folder / "skills"))
        self._environ = os.environ | {"PYTHONPATH": path}
        self._said = folder.with_suffix(".out")
        self._start(test_files)

    def record(self, test_file: str, mutated: Iterable[str], record: Record) -> str:
        """Run its tests as they are; what they say if they are not green, twice."""
        data = str(self.folder / ".coverage")
        of = [str(self.folder / one) for one in mutated]
        ask = TrialRequest([test_file], LONGEST_FILE_SECONDS, measured=data, of=of)
        if (
            self._asked(ask) is not TrialOutcome.GREEN
            and self._asked(ask) is not TrialOutcome.GREEN
        ):
            return self._said.read_text()
        record.seconds |= json.loads(Path(f"{data}.json").read_text())
        measured = CoverageData(data)
        measured.read()
        for path in measured.measured_files():
            lines = record.ran[str(Path(path).relative_to(self.folder))]
            for line, contexts in measured.contexts_by_lineno(path).items():
                lines.setdefault(line, set()).update(filter(None, contexts))
        return ""

    def killed(self, mutant: Mutant, tests: list[str], seconds: float) -> bool:
        """Whether a test turns red, or does not end, with the mutant in its file's place."""
        file = self.folder / mutant.identity.file
        kept = file.with_suffix(".kept")
        file.rename(kept)
        try:
            file.write_text(mutant.source)
            allowed = PATIENCE + SLOWER * seconds
            if mutant.function:
                ask = TrialRequest(tests, allowed, (str(file), mutant.function))
                return self._asked(ask) is TrialOutcome.RED
            return not self._green_from_the_start(tests, allowed)
        finally:
            kept.replace(file)

    def close(self) -> None:
        self._asks.close()
        self._warm.wait()
        self._answers.close()

    def _start(self, test_files: Iterable[str]) -> None:
        (reading, asks), (answers, writing) = os.pipe(), os.pipe()
        with self._said.open("w") as said:
            self._warm = subprocess.Popen(  # noqa: S603  (a command of our own)
                [sys.executable, *PYTEST, "-p", "tests.mutants.warm", *test_files],
                cwd=self.folder,
                env=self._environ | {PIPES: f"{reading},{writing}"},
                pass_fds=(reading, writing),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        os.close(reading)
        os.close(writing)
        self._asks, self._answers = os.fdopen(asks, "w"), os.fdopen(answers)

    def _asked(self, ask: TrialRequest) -> TrialOutcome:
        self._asks.write(json.dumps(ask) + "\n")
        self._asks.flush()
        answer = self._answers.readline().strip()
        if answer not in (TrialOutcome.GREEN, TrialOutcome.RED):
            raise RuntimeError(self._said.read_text())
        return TrialOutcome(answer)

    def _green_from_the_start(self, tests: list[str], seconds: float) -> bool:
        """In a new Python, for what is decided when the file is imported.

        It leaves no bytecode: two mutants of one size and second would be one to the next.
        """
        environ = self._environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *PYTEST, *tests]
        try:
            done = subprocess.run(  # noqa: S603  (a command of our own)
                command,
                cwd=self.folder,
                env=environ,
                timeout=seconds,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
