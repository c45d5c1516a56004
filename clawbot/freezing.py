"""A freeze, as a chat begins and lifts it."""

import logging

from clawbot.ask import Ask
from clawbot.replies import Notice, Tone, broken, refused
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.fleet import Fleet
from fleet_control.freeze import LONGEST_SECONDS, TOO_LONG, USUAL_SECONDS
from fleet_control.holds import OLDER_API, UNKNOWN_ACTION
from fleet_control.ledger import Operation

_LIFTED_BY = "Until then deploys are refused; any operator lifts that by `/fleet unfreeze`."
_RUNS_ON = (
    "A roll is under way, and goes on if its plan was made before: `/fleet stop` ends it after the "
    "host that it is at."
)
_CAME_LATER = "That began after you said so, and I lifted nothing. Say it again to lift it."
_LOOK = "Whether the fleet is frozen now, `/fleet status` shows."

log = logging.getLogger(__name__)


async def begin(fleet: Fleet, ask: Ask, seconds: int, reason: str) -> Notice:
    """Freeze for so long, 0 for the usual time; what is said of it."""
    if seconds > LONGEST_SECONDS:
        return refused(TOO_LONG, "too_long")
    try:
        made, replaced = await fleet.freeze(
            seconds or USUAL_SECONDS, reason, ask.requested_by, str(ask.request_id)
        )
    except ControlApiError as error:
        return _not_done(error)
    log.info("fleet.frozen by=%s until=%s request_id=%s", ask.account, made.until, ask.request_id)
    lines, run = await _under_way(fleet, ask)
    before = (f"It takes the place of the freeze {replaced.words}",) if replaced else ()
    return Notice((f"Frozen {made.words}", *before, _LIFTED_BY, *lines), runs=run)


async def lift(fleet: Fleet, ask: Ask) -> Notice:
    """End the freeze; what is said of it. One that began after that was said is another's."""
    holds = await fleet.holds()
    if holds.freeze and not ask.pressed and 0 < ask.said < holds.freeze.since:
        return refused(f"{holds.freeze.sentence} {_CAME_LATER}", "came_later")
    try:
        held = await fleet.unfreeze(ask.requested_by, str(ask.request_id))
    except ControlApiError as error:
        return _not_done(error)
    log.info(
        "fleet.unfrozen by=%s held=%s request_id=%s", ask.account, held is not None, ask.request_id
    )
    return Notice((f"Lifted: the freeze {held.words}" if held else "The fleet was not frozen.",))


async def _under_way(fleet: Fleet, ask: Ask) -> tuple[tuple[str, ...], int]:
    """What a freeze does not stop, in lines, and the run that this is."""
    try:
        runs = await fleet.api.runs(unfinished=True)
    except ControlApiError as error:
        log.warning("fleet.runs_unseen request_id=%s why=%s", ask.request_id, error)
        return (f"I could not see whether a roll is under way. {error}",), 0
    moving = (run for run in runs if run.status == "in_progress")
    run = next((run.id for run in moving if run.operation != Operation.UNLOCK), 0)
    return (_RUNS_ON,) if run else (), run


def _not_done(error: ControlApiError) -> Notice:
    """A call whose answer was lost may have been acted on, the API's own to its table too."""
    if not isinstance(error, ControlApiRefused) or error.may_have_acted:
        return Notice((str(error), _LOOK), Tone.BROKEN)
    if error.code == UNKNOWN_ACTION:
        return broken(OLDER_API)
    return broken(str(error)) if error.status >= 500 else refused(str(error), error.code)
