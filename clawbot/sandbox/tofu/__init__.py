"""The command `tofu` for machines without it: as much of it as a deploy's run uses, over EC2's API.

Its state is what EC2 has: the hosts tagged ``app=clawdinator``, by their names. What it does not
know it refuses by name, so that a run never goes on with less than it asked for.
"""
