"""Try every mutant of the files named, or of all, and compare who survives with `survivors.txt`."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tests.mutants.mutant import Mutant, mutants
from tests.mutants.survivors import LIST, MutantIdentity, listed, written
from tests.mutants.table import ROOT, TESTS, missing
from tests.mutants.trial import Copy, Record

# On two cores: many tests wait.
AT_ONCE = 3
TOLD_EVERY = 25
Made = TypeVar("Made")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("files", nargs="*", default=list(TESTS), help="all, if none is named")
    files: list[str] = options.parse_args().files
    if unknown := missing() + [one for one in files if one not in TESTS]:
        options.error(f"in the tree or in the table, but not in both: {', '.join(unknown)}")
    known = {one: why for one, why in listed(LIST.read_text()).items() if one.file in files}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tests = sorted({test for file in files for test in TESTS[file]})
        trials = Trials([Copy(Path(folder) / str(number), tests) for number in range(AT_ONCE)])
        record = trials.recorded(files, tests)
        found = trials.survivors(files, record, frozenset(known))
    sys.exit(verdict(found, known))


class Trials:
    """Work for the copies of the tree, each of which does one thing at a time."""

    def __init__(self, copies: list[Copy]) -> None:
        self._copies = copies
        self._free: SimpleQueue[Copy] = SimpleQueue()
        for one in copies:
            self._free.put(one)

    def recorded(self, files: list[str], tests: list[str]) -> Record:
        """Run every test that will be asked, without a mutant."""
        record = Record()
        say(f"{len(tests)} files of tests, without a mutant")
        work = [partial(Copy.record, test_file=one, mutated=files, record=record) for one in tests]
        if red := [said for _, said in self._each(work) if said]:
            sys.exit("not green without any mutant:\n" + "\n".join(red))
        say(f"{len(record.seconds)} tests, {sum(record.seconds.values()):.0f} s")
        return record

    def survivors(
        self, files: list[str], record: Record, known: frozenset[MutantIdentity]
    ) -> set[MutantIdentity]:
        every = [one for file in files for one in mutants(file, (ROOT / file).read_text())]
        say(f"{len(every)} mutants")
        found, started = set[MutantIdentity](), time.monotonic()
        work = [partial(killed, mutant=one, record=record, known=known) for one in every]
        for done, (number, dead) in enumerate(self._each(work), start=1):
            if not dead:
                found.add(every[number].identity)
                say("survives: " + "\n  ".join(every[number].identity))
            if done % TOLD_EVERY == 0 or done == len(every):
                minutes = (time.monotonic() - started) / 60
                say(
                    f"{done} of {len(every)} mutants in {minutes:.1f} minutes, "
                    f"{minutes / done * (len(every) - done):.0f} to go; {len(found)} survive"
                )
        for copy in self._copies:
            copy.close()
        return found

    def _each(self, work: Sequence[Callable[[Copy], Made]]) -> Iterator[tuple[int, Made]]:
        """Each piece's number and its result, as they end."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            pieces = {pool.submit(self._lent, one): number for number, one in enumerate(work)}
            try:
                for piece in as_completed(pieces):
                    yield pieces[piece], piece.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _lent(self, one: Callable[[Copy], Made]) -> Made:
        copy = self._free.get()
        try:
            return one(copy)
        finally:
            self._free.put(copy)


def killed(copy: Copy, mutant: Mutant, record: Record, known: frozenset[MutantIdentity]) -> bool:
    """Whether a test notices the mutant; one that is listed as a survivor, twice.

    A test that failed by chance would otherwise take it off the list.
    """
    tests = record.tests(mutant, TESTS[mutant.identity.file])
    seconds = sum(record.seconds[one] for one in tests)
    times = 2 if mutant.identity in known else 1
    return all(copy.killed(mutant, tests, seconds) for _ in range(times))


def verdict(found: set[MutantIdentity], known: dict[MutantIdentity, str]) -> int:
    """0 if those that were found are those that are listed; else it says which are not."""
    new = dict.fromkeys(found - set(known), "?")
    gone = {one: known[one] for one in set(known) - found}
    name = LIST.relative_to(ROOT)
    if new:
        say(f"\nNo test notices these. Write one, or list them in {name}:\n\n{written(new)}")
    if gone:
        say(f"\nListed in {name}, and no survivors any more:\n\n{written(gone)}")
    return 1 if new or gone else 0


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
