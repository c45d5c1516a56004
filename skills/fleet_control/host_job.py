"""What the job of one host says of itself, for whoever reads its run."""

from enum import StrEnum

# The one step that moves anything.
MOVING_STEP = "Replace and wait until healthy"


class Left(StrEnum):
    """Where a job that failed left its instance's host, as its reason says after the id."""

    UNTOUCHED = "was not touched: "
    UNMOVED = "still has the machine it had: "
    GONE = "has no host now: "
    NEW = "has a new machine: "
    REPLACED_ILL = "was replaced but did not become healthy"
    CREATED_ILL = "was created but did not become healthy"


def begins(id_: str, left: Left) -> str:
    """How the reason begins where a job left this instance's host so."""
    return f"{id_} {left}"


def left(id_: str, reason: str) -> Left | None:
    """Where the job of this instance's host left it, or None where its reason does not say."""
    return next((one for one in Left if reason.startswith(begins(id_, one))), None)
