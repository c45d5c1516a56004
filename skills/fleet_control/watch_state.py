"""What a watch remembers from one reading to the next, as a text that the control table keeps.

A course is how one thing goes that is or was wrong: of one instance, or of the whole fleet. What is
alike for many is written once, and whatever the fleet's size the text keeps its measure.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from fleet_control.fault import Problem

# Characters, all of them ASCII.
LONGEST = 6000
_FORM = 1
# What is written once may be read by any later version: a number stays its problem's.
_PROBLEMS = {
    0: Problem.CRASH_LOOPING,
    1: Problem.MISSING,
    2: Problem.NO_IMAGE_BUILT,
    3: Problem.NOT_AS_DEPLOYED,
    4: Problem.NOT_HEALTHY,
    6: Problem.RETIRING,
    7: Problem.TOKEN_ENDS,
    8: Problem.TWO_HOSTS,
    9: Problem.UNREGISTERED,
    10: Problem.NOT_DEPLOYED,
    11: Problem.TOKEN_ENDED,
}
_NUMBERS = {problem: number for number, problem in _PROBLEMS.items()}
_NONE = -1


class Concern(StrEnum):
    """What is told of together: the worst of it, and once that all of it is over."""

    HOST = "h"
    """Whether it serves."""
    TWO_HOSTS = "t"
    UNREGISTERED = "u"
    NOT_AS_DEPLOYED = "d"
    TOKEN = "k"  # noqa: S105  (that of GitHub)
    IMAGE = "i"


CONCERNS = {
    Problem.MISSING: Concern.HOST,
    Problem.NOT_HEALTHY: Concern.HOST,
    Problem.RETIRING: Concern.HOST,
    Problem.CRASH_LOOPING: Concern.HOST,
    Problem.NOT_DEPLOYED: Concern.HOST,
    Problem.TWO_HOSTS: Concern.TWO_HOSTS,
    Problem.UNREGISTERED: Concern.UNREGISTERED,
    Problem.NOT_AS_DEPLOYED: Concern.NOT_AS_DEPLOYED,
    Problem.TOKEN_ENDED: Concern.TOKEN,
    Problem.TOKEN_ENDS: Concern.TOKEN,
    Problem.NO_IMAGE_BUILT: Concern.IMAGE,
}


class CourseKey(NamedTuple):
    """`of` is the instance or machine; empty for the whole fleet."""

    of: str
    concern: Concern


class Telling(StrEnum):
    """What is told of a course."""

    WRONG = "wrong"
    WELL = "well"
    FLAPPING = "flapping"


class Owed(NamedTuple):
    """One thing that is to be told, and may have been."""

    kind: Telling
    of: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one concern, reading by reading, and what the channel was told of it.

    Attributes:
        problem: as it was seen last.
        present: whether it was there then; None where what was seen before counts no more.
        since, count: when that began, Unix seconds, and in how many readings it was seen so.
        told: the worst of it that the channel knows of; None while it knows of nothing.
        flapping: the channel was told that it comes and goes, and hears no more until it rests.
        worse_since, worse_count: as `since` and `count`, of what is worse than was told.
        came: when it came each time that it went again, within the last hour.
    """

    problem: Problem
    present: bool | None = None
    since: int = 0
    count: int = 0
    told: Problem | None = None
    flapping: bool = False
    worse_since: int = 0
    worse_count: int = 0
    came: tuple[int, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the channel knows of it."""
        return self.flapping or self.told is not None

    @property
    def interrupted(self) -> "Course":
        """What was told stays told; what was being counted is not."""
        return Course(self.problem, told=self.told, flapping=self.flapping)


@dataclass(frozen=True, slots=True)
class WatchState:
    """What one watch knows, and hands on to the next: the course of each concern.

    Attributes:
        read: when the last reading was, Unix seconds.
        pending: what the channel is to be told, or was when whoever told it died.
        had_host: the instances that were seen to have one, whoever made it.
    """

    courses: Mapping[CourseKey, Course] = field(default_factory=dict)
    read: int = 0
    pending: tuple[Owed, ...] = ()
    had_host: frozenset[str] = frozenset()

    @property
    def sent(self) -> "WatchState":
        return replace(self, pending=())

    def means(self, other: "WatchState") -> bool:
        """Whether nothing is lost where the other stays written in its place: while nothing is
        wrong, that it was looked at is nothing to keep."""
        return replace(self, read=other.read) == other


def write(state: WatchState) -> str:
    """The state as a text; where there is too much of it, without what is worth least."""
    if state.had_host and not _fits(_text(state, state.courses.items())):
        return write(replace(state, had_host=frozenset()))
    kept = sorted(state.courses.items(), key=_worth)
    starts = range(len(kept))
    first = bisect_left(starts, True, key=lambda start: _fits(_text(state, kept[start:])))
    if _fits(text := _text(state, kept[first:])):
        return text
    return write(replace(state, pending=state.pending[: len(state.pending) // 2]))


def _fits(text: str) -> bool:
    return len(text) <= LONGEST


def _worth(item: tuple[CourseKey, Course]) -> tuple[bool, bool, bool, int]:
    """What the channel knows of is worth most, then what is the fleet's, and what is over least;
    and the newest more."""
    key, course = item
    return course.is_known, not key.of, course.present is True, course.since


def _text(state: WatchState, kept: Iterable[tuple[CourseKey, Course]]) -> str:
    rows = sorted((_row(key, course, state.read), key.of) for key, course in kept)
    alike = [[row, [of for _, of in same]] for row, same in groupby(rows, key=lambda one: one[0])]
    owed = [[one.kind, one.of, _number(one.problem)] for one in state.pending]
    had = [*sorted(state.had_host)]
    written = {"v": _FORM, "t": state.read, "c": alike, "p": owed, "h": had}
    return json.dumps(written, separators=(",", ":"))


def _row(key: CourseKey, course: Course, now: int) -> list[str | int]:
    """Times are seconds before the reading."""
    present = _NONE if course.present is None else int(course.present)
    head = [_number(course.problem), present, now - course.since, course.count]
    told = [_number(course.told), int(course.flapping)]
    worse = [now - course.worse_since if course.worse_count else 0, course.worse_count]
    return [key.concern, *head, *told, *worse, *(now - one for one in course.came)]


def read(text: str) -> WatchState:
    """What `write` wrote; ValueError where it is nothing of the kind. Nothing is an empty state."""
    if not text:
        return WatchState()
    try:
        return _state(**json.loads(text))
    except (TypeError, LookupError, RecursionError, OverflowError) as error:
        raise ValueError("no state of a watch") from error


def _state(
    v: int, t: int, c: list[tuple[list[int], list[str]]], p: list[list[str]], h: Iterable[str] = ()
) -> WatchState:
    if v != _FORM or type(t) is not int:
        raise ValueError("no state of this form")
    courses: dict[CourseKey, Course] = {}
    for (concern, *numbers), ofs in c:
        course = _course(t, *numbers)
        courses |= {CourseKey(str(of), Concern(str(concern))): course for of in ofs}
    owed = (Owed(Telling(kind), str(of), _PROBLEMS[int(number)]) for kind, of, number in p)
    return WatchState(courses, t, tuple(owed), frozenset(map(str, h)))


def _course(now: int, *numbers: int) -> Course:
    problem, present, since, count, told, flapping, worse_since, worse_count, *came = map(
        int, numbers
    )
    return Course(
        _PROBLEMS[problem],
        None if present == _NONE else bool(present),
        now - since,
        count,
        None if told == _NONE else _PROBLEMS[told],
        bool(flapping),
        now - worse_since if worse_count else 0,
        worse_count,
        tuple(now - one for one in came),
    )


def _number(problem: Problem | None) -> int:
    return _NONE if problem is None else _NUMBERS[problem]
