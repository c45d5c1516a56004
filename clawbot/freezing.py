"""A freeze, as a chat begins and lifts it."""

import logging

from clawbot.ask import Ask
from clawbot.replies import Notice, Tone, refused
from fleet_control.error import ControlApiError, ControlApiRefused
from fleet_control.fleet import Fleet
from fleet_control.freeze import LONGEST_SECONDS, TOO_LONG, USUAL_SECONDS
from fleet_control.ledger import Operation

_LIFTED_BY = "Until then deploys are refused; any operator lifts that by `/fleet unfreeze`."
_RUNS_ON = "A roll is under way, and goes on: `/fleet stop` ends it after the host that it is at."
_LOOK = "Whether the fleet is frozen now, `/fleet status` shows."

log = logging.getLogger(__name__)


async def begin(fleet: Fleet, ask: Ask, seconds: int, reason: str) -> Notice:
    """Freeze for so long, 0 for the usual time; what is said of it."""
    if seconds > LONGEST_SECONDS:
        return refused(TOO_LONG, "too_long")
    try:
        made = await fleet.freeze(seconds or USUAL_SECONDS, reason, ask.requested_by)
    except ControlApiError as error:
        return _not_done(error)
    log.info("fleet.frozen by=%s until=%s", ask.account, made.until)
    return Notice((f"Frozen {made.words}", _LIFTED_BY, *await _under_way(fleet)))


async def lift(fleet: Fleet, ask: Ask) -> Notice:
    """End the freeze; what is said of it."""
    try:
        held = await fleet.unfreeze(ask.requested_by)
    except ControlApiError as error:
        return _not_done(error)
    log.info("fleet.unfrozen by=%s held=%s", ask.account, held is not None)
    return Notice((f"Lifted: the freeze {held.words}" if held else "The fleet was not frozen.",))


async def _under_way(fleet: Fleet) -> tuple[str, ...]:
    """What a freeze does not stop, and how that is stopped."""
    try:
        runs = await fleet.api.runs(unfinished=True)
    except ControlApiError as error:
        log.warning("fleet.runs_unseen why=%s", error)
        return (f"I could not see whether a roll is under way. {error}",)
    moves = (run.status == "in_progress" and run.operation != Operation.UNLOCK for run in runs)
    return (_RUNS_ON,) if any(moves) else ()


def _not_done(error: ControlApiError) -> Notice:
    """A call whose answer was lost may have been acted on."""
    if isinstance(error, ControlApiRefused):
        older = "The Control API is older than I am: it knows no freeze."
        said = older if error.code == "bad_request" else str(error)
        return Notice((said,), Tone.BROKEN if error.status >= 500 else Tone.REFUSED, error.code)
    return Notice((str(error), _LOOK), Tone.BROKEN)
