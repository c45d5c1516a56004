"""What a watch tells at once: the findings that are pending in its state, each in words."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fleet_control.fault import SEVERITY
from fleet_control.finding import Finding, in_few_words
from fleet_control.status import natural
from fleet_control.watch_state import CONCERNS, Owed, Telling, WatchState

# What came and went so often within so long flaps.
FLAPS = 3
FLAPS_WITHIN_SECONDS = 7200
_OFTEN = f"{FLAPS} times within two hours"


@dataclass(frozen=True, slots=True)
class Report:
    """What the channel is to be told at once; of what flaps no more until it rests.

    Attributes:
        still: of whom something is wrong that was told before; empty for the fleet.
    """

    wrong: tuple[Finding, ...] = ()
    well: tuple[Finding, ...] = ()
    flapping: tuple[Finding, ...] = ()
    still: tuple[str, ...] = ()


def report(state: WatchState, found: Iterable[Finding] = ()) -> Report:
    """What is pending in words: as it was found, where it is found so now; worst first."""
    now = {(one.of, one.problem): one for one in found}
    told: dict[Telling, list[Finding]] = defaultdict(list)
    for owed in sorted(state.pending, key=lambda one: (SEVERITY[one.problem], natural(one.of))):
        told[owed.kind].append(_finding(owed, now.get((owed.of, owed.problem))))
    return Report(
        wrong=tuple(told[Telling.WRONG]),
        well=tuple(told[Telling.WELL]),
        flapping=tuple(told[Telling.FLAPPING]),
        still=_still(state),
    )


def _still(state: WatchState) -> tuple[str, ...]:
    """Of whom something is wrong that is not among what is pending."""
    told = {(one.of, CONCERNS[one.problem]) for one in state.pending}
    courses = state.courses.items()
    still = {key.of for key, one in courses if one.is_known and one.present and key not in told}
    return tuple(sorted(still, key=natural))


def _finding(owed: Owed, now: Finding | None) -> Finding:
    few = in_few_words(owed.of, owed.problem)
    match owed.kind:
        case Telling.WRONG:
            return now or few
        case Telling.WELL:
            return few._replace(repair="")
        case Telling.FLAPPING:
            return few._replace(words=f"{few.words}, {_OFTEN}")
