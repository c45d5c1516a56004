"""The bot: hears and speaks, decides nothing."""


def missing(library: str, extra: str) -> str:
    """What to do where an extra's library is not there.

    No index has this distribution, and what one has as `clawbot` is a stranger's program.
    """
    return f"{library} is not installed: pip install '.[{extra}]' in a checkout of clawbot-fleet."
