"""The command `tofu` for machines without it: as much of it as a deploy's run uses, over EC2's API.

Its state says which machine is whose; a plan asks EC2 for each by its id, and takes for gone what
EC2 does not show. What it was not made for it refuses by name, so that a run never goes on with
less than it asked for. It takes no lock, since GitHub runs one deploy at a time, and breaks one
that lies there.
"""


class TofuError(Exception):
    """Ends the command with exit 1; the message is printed as OpenTofu prints an error."""
