"""What keeps deploys from beginning, in the control table: a freeze."""

from fleet_control import freeze
from fleet_control.freeze import Freeze
from fleet_control.table_item import Item
from lambda_fn.failure import Code, Failure
from lambda_fn.table import Table

# After its end nobody asks for it any more; DynamoDB may then forget it.
_KEPT = 24 * 3600
# Who would write where somebody else just did looks again.
_TRIES = 3


class FreezeRow:
    """Reads and writes the freeze; without a table nothing is frozen, and nothing can be.

    What can't be read or written raises TABLE_UNREACHABLE.
    """

    def __init__(self, table: Table | None, now: float) -> None:
        self._table = table
        self._now = int(now)

    def frozen(self) -> Freeze | None:
        """The freeze that holds now."""
        return freeze.read(self._table.get(freeze.KEY), self._now) if self._table else None

    def begin(self, by: str, seconds: int, reason: str) -> tuple[Freeze, Freeze | None]:
        """Freeze for so long from now, in the place of a freeze that holds; which one that was."""
        made = Freeze(by, reason, self._now, self._now + seconds)
        table = self._needed()
        stands: Item | None = None
        for _ in range(_TRIES):
            before, stands = stands, table.put(self._item(made), stands)
            if stands is None:
                return made, freeze.read(before, self._now)
        raise _raced()

    def lift(self) -> Freeze | None:
        """End the freeze that holds, if one does; which one that was."""
        table = self._needed()
        for _ in range(_TRIES):
            row = table.get(freeze.KEY)
            held = freeze.read(row, self._now)
            # Over by whatever clock looks at it: a run's may be behind ours.
            if held is None or table.put(self._item(held._replace(until=0)), row) is None:
                return held
        raise _raced()

    def _item(self, one: Freeze) -> Item:
        expires = max(one.until, self._now) + _KEPT
        return {"pk": freeze.KEY, "expires": expires, **one._asdict()}

    def _needed(self) -> Table:
        if self._table is None:
            why = "The fleet can't be frozen: there is no control table (CONTROL_TABLE)."
            raise Failure(Code.MISCONFIGURED, why)
        return self._table


def _raced() -> Failure:
    return Failure(Code.BUSY, "Others froze or unfroze at the same moment. Look, and ask again.")
