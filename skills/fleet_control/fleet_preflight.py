"""What the Control API and EC2 show of whether a deploy would work."""

import logging
from collections.abc import Iterable

from fleet_control.clock import Clock
from fleet_control.fleet import Fleet
from fleet_control.look import Look, look
from fleet_control.preflight import Check

log = logging.getLogger(__name__)


async def preflight(
    fleet: Fleet, clock: Clock, more: Iterable[Look] = (), speaks_as: str = ""
) -> tuple[Check, ...]:
    """A check of every point, in their order, within ten seconds whatever hangs.

    `more` are looks of the asker's own; `speaks_as` is who the asker should be to the Control API,
    as in `chat:clawbot` or `agent:claw-1`.
    """
    return await look((*looks(fleet, speaks_as), *more), clock)


def looks(fleet: Fleet, speaks_as: str = "") -> tuple[Look, ...]:
    """What can be seen with the keys of whoever asks."""
    log.debug("fleet.preflight as=%s carrier=%s", speaks_as, fleet.carrier)
    return ()
