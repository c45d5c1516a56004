"""Who watches the fleet for a channel, and what was seen: a lease and a text, in one row of the
control table."""

from typing import NamedTuple

from fleet_control.announcement import LEASED_SECONDS, WatchLease
from fleet_control.table_item import Item
from lambda_fn import announce
from lambda_fn.holder import is_anothers
from lambda_fn.request import ApiRequest
from lambda_fn.table import Table, known

# A watch that nobody keeps for so long begins anew; DynamoDB may then forget it.
_KEPT = 40 * 24 * 3600


class LeasedWatch(NamedTuple):
    """The row of one channel's watch: whose it is, and the state that it goes on from.

    Attributes:
        by: the bot whose the lease is, or was until `until`, Unix seconds.
        version: how often the state was written.
        began: which process of that bot's has it, by its beginning.
    """

    by: str = ""
    until: int = 0
    state: str = ""
    version: int = 0
    began: int = 0


def watch(ask: ApiRequest, table: Table, now: float) -> tuple[WatchLease, bool]:
    """Take or renew the lease, and write the state where it is of the version that stands; whether
    a younger process of the same bot has it, too."""
    # Who watches a channel tells it of the next deploy, too, though it be the first one.
    announce.begin(table, ask.channel, now)

    def watched(item: Item | None) -> Item | None:
        row = renewed(_read(item), ask, now)
        expires = int(now) + _KEPT
        return {"pk": _key(ask), "expires": expires, **row._asdict()} if row else None

    row = _read(table.change(_key(ask), watched)[1])
    mine = not _is_anothers(row, ask, now)
    return WatchLease(mine, row.state, row.version), not mine and row.by == ask.bot


def renewed(row: LeasedWatch, ask: ApiRequest, now: float) -> LeasedWatch | None:
    """What is to stand in the place of this row; None while it is another's."""
    if _is_anothers(row, ask, now):
        return None
    row = row._replace(by=ask.bot, until=int(now + LEASED_SECONDS), began=ask.began)
    if ask.state is None or ask.version != row.version:
        return row
    return row._replace(state=ask.state, version=row.version + 1)


def _is_anothers(row: LeasedWatch, ask: ApiRequest, now: float) -> bool:
    return is_anothers(row.by, row.began, row.until, ask.bot, ask.began, now)


def _read(item: Item | None) -> LeasedWatch:
    return LeasedWatch(**known(item, LeasedWatch._fields))


def _key(ask: ApiRequest) -> str:
    return f"watch#{ask.channel}"
