"""The command `tofu` for machines without it: as much of it as a deploy's run uses, over EC2's API.

Its state is what EC2 has: the hosts tagged ``app=clawdinator`` that bear its mark, by their names.
A host that somebody else launched is not in it. What it was not made for it refuses by name, so
that a run never goes on with less than it asked for.
"""
