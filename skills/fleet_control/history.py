"""The history of deploys: a page of the ledger, and what is said of each of its runs."""

from typing import NamedTuple

from fleet_control.ledger import Run

# As many as the Control API has at the most.
MOST_PAGES = 100


class HistoryPage(NamedTuple):
    """Runs with their jobs, newest first.

    Attributes:
        page, pages: which this is, from 1, and how many there are.
        unlooked: how many further runs may have brought the target along, and were not looked at.
        unseen: the ids of those among `runs` whose jobs could not be had.
        why: what kept the Control API from looking, in a sentence; empty where nothing did.
    """

    runs: tuple[Run, ...]
    page: int = 1
    pages: int = 1
    unlooked: int = 0
    unseen: tuple[int, ...] = ()
    why: str = ""
