"""A freeze of the fleet: who began it, why, and until when no deploy begins.

It is a row of the control table, whose time we compare with the clock ourselves: DynamoDB removes a
row hours after it has expired.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from fleet_control.ledger import person
from fleet_control.line import printable

# The key of its row.
KEY = "freeze"
USUAL_SECONDS = 4 * 3600
LONGEST_SECONDS = 7 * 24 * 3600
REASON_LENGTH = 100
TOO_LONG = (
    "A freeze lasts 7 days at most. Freeze for less; before it ends, any operator may freeze anew."
)


class Freeze(NamedTuple):
    """Times are Unix seconds.

    Attributes:
        by: account and name of the person who froze, as the ledger has them.
        reason: why, in one line; may be empty.
    """

    by: str
    reason: str
    since: int
    until: int

    @property
    def words(self) -> str:
        """Who froze, until when and why, to follow what is said of it."""
        why = self.reason or "no reason was given"
        end = "" if why.endswith((".", "!", "?", "…")) else "."
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"by {person(self.by)} until {until}: {why}{end}"

    @property
    def sentence(self) -> str:
        return f"The fleet is frozen {self.words}"

    @property
    def overridden(self) -> str:
        """What is said beside a deploy that begins all the same; true whenever it is read."""
        return f"This overrides the freeze {self.words}"


def read(row: Mapping[str, str | int | float] | None, now: float) -> Freeze | None:
    """The freeze that a row of the table tells of, while it holds."""
    if row is None:
        return None
    since, until = (int(float(row.get(name, 0))) for name in ("since", "until"))
    if now >= until:
        return None
    return Freeze(str(row.get("by", "")), str(row.get("reason", "")), since, until)


def one_line(reason: str) -> str:
    """A reason as it is kept: one line that can be shown, cut."""
    line = printable(" ".join(reason.split())).replace("`", "'")
    return line if len(line) <= REASON_LENGTH else f"{line[: REASON_LENGTH - 1]}…"
