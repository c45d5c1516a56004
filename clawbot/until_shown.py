"""A reply that can't be changed just now must not lose sight of its deploy."""

import logging
from collections.abc import Awaitable, Callable

from clawbot.living_reply import NoPlace
from clawbot.patience import WORK_AGAIN
from clawbot.replies import GoesOn, Notice, Reply, is_final
from fleet_control.clock import Clock
from fleet_control.error import FleetError

# So long what ended is in the ledger's list, too, for a process that comes after this one.
TRIED_FOR_SECONDS = 24 * 3600.0

log = logging.getLogger(__name__)

Show = Callable[[Reply], Awaitable[None]]


async def _at_once() -> None: ...


def _always(_error: Exception) -> bool:
    return True


def until_shown(
    show: Callable[[Reply], Awaitable[object]],
    request_id: str,
    clock: Clock,
    may: Callable[[], Awaitable[None]] = _at_once,
    again: Callable[[Exception], bool] = _always,
) -> Show:
    """A `show` that never fails: after a deploy's end nothing comes that would be shown, so that
    waits until the place for it is back; anything else is left to what comes next.

    `request_id` is for the log. `may` is waited for before each try; `again` is whether an end that
    was not shown for this reason is worth another.
    """
    why = ""

    async def shown(what: Reply) -> None:
        nonlocal why
        until = clock.monotonic() + TRIED_FOR_SECONDS
        for pause in WORK_AGAIN.pauses():
            await may()
            try:
                await show(what)
            except Exception as error:
                if why != (why := str(error) or type(error).__name__):
                    log.warning(
                        "fleet.reply_not_edited request_id=%s why=%s",
                        request_id,
                        why,
                        exc_info=None if isinstance(error, FleetError) else error,
                    )
                if isinstance(error, NoPlace) and isinstance(what, Notice | GoesOn):
                    return  # nothing began, or it is told elsewhere: what stands may stay
                if not (is_final(what) and again(error)):
                    return
            else:
                why = ""
                return
            if clock.monotonic() > until:
                return
            await clock.sleep(pause)

    return shown
