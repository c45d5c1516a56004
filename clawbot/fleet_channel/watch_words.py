"""The plain words of a watch report, which every platform says alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from clawbot import wording
from clawbot.replies import WatchReport
from fleet_control.fault import GRAVE, Problem
from fleet_control.finding import Finding

RESTS = "it comes and goes, so I say no more of it until it rests"
# Of more rows a message would be no message any more; the status has them all.
ROWS_AT_ALL = 24
_WORST_FIRST = "🔴🟡"


@dataclass(frozen=True, slots=True)
class WatchLine:
    """What is told alike of one thing, or of several at once.

    Attributes:
        light: as of an instance's status.
        of: the instances or machines; empty for the whole fleet.
        words: what is wrong with them, or was.
        repair: what mends it, in a sentence; may hold `code` in backquotes.
    """

    light: str
    of: tuple[str, ...]
    words: str
    repair: str = ""

    @property
    def who(self) -> str:
        """Of whom it is told."""
        return wording.listed(self.of) or "The fleet"


def title(report: WatchReport) -> str:
    """What matters of it: `claw-2 is not as it should be`."""
    wrong = (*report.wrong, *report.flapping)
    one, *others = {one.of for one in wrong or report.well}
    if wrong and not others:
        return f"{one or 'The fleet'} is not as it should be"
    if wrong:
        return f"{len(wrong)} things are not as they should be"
    if one and not others and one not in report.still:
        is_machine = any(over.problem is Problem.UNREGISTERED for over in report.well)
        return f"{one} is {'no longer amiss' if is_machine else 'well again'}"
    over = len(report.well)
    return f"{over} things are well again" if over > 1 else "One thing is well again"


def rows(report: WatchReport) -> tuple[WatchLine, ...]:
    """What is wrong first; what is alike in all but whom it is about is told once."""
    ids: dict[WatchLine, list[str]] = {}
    for row, of in _each(report):
        ids.setdefault(row, []).append(of)
    return tuple(
        WatchLine(row.light, tuple(filter(None, of)), row.words, row.repair)
        for row, of in ids.items()
    )


def light(report: WatchReport) -> str:
    """That of the worst of it."""
    lights = [row.light for row in rows(report)]
    return next((one for one in _WORST_FIRST if one in lights), "🟢")


def more(report: WatchReport) -> str:
    """What there is beside the rows that have room, those told before too; empty for nothing."""
    left = len(rows(report)) - ROWS_AT_ALL
    told = [f"And {left} more."] if left > 0 else []
    ids = tuple(one or "the fleet" for one in report.still)
    told += [f"Still not well: {wording.listed(ids)}."] if ids else []
    return " ".join((*told, "`/fleet status` shows all.")) if told else ""


def _each(report: WatchReport) -> Iterator[tuple[WatchLine, str]]:
    for one in report.wrong:
        yield _row(_wrong(one), one, one.words, one.repair)
    for one in report.flapping:
        yield _row(_wrong(one), one, f"{one.words}; {RESTS}", one.repair)
    for one in report.well:
        yield _row("🟢", one, f"over: {one.words}")


def _wrong(one: Finding) -> str:
    """People are called for the red ones."""
    return "🔴" if one.problem in GRAVE else "🟡"


def _row(light: str, one: Finding, words: str, repair: str = "") -> tuple[WatchLine, str]:
    # What is wrong with the whole fleet goes in no row with what is wrong with one of it.
    whole = () if one.of else ("",)
    return WatchLine(light, whole, words, repair), one.of
