"""Whether a deploy would work: each thing that it needs, looked at before it is needed."""

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What a look at one thing came to."""

    OK = "ok"
    WRONG = "wrong"
    UNSEEN = "unseen"
    """It can't be seen from where it is asked."""


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in a few words, the same on every front.
        told: what was found, or why nothing was, in a sentence; may hold `code` in backquotes.
        advice: what mends it where it is wrong, or who can see it where it is not seen; may hold
            `code` in backquotes. Empty where all is well.
    """

    name: str
    outcome: Outcome
    told: str
    advice: str = ""
