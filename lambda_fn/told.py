"""What became of each ask's asker: a row for each says which end they were told of, when their bot
said last that its reply lives, and where it goes on if it does not.

A call may come minutes after the dispatch, and from the next life of the bot: GitHub's list of runs
can't say whether it was made.
"""

from collections.abc import Callable
from typing import NamedTuple

from fleet_control.announcement import GIVEN_UP_SECONDS, ReplyLife, platform
from fleet_control.ledger import parse_request_id
from fleet_control.table_item import Item
from lambda_fn.holder import is_anothers
from lambda_fn.table import Table, known

# GitHub ends every run after 35 days; DynamoDB may then forget who asked for it.
_KEPT = 40 * 24 * 3600


class AskerRow(NamedTuple):
    """The row of one ask: whether its reply lives, and which end its asker knows.

    Attributes:
        end: the end that the asker was told of last; empty for none.
        end_in: the fleet's channel in which they were; empty where their own reply told it.
        seen: when the reply's bot said last that it lives, Unix seconds.
        given_up: when somebody began to announce the deploy instead; 0 while nobody has.
        goes_on: ``<channel>#<message>`` of the announcements, one a platform, between spaces.
        answered: when the reply was answered with where it goes on; 0 while it was not.
        began: which process of the reply's bot keeps it, by its beginning.
    """

    end: str = ""
    end_in: str = ""
    seen: int = 0
    given_up: int = 0
    goes_on: str = ""
    answered: int = 0
    began: int = 0

    @property
    def was_told(self) -> bool:
        """Whether the asker's own reply told the end."""
        return bool(self.end and not self.end_in)

    @property
    def is_to_answer(self) -> bool:
        """Whether the reply is dead, and says neither how it ended nor where it goes on."""
        return bool(self.given_up and not self.answered) and not self.was_told

    def lives(self, created: float, now: float) -> bool:
        """Whether the reply's bot was heard of; the run's creation counts as the first sign."""
        return now - max(self.seen, created) < GIVEN_UP_SECONDS

    def announced(self, channel: str, message: str, end: str, *, to_asker: bool) -> "AskerRow":
        """It goes on in this message, and was told there to have ended so, as far as either is
        named; `to_asker`: to the asker themselves. Each platform has one such message."""
        row = self
        if message:
            others = [one for one in self.goes_on.split() if platform(one) != platform(channel)]
            row = row._replace(goes_on=" ".join([*others, f"{channel}#{message}"]))
        if end and to_asker and not self.was_told:
            row = row._replace(end=end, end_in=channel)
        return row

    def goes_on_for(self, of: str) -> str:
        """Where it goes on, on that platform rather than on another."""
        links = self.goes_on.split()
        return next((one for one in links if platform(one) == of), "".join(links[:1]))


def owe(table: Table, request_id: str, now: float) -> None:
    """A deploy was dispatched whose asker is to be called at its end."""
    table.put(_item(request_id, AskerRow(seen=int(now)), now), None)


def note(table: Table, request_id: str, end: str, now: float) -> None:
    """The asker was told by their reply that it ended so; the last word counts."""
    change(table, request_id, now, lambda row: row._replace(end=end, end_in=""))


def noted(table: Table, request_id: str) -> str | None:
    """The end that the asker was told of last, empty for none; None where nothing is known."""
    item = table.get(_key(request_id))
    return None if item is None else _read(item).end


def live(table: Table, request_id: str, now: float, began: int) -> tuple[ReplyLife, bool]:
    """The process of the reply's bot that began then says that it lives; once it was given up it
    never does again. Whether a younger process keeps it, too: it lives, but not by this one."""

    def is_youngers(row: AskerRow) -> bool:
        until = row.seen + GIVEN_UP_SECONDS
        # A bot of before takes a reply that is not its own any more for one that was given up.
        is_held = bool(began) and is_anothers("", row.began, until, "", began, now)
        return is_held and not row.given_up

    def seen(row: AskerRow) -> AskerRow:
        stays = row.given_up or is_youngers(row)
        return row if stays else row._replace(seen=int(now), began=began)

    row = change(table, request_id, now, seen)
    of = parse_request_id(request_id).platform
    return ReplyLife(not row.given_up, row.goes_on_for(of)), is_youngers(row)


def give_up(table: Table, request_id: str, created: float, now: float) -> AskerRow:
    """Give a reply up that does not live and told no end; what stands then."""

    def given_up(row: AskerRow) -> AskerRow:
        stays = row.given_up or row.was_told or row.lives(created, now)
        return row if stays else row._replace(given_up=int(now))

    return change(table, request_id, now, given_up)


def change(
    table: Table, request_id: str, now: float, changed: Callable[[AskerRow], AskerRow]
) -> AskerRow:
    """Write what `changed` makes of the row, where that is another; what stands then."""

    def wanted(item: Item | None) -> Item | None:
        row = _read(item)
        made = changed(row)
        return None if made == row else _item(request_id, made, now)

    return _read(table.change(_key(request_id), wanted)[1])


def _item(request_id: str, row: AskerRow, now: float) -> Item:
    return {"pk": _key(request_id), "expires": int(now) + _KEPT, **row._asdict()}


def _read(item: Item | None) -> AskerRow:
    return AskerRow(**known(item, AskerRow._fields))


def _key(request_id: str) -> str:
    return f"told#{request_id}"
