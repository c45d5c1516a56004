"""What only the Control API can see of whether a deploy would work: GitHub, and its own table."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import NamedTuple

from fleet_control.preflight import Check, Point, hidden, in_order, ok, wrong
from lambda_fn import github_check, lock_check
from lambda_fn.failure import Failure
from lambda_fn.github import GitHubClient
from lambda_fn.holds import FreezeRow
from lambda_fn.http_client import Budget
from lambda_fn.lock_check import Held
from lambda_fn.signer import Signer
from lambda_fn.table import Table

# Of the call's time, what GitHub may take, and what all looks may: a look that GitHub keeps waiting
# has time to say so, and the answer is on its way before the asker gives up.
GITHUBS_PART, LOOKS_PART = 0.75, 0.9

log = logging.getLogger(__name__)


class _Look(NamedTuple):
    """`points` are what it may tell of."""

    points: tuple[Point, ...]
    see: Callable[[], Iterable[Check]]


def answer(
    signer: Signer,
    connect: Callable[[Budget], GitHubClient],
    table: Table | None,
    held: Callable[[], Held],
    budget: Budget,
) -> Mapping[str, object]:
    """Every check that could be made, and who signed, as in `chat:clawbot`. `held` gives the lock
    on the state, as `holds` tells of it."""
    github = connect(budget.part(budget.left() * GITHUBS_PART))
    looks = (
        _Look(
            (Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
            lambda: github_check.workflow(github),
        ),
        _Look((Point.HOST_FILES,), lambda: github_check.host_files(github)),
        _Look((Point.TABLE, Point.FREEZE), lambda: _table(table, budget.now())),
        _Look((Point.LOCK,), lambda: [lock_check.lock(held(), github)]),
    )
    found = _side_by_side(looks, budget.part(budget.left() * LOOKS_PART))
    named = {one.name for one in found}
    checks = [one for one in in_order(found) if one.name in named]
    return {"checks": checks, "signer": ":".join(filter(None, signer))}


def _side_by_side(looks: Sequence[_Look], budget: Budget) -> list[Check]:
    """What each has found when the time is over; what it leaves out is unseen."""
    found = [hidden(point) for look in looks for point in look.points]

    def see(look: _Look) -> None:
        try:
            found.extend(look.see())
        except Exception:
            log.exception("control.look_broke points=%s", ",".join(look.points))

    threads = [Thread(target=see, args=(look,), daemon=True) for look in looks]
    for one in threads:
        one.start()
    with suppress(TimeoutError):
        for one in threads:
            one.join(budget.left())
    return list(found)


def _table(table: Table | None, now: float) -> Iterable[Check]:
    """Of the table, and of what holds every deploy by it."""
    if table is None:
        told = "The Control API has none: its CONTROL_TABLE is not set."
        yield wrong(Point.TABLE, told, "Apply `tofu/control`, which makes one and names it.")
        return
    try:
        frozen = FreezeRow(table, now).frozen()
    except Failure as failure:
        advice = "Throttled or unreachable: it passes. Else apply `tofu/control` again."
        yield wrong(Point.TABLE, str(failure), advice)
        return
    yield ok(Point.TABLE, "The Control API reads it.")
    if frozen is None:
        yield ok(Point.FREEZE, "The fleet is not frozen.")
    else:
        yield wrong(Point.FREEZE, frozen.sentence, "`/fleet unfreeze` ends it before its time.")
