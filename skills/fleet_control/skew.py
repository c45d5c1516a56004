"""Clocks that differ: told by the `Date` of an answer against this machine's time."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fleet_control.duration import short

# AWS takes no signature that is five minutes off or more; S3 is as patient as a quarter of an hour.
SKEWED_SECONDS = 300.0
# What AWS says of a signature's time, in its codes and its sentences.
_OF_TIME = (
    "requestexpired",
    "requesttimetooskewed",
    "requestinthefuture",
    "request has expired",
    "signature expired",
    "signature not yet current",
)
# What it says of one that is wrong in whichever way; a HEAD's refusal has no words.
_OF_SIGNATURE = (
    "403",
    "AuthFailure",
    "Forbidden",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
)
_CERTIFICATE = ("certificate is not yet valid", "certificate has expired")
_SET = (
    "`timedatectl` tells whether this one is kept right; `systemctl restart chronyd` (or "
    "systemd-timesyncd) sets it."
)


def ahead(date: str | None) -> float | None:
    """How far this machine's clock is ahead of whoever dated an answer so, in seconds."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return time.time() - there.replace(tzinfo=there.tzinfo or UTC).timestamp()


def sentence(seconds: float, whose: str = "AWS") -> str:
    """That this machine's clock is so far ahead of theirs, or behind it, and what to do."""
    size = short(60 * round(abs(seconds) / 60))
    way = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {size} {way} {whose}'s clock. {_SET}"


def refused(date: str | None, code: str, said: str) -> str:
    """Why AWS refused a signature, where it is for its time; empty where it is for another reason.

    `date` is the answer's own.
    """
    off = ahead(date)
    of_time = any(one in f"{code} {said}".lower() for one in _OF_TIME)
    if off is not None and abs(off) >= SKEWED_SECONDS and (of_time or code in _OF_SIGNATURE):
        return f"AWS refuses this machine's signature for its time. {sentence(off)}"
    if not of_time:
        return ""
    if off is None:
        return (
            "AWS refuses this machine's signature for its time, and does not say by how much the "
            f"clocks differ. {_SET}"
        )
    return (
        "AWS refuses the request for its time, though the clocks agree: it was minutes on its way, "
        "or the credentials have ended. Ask again; where that does not help, sign in again."
    )


def by_certificate(error: BaseException) -> str:
    """That a certificate is not valid at this machine's time; empty for any other error."""
    if not any(one in str(error) for one in _CERTIFICATE):
        return ""
    now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Its certificate is not valid at this machine's time, {now}. {_SET}"
