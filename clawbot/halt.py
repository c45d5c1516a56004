"""A roll that is told to stop, and a deploy that is cancelled before it has started."""

from clawbot.ask import Ask
from clawbot.living_reply import words
from clawbot.replies import Notice, Tone, broken, refused
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused, FleetError
from fleet_control.holds import UNKNOWN_ACTION
from fleet_control.ledger import WAITING, Run
from fleet_control.roll_stop import named

LISTED = 12
_AGAIN = "You said that before I was started anew: one may be cancelled already."


async def stop(api: ControlApi, ask: Ask) -> Notice:
    """Have the roll under way begin no further host. Asked for again it does no harm."""
    try:
        return Notice(((await api.stop(ask.requested_by, str(ask.request_id))).message,))
    except ControlApiRefused as error:
        if error.code == UNKNOWN_ACTION:
            older = "The Control API is older than I am and can't stop a roll: update it."
            return broken(older)
        if error.may_have_acted:
            return _unknown(error, ask)
        return broken(str(error)) if error.status >= 500 else refused(str(error), error.code)
    except FleetError as error:
        return _unknown(error, ask)


async def stop_run(api: ControlApi, run_id: int, ask: Ask) -> Notice:
    """The same by a button that may be old: this roll is stopped, and no other."""
    try:
        listed = await api.runs(unfinished=True)
    except FleetError as error:
        return broken(words(error, ask.request_id))
    if not any(run.id == run_id and not run.finished for run in listed):
        return refused("That roll is over: nothing was stopped.", "nothing_runs")
    return await stop(api, ask)


def _unknown(error: FleetError, ask: Ask) -> Notice:
    told = "Whether the roll was told to stop is not known: ask again, it does no harm."
    return Notice((words(error, ask.request_id), told), Tone.BROKEN)


async def cancel(api: ControlApi, run_id: int, ask: Ask) -> Notice:
    """Cancel this one, where it has not started; its own reply tells how it ended."""
    try:
        return Notice((await api.cancel(run_id, ask.requested_by, str(ask.request_id)),))
    except ControlApiRefused as error:
        return refused(str(error), error.code)
    except FleetError as error:
        return broken(words(error, ask.request_id))


async def cancel_the_one(api: ControlApi, ask: Ask, *, again: bool) -> Notice:
    """Cancel the only one that waits; of several, which there are. So too of one, where this may
    be heard `again`: it may have been another then."""
    try:
        listed = await api.runs(unfinished=True)
    except FleetError as error:
        return broken(words(error, ask.request_id))
    waits = sorted((run for run in listed if run.status in WAITING), key=lambda run: run.id)
    match waits:
        case []:
            none = "GitHub shows no deploy that waits. `/fleet stop` ends the roll that runs."
            return refused(none, "nothing_waits")
        case [one] if not again:
            return await cancel(api, one.id, ask)
        case _:
            return Notice(tuple(_which(waits, again=again)))


def _which(waits: list[Run], *, again: bool) -> list[str]:
    first = _AGAIN if again else f"{len(waits)} deploys wait."
    said = [f"{first} Say which: `/fleet cancel <run>`."]
    said += [named(one) for one in waits[:LISTED]]
    more = len(waits) - LISTED
    return [*said, f"And {more} more that were asked for later."] if more > 0 else said
