"""A host's report of its own health, and what is missing until it is healthy.

The answer is one JSON object. A host may be broken or taken over, so nothing of it is repeated that
could be more than a word.
"""

import json
import math
import re
from dataclasses import dataclass

from fleet_control.caller import is_instance_id
from fleet_control.error import FleetError
from fleet_control.seed import is_commit

# The unit that every host has.
AGENT = "clawdinator.service"
# Characters: its journal is 8,192, of which each may be written as two, and SSM cuts at 24,000.
LONGEST = 20_000
_JOURNAL = 8192
_MOST_UNITS = 8
_UNIT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\.service")
_WORD = re.compile(r"[a-z-]{1,24}")
_PLAIN = re.compile(r"[\n -~]*")
_STATUS = 120
# What could ping somebody, be an order or be drawn.
_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:;()'-]+")
_DISAGREES = "the agent's own health command does not say yes"
_INVOCATION = re.compile(r"(?:[0-9a-f]{32})?")


class ReportError(FleetError):
    """The host gave no valid report; the message follows the host's name."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that this host must have.

    Attributes:
        state, sub: as in `active (running)` or `activating (auto-restart)`.
        invocation: which start of it this is; empty where it never started.
        active_seconds: since its last start; 0 where it is not active.
        restarts: how often it was started again after it ended by itself.
        status: what it says of itself, of words and the plainest marks.
    """

    name: str
    state: str
    sub: str
    invocation: str
    active_seconds: float
    restarts: int
    status: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What a host reports of itself.

    Attributes:
        revision: what the running system is of; empty where it is of none.
        units: the agent's is among them.
        journal: the last words of those that are not well, masked where they were said; lines of
            plain characters.
        agrees: whether the agent's own health command ended well, where the fleet names one.
    """

    instance: str
    revision: str
    units: tuple[Unit, ...]
    journal: str
    agrees: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a host's report must show for the host to be done.

    Attributes:
        revision: which it was to become; empty where any will do.
        steady: for how many seconds each unit has to have been active.
    """

    instance: str
    revision: str
    steady: float


def read(text: str) -> HealthReport:
    """The report in this text; ReportError where it has not the form of one."""
    if len(text) > LONGEST:
        raise ReportError(f"answered with {len(text)} characters, where {LONGEST} are the most")
    try:
        return _answer(**json.loads(text))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ReportError("answered what can't be read") from error


def _answer(
    instance: str, revision: str, units: object, journal: str, agrees: object = True
) -> HealthReport:
    if not is_instance_id(instance) or not (revision == "" or is_commit(revision)):
        raise ValueError("no instance or no revision")
    if not isinstance(units, dict) or AGENT not in units or len(units) > _MOST_UNITS:
        raise ValueError("not the units of a host")
    if len(journal) > _JOURNAL or not _PLAIN.fullmatch(journal):
        raise ValueError("no journal")
    if not isinstance(agrees, bool):
        raise ValueError("neither yes nor no")
    found = tuple(_unit(name, **raw) for name, raw in units.items())
    return HealthReport(instance, revision, found, journal, agrees)


def _unit(
    name: str,
    *,
    state: str,
    sub: str,
    invocation: str,
    active_seconds: float,
    restarts: int,
    status: str = "",
) -> Unit:
    forms = (_UNIT.fullmatch(name), _WORD.fullmatch(state), _WORD.fullmatch(sub))
    numbers = (type(active_seconds) in (int, float), type(restarts) is int)
    if not all((*forms, _INVOCATION.fullmatch(invocation), *numbers)):
        raise ValueError("not a unit")
    if not (math.isfinite(active_seconds) and active_seconds >= 0 <= restarts):
        raise ValueError("not a unit's numbers")
    if len(status) > _STATUS:
        raise ValueError("not what a unit says of itself")
    words = " ".join(_UNSAFE.sub(" ", status).split())
    return Unit(name, state, sub, invocation, float(active_seconds), restarts, words)


def missing(answer: HealthReport, wanted: Wanted) -> str:
    """What this report lacks until the host is healthy, or nothing; without the host's name."""
    if answer.instance != wanted.instance:
        return f"says that it is {answer.instance}"
    if wanted.revision and answer.revision != wanted.revision:
        runs = answer.revision[:7] or "no revision"
        return f"runs {runs} and not {wanted.revision[:7]}"
    unsteady = filter(None, (_unsteady(unit, wanted.steady) for unit in answer.units))
    return "; ".join((*unsteady, *(() if answer.agrees else (_DISAGREES,))))


def _unsteady(unit: Unit, steady: float) -> str:
    again = f", {_times(unit.restarts)}" if unit.restarts else ""
    if unit.state != "active":
        return f"{unit.name} is {unit.state} ({unit.sub}{again})"
    if unit.active_seconds < steady or not unit.invocation:
        lasted = f"{int(unit.active_seconds)} of {steady:g} seconds"
        return f"{unit.name} is active for {lasted} ({unit.sub}{again})"
    return ""


def remarks(answer: HealthReport) -> str:
    """What is worth telling of a host that is healthy, or nothing.

    Units that ended by themselves, and what units say, such as that a platform is away.
    """
    again = (f"{one.name} {_times(one.restarts)}" for one in answer.units if one.restarts)
    said = (f"{one.name} says: {one.status}" for one in answer.units if one.status)
    return "; ".join((*again, *said))


def _times(restarts: int) -> str:
    return "restarted once" if restarts == 1 else f"restarted {min(restarts, 9999)} times"
