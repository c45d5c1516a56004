"""Looks at what a deploy needs, side by side, none of which can keep the others waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from fleet_control.clock import Clock
from fleet_control.preflight import FIRST, Check, Point, hidden, in_order, unseen, wrong

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look, which may tell of several points.

    Attributes:
        points: what it tells of; one that it leaves out is unseen.
        see: what it finds.
        blamed: which of them is wrong where the look does not end in time; none where that is
            another look's to say.
        advice: what to do then.
    """

    points: tuple[Point, ...]
    see: Callable[[], Awaitable[Iterable[Check]]]
    blamed: Point | None = None
    advice: str = "Look again in a minute."


async def look(
    looks: Iterable[Look], clock: Clock, seconds: float = LOOK_SECONDS
) -> tuple[Check, ...]:
    """A check of every point, in their order, within ten seconds whatever hangs."""
    found = await asyncio.gather(*(_within(one, clock, seconds) for one in looks))
    return in_order(check for checks in found for check in checks)


async def _within(one: Look, clock: Clock, seconds: float) -> Iterable[Check]:
    seeing = asyncio.ensure_future(one.see())
    over = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((seeing, over), return_when=asyncio.FIRST_COMPLETED)
        if not seeing.done():
            return tuple(_late(one, seconds))
        return (*map(hidden, one.points), *seeing.result())
    except Exception:
        log.exception("fleet.look_broke points=%s", ",".join(one.points))
        return [unseen(point, "The look at this broke: see the log.") for point in one.points]
    finally:
        for task in (seeing, over):
            task.cancel()


def _late(one: Look, seconds: float) -> Iterable[Check]:
    for point in one.points:
        if point is one.blamed:
            yield wrong(point, f"It did not answer in {seconds:.0f} s.", one.advice)
        else:
            told = f"There was no answer in {seconds:.0f} s."
            yield unseen(point, told, FIRST if one.blamed else one.advice)
