"""Which askers were told how their deploys ended, so that each is called once.

A call may come minutes after the dispatch, and from the next life of the bot: GitHub's list of runs
can't say whether it was made.
"""

from fleet_control.table_item import Item
from lambda_fn.table import Table

# GitHub ends every run after 35 days; DynamoDB may then forget who asked for it.
_KEPT = 40 * 24 * 3600


def owe(table: Table, request_id: str, now: float) -> None:
    """A deploy was dispatched whose asker is to be called at its end."""
    table.put(_item(request_id, "", now), None)


def note(table: Table, request_id: str, end: str, now: float) -> None:
    """The asker was told that it ended so; the last word counts."""
    item = _item(request_id, end, now)
    stands = table.put(item, None)
    if stands is not None:
        table.put(item, stands)


def noted(table: Table, request_id: str) -> str | None:
    """The end that the asker was told of last, empty for none; None where nothing is known."""
    stands = table.get(_key(request_id))
    return None if stands is None else str(stands["end"])


def _item(request_id: str, end: str, now: float) -> Item:
    return {"pk": _key(request_id), "expires": int(now) + _KEPT, "end": end}


def _key(request_id: str) -> str:
    return f"told#{request_id}"
