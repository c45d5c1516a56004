"""One line of the table that `make bench` writes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A claim, measured: `what` takes us `ours_ms`, and `theirs` takes `theirs_ms`.

    Attributes:
        ratio: ours by theirs, from one run in which they took turns.
        limit: what the ratio may be at most.
    """

    what: str
    ours_ms: float
    theirs: str
    theirs_ms: float
    ratio: float
    limit: float
