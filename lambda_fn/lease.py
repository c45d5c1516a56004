"""A bot instance's lease: one deploy of its own under way, and one a minute, whoever speaks for it.

It is a conditional write, made before GitHub is asked for anything, so that the lag of GitHub's
list does not count. It knows the request id that it was taken for, and its run once there is one.
"""

import os
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from fleet_control.caller import BotInstance
from fleet_control.ledger import Entry
from fleet_control.policy import Facts, RefusalCode, judge
from fleet_control.table_item import Item
from lambda_fn.failure import Code, Failure, raise_refusal
from lambda_fn.github import GitHubClient
from lambda_fn.http_client import CALL_SECONDS
from lambda_fn.table import Table

# Seconds from one deploy of a bot instance to its next, however the first ended.
REST = 60.0
# Seconds after which GitHub lists whatever it will list; a first dispatch was 12 late at most.
LISTED = 120.0
# A client asks for the same deploy twice at most.
TRIES = 2
# GitHub ends every run after 35 days; DynamoDB may then forget the lease.
_KEPT = 40 * 24 * 3600


class Lease(NamedTuple):
    """What one bot instance holds.

    Attributes:
        taken: when GitHub was last asked to begin it, in Unix seconds.
        since: when it was asked the first time of those that may have come to a run.
        tries: how often GitHub was asked to begin it.
        run: its run's id, 0 while that is not known; `url` shows it.
        over: 1 where it certainly came to no run.
    """

    bot: str
    request_id: str
    taken: float
    since: float
    tries: int = 1
    run: int = 0
    url: str = ""
    over: int = 0


class Leases:
    """`connect` gives GitHub where an earlier lease needs it; `now` is Unix seconds."""

    def __init__(self, table: Table, connect: Callable[[], GitHubClient], now: float) -> None:
        self._table = table
        self._connect = connect
        self._now = round(now, 3)

    def take(self, entry: Entry) -> Lease:
        """A lease for this ask: a new one, or that of the same request id, which may have its run
        by now. Raises `busy` where another ask holds it."""
        asked = entry.request_id or os.urandom(8).hex()
        mine = Lease(entry.caller, asked, taken=self._now, since=self._now)
        old = self._put(mine, None)
        if old is None:
            return mine
        if old.request_id == mine.request_id and old.run:
            return old
        if old.request_id == mine.request_id and self._may_again(old):
            since = self._now if old.over else old.since
            mine = mine._replace(since=since, tries=old.tries + 1)
        else:
            self._check_over(old, entry)
        if self._put(mine, old) is None:
            return mine
        raise _busy(f"Another ask of {mine.bot} came first.", REST)

    def is_over(self, lease: Lease) -> None:
        """This try came to no run; its minute counts all the same, and so does an earlier try that
        may have come to one."""
        if lease.since == lease.taken:
            self._put(lease._replace(over=1), lease)

    def has_run(self, lease: Lease, run: int, url: str) -> None:
        self._put(lease._replace(run=run, url=url), lease)

    def _put(self, lease: Lease, instead_of: Lease | None) -> Lease | None:
        """What stands in its place, where that is not what it should be."""
        stands = self._table.put(_item(lease), instead_of and _item(instead_of))
        return None if stands is None else _read(lease.bot, stands)

    def _may_again(self, old: Lease) -> bool:
        """Not while the first one may still be at work, or this would be a way to two at once; and
        no later than its client would. Then it is an ask like any other."""
        return old.tries < TRIES and CALL_SECONDS <= self._now - old.taken < LISTED

    def _check_over(self, old: Lease, entry: Entry) -> None:
        """What costs nothing is looked at first: most of a flood ends here."""
        age = self._now - old.taken
        if age < REST:
            ago = f"{old.bot} asked for a deploy {max(0, age):.0f} s ago"
            raise _busy(f"{ago}; a bot instance may once a minute.", REST - age)
        if old.over:
            return
        if not old.run and age < LISTED:
            ago = f"{old.bot} asked for a deploy {age:.0f} s ago"
            raise _busy(f"{ago}, and which run it became is not known yet.", LISTED - age)
        link = self._unfinished(old, age)
        raise_refusal(judge(BotInstance(old.bot), entry.target, "", Facts(unfinished=link)))

    def _unfinished(self, old: Lease, age: float) -> str:
        """Link to its run, if that has not ended."""
        github = self._connect()
        try:
            within = old.taken - old.since + LISTED
            runs = [github.run(old.run)] if old.run else github.dispatched_at(old.since, within)
        except Failure as failure:
            # GitHub does not know it: yet, or any more.
            if failure.code != Code.UNKNOWN_RUN:
                raise
            return old.url if age < LISTED else ""
        ours = [run for run in runs if run.id == old.run or run.request_id == old.request_id]
        return next((run.url for run in ours if not run.finished), "")


def _item(lease: Lease) -> Item:
    fields = {name: one for name, one in lease._asdict().items() if name != "bot"}
    return {"pk": f"lease#{lease.bot}", "expires": int(lease.taken) + _KEPT, **fields}


def _read(bot: str, item: Item) -> Lease:
    fields = {name: item[name] for name in Lease._fields[1:]}
    return Lease(bot, **fields)  # type: ignore[arg-type]  # (as `_item` wrote it)


def _busy(words: str, after: float) -> Failure:
    return Failure(RefusalCode.BUSY, words, ceil(after))
