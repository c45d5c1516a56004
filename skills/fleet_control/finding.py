"""What is no longer as it should be: one thing that the fleet's channels are told of once."""

from typing import NamedTuple

from fleet_control.fault import Problem


class Finding(NamedTuple):
    """One thing that is wrong with the fleet.

    Attributes:
        of: the instance, or the machine, that it is wrong with; empty for the whole fleet.
        words: what is wrong, as it goes on after `of`.
        repair: what mends it, in a sentence; may hold `code` in backquotes.
    """

    of: str
    problem: Problem
    words: str
    repair: str = ""
