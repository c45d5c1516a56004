"""A host's last answer to how it is, as a tag of its EC2 machine keeps it.

The run writes it, and whoever reads EC2 may show it. Nobody decides anything by it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

TAG = "answer"
# EC2 takes 256 characters.
LONGEST = 256
# So far may a run's clock be ahead of its reader's.
AHEAD_SECONDS = 60.0
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_UNPLAIN = re.compile(r"[^A-Za-z0-9 .,;:'()+=-]+")
_WRITTEN = re.compile(
    r"(well|ill) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?: ([A-Za-z0-9 .,;:'()+=-]+))?"
)


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """Whether a host said that it is well, and when.

    Attributes:
        when: Unix seconds.
        why: what was missing; empty where it was well.
    """

    well: bool
    when: float
    why: str = ""


def write(answer: HostAnswer) -> str:
    """The tag's value: `well 2026-11-27T05:10:00Z`, or `ill`, the moment and why."""
    moment = datetime.fromtimestamp(answer.when, UTC).strftime(_FORM)
    why = _UNPLAIN.sub(" ", answer.why)
    return f"{'well' if answer.well else 'ill'} {moment} {why}"[:LONGEST].strip()


def read(text: str, now: float) -> HostAnswer | None:
    """What the tag says; None where no run would have written it so by now (Unix seconds)."""
    said = _WRITTEN.fullmatch(text) if len(text) <= LONGEST else None
    if said is None or (said[1] == "well") == bool(said[3]):
        return None
    try:
        when = datetime.strptime(said[2], _FORM).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    if when > now + AHEAD_SECONDS:
        return None
    return HostAnswer(said[1] == "well", min(when, now), said[3] or "")
