"""What the job of one host says of itself, for whoever reads its run."""

# The one step that moves anything.
MOVING_STEP = "Replace and wait until healthy"


def untouched(id_: str) -> str:
    """How the reason begins where a job stopped before it moved this instance's host."""
    return f"{id_} was not touched: "
