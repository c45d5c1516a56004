"""The command `tofu` for machines without it: as much of it as a deploy's run uses, over EC2's API.

Its state is what EC2 has: the hosts tagged ``app=clawdinator`` that bear its mark, by their names.
A host that somebody else launched is not in it. What it was not made for it refuses by name, so
that a run never goes on with less than it asked for. It takes no lock, since GitHub runs one
deploy at a time, and breaks one that lies there.
"""

# The tag of what an engine made; real OpenTofu has that from its state.
MARK = {"made-by": "sandbox.tofu"}


class Failed(Exception):
    """Ends the command with exit 1; the message is printed as OpenTofu prints an error."""
