"""How long to wait before something is tried again: twice as long each time, up to a limit."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """`first` is the shortest pause and `longest` the longest; both are seconds."""

    first: float
    longest: float

    def pauses(self) -> Iterator[float]:
        """The pause before each further try, without an end."""
        pause = self.first
        while True:
            yield pause
            pause = min(2 * pause, self.longest)


# One call that did not get through: somebody waits for what comes of it.
CALL_AGAIN = Patience(first=1.0, longest=30.0)
# A whole piece of work: a front that stopped, the menus, what a predecessor left.
WORK_AGAIN = Patience(first=5.0, longest=300.0)
# What a person has to mend, and nobody tells us when. Each try may be a login: Discord resets the
# token of whoever makes a thousand of them in a day.
MENDED_AGAIN = Patience(first=300.0, longest=3600.0)
