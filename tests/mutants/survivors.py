"""The committed list of mutants that no test notices, each with its reason.

A survivor is four lines: its place, what is written there, what the mutant makes of it, and why
that is no defect of the tests. An empty line ends it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).with_name("survivors.txt")


class MutantIdentity(NamedTuple):
    """What tells a mutant from all others, whatever is written above it in its file.

    Attributes:
        place: the file and the name of the function or class, with a blank between them.
        was: the lines that differ, on one line.
        becomes: what they are in the mutant.
    """

    place: str
    was: str
    becomes: str

    @property
    def file(self) -> str:
        return self.place.partition(" ")[0]


def listed(text: str) -> dict[MutantIdentity, str]:
    """Each survivor's reason."""
    known: dict[MutantIdentity, str] = {}
    for block in filter(None, text.strip().split("\n\n")):
        place, was, becomes, reason = block.split("\n")
        known[MutantIdentity(place, was, becomes)] = reason
    return known


def written(survivors: Mapping[MutantIdentity, str]) -> str:
    return "\n".join("\n".join((*one, reason, "")) for one, reason in sorted(survivors.items()))
