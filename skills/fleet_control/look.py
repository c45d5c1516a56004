"""Looks at what a deploy needs, side by side, none of which can keep the others waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from fleet_control.clock import Clock
from fleet_control.preflight import Check, Point, in_order, unseen, wrong

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look, which may tell of several points.

    Attributes:
        points: what it tells of. Where it does not end in time, the first of them is wrong and the
            others are unseen.
        see: what it finds; a point that it leaves out is unseen.
        advice: what to do where it does not end.
    """

    points: tuple[Point, ...]
    see: Callable[[], Awaitable[Iterable[Check]]]
    advice: str = "Look again in a minute."


async def look(looks: Iterable[Look], clock: Clock) -> tuple[Check, ...]:
    """A check of every point, in their order, within ten seconds whatever hangs."""
    found = await asyncio.gather(*(_within(one, clock) for one in looks))
    return in_order(check for checks in found for check in checks)


async def _within(one: Look, clock: Clock) -> Iterable[Check]:
    seeing = asyncio.ensure_future(one.see())
    over = asyncio.ensure_future(clock.sleep(LOOK_SECONDS))
    try:
        await asyncio.wait((seeing, over), return_when=asyncio.FIRST_COMPLETED)
        if not seeing.done():
            return _without(one, f"It did not answer in {LOOK_SECONDS:.0f} s.")
        return seeing.result()
    except Exception:
        log.exception("fleet.look_broke points=%s", ",".join(one.points))
        return [unseen(point, "The look at it broke: see the log.") for point in one.points]
    finally:
        for task in (seeing, over):
            task.cancel()


def _without(one: Look, why: str) -> Iterable[Check]:
    first, *rest = one.points
    return [wrong(first, why, one.advice), *(unseen(point, why) for point in rest)]
