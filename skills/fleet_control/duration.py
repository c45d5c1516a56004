"""A length of time, as people say it; all in seconds."""

_UNITS = (("day", "d", 86_400), ("hour", "h", 3_600), ("minute", "min", 60))


def older(seconds: float) -> str:
    """In its largest unit: `3 days`, `1 hour`, `5 minutes`."""
    for unit, _, length in _UNITS:
        count = int(seconds // length)
        if count > 0:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "moments"


def short(seconds: float) -> str:
    """In its largest unit, short: `11 d`, `3 h`, `5 min`, `8 s`."""
    for _, unit, length in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def exact(seconds: float) -> str:
    """To the second: `12 min 3 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
