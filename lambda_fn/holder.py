"""Whose a lease is: one process's of one bot, the one that began last of those that ask.

Two processes may have one bot's name: an old host that still lives beside its new one, or a second
one that somebody started by hand.
"""


def is_anothers(by: str, began: int, until: float, bot: str, asker_began: int, now: float) -> bool:
    """Whether a lease is not the asker's: it is `by`'s, of whom that process has it which began at
    `began`, until then. Both beginnings are Unix milliseconds by the clocks of their machines, 0 of
    a bot of before there were any."""
    return until > now and not (by == bot and asker_began >= began)
