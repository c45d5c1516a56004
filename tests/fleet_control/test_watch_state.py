"""What a watch remembers, as the text that the control table keeps."""

from dataclasses import replace

import pytest

from fleet_control.fault import Problem
from fleet_control.finding import Finding
from fleet_control.watch_state import (
    LONGEST,
    Concern,
    Course,
    CourseKey,
    Owed,
    Telling,
    WatchState,
    read,
    write,
)
from tests.fleet_control.test_watch_steps import each_minute, steps
from tests.fleet_control.watched_day import (
    MIDNIGHT,
)

T0 = int(MIDNIGHT)


@pytest.mark.parametrize("length", [8, 32])
def test_of_a_fleet_of_250_the_state_keeps_its_measure(length: int) -> None:
    ids = [f"{number:03}".rjust(length, "c") for number in range(250)]
    dead = [Finding(id_, Problem.MISSING, "no host") for id_ in ids]
    blips = [(60 * one, dead[8 * one : 8 * one + 8]) for one in range(30)]

    told = steps(*blips, *each_minute(30, 50, *dead), *each_minute(51, 70))

    assert [(bool(one.wrong), len((*one.wrong, *one.well))) for _, one in told] == [
        (True, 1),
        (False, 1),
    ]


def test_what_the_channel_knows_of_is_kept_where_there_is_too_much() -> None:
    known = {
        CourseKey(f"known-{number}", Concern.HOST): Course(
            Problem.MISSING, True, T0 - number, 9, Problem.MISSING
        )
        for number in range(60)
    }
    over = {
        CourseKey(f"over-{number}", Concern.HOST): Course(
            Problem.MISSING, False, T0 - number, 9, came=(T0 - number,)
        )
        for number in range(400)
    }

    begun = {CourseKey("new", Concern.HOST): Course(Problem.MISSING, True, T0 - 900, 9)}

    kept = read(write(WatchState({**begun, **over, **known}, T0))).courses

    assert kept.items() > {**begun, **known}.items()
    assert CourseKey("over-0", Concern.HOST) in kept
    assert CourseKey("over-399", Concern.HOST) not in kept


def test_who_had_a_host_is_forgotten_before_anything_that_is_wrong() -> None:
    course = Course(Problem.MISSING, True, T0 - 60, 2)
    begun = {CourseKey(f"{n:032}", Concern.HOST): course for n in range(140)}
    few = WatchState(begun, T0, had_host=frozenset({"claw-1"}))
    many = replace(few, had_host=frozenset(f"claw-{n}" for n in range(140)))

    assert read(write(few)) == few
    assert read(write(many)) == replace(few, had_host=frozenset())


def test_too_much_that_is_owed_is_cut_too() -> None:
    owed = tuple(Owed(Telling.WELL, f"{n:032}", Problem.MISSING) for n in range(300))

    text = write(WatchState({}, T0, owed))

    assert len(text) <= LONGEST
    assert read(text).pending == owed[:75]


def test_a_state_may_have_its_whole_measure() -> None:
    def owed(of: str) -> WatchState:
        return WatchState({}, T0, (Owed(Telling.WELL, of, Problem.MISSING),))

    state = owed("c" * (LONGEST - len(write(owed("")))))

    assert len(write(state)) == LONGEST
    assert read(write(state)) == state


def test_a_state_stays_written_while_nothing_in_it_changes_but_when_it_was_read() -> None:
    state = WatchState({CourseKey("", Concern.IMAGE): Course(Problem.NO_IMAGE_BUILT)}, T0)
    owed = (Owed(Telling.WRONG, "", Problem.NO_IMAGE_BUILT),)

    assert replace(state, read=T0 + 60).means(state)
    assert not WatchState({}, T0).means(state)
    assert not replace(state, pending=owed).means(state)
    assert not replace(state, had_host=frozenset({"claw-1"})).means(state)


def test_a_course_is_written_in_few_numbers() -> None:
    course = Course(Problem.RETIRING, True, T0 - 60, 2, came=(T0 - 900,))
    text = write(WatchState({CourseKey("claw-2", Concern.HOST): course}, T0))

    row = '["h",6,1,60,2,-1,0,0,0,900]'
    assert text == f'{{"v":1,"t":{T0},"c":[[{row},["claw-2"]]],"p":[],"h":[]}}'


def test_what_this_version_wrote_means_the_same_to_every_later_one() -> None:
    rows = [["h", number, 1, 0, 1, -1, 0, 0, 0] for number in (1, 4, 6, 0, 8, 10, 9, 3, 11, 7, 2)]
    text = f'{{"v":1,"t":1,"c":{[[row, [str(n)]] for n, row in enumerate(rows)]},"p":[]}}'

    told = [one.problem for one in read(text.replace("'", '"')).courses.values()]

    watched = (one for one in Problem if one not in (Problem.WRONG_TYPE, Problem.OLDER_IMAGE))
    assert told == [*watched]


def test_a_state_is_read_as_it_was_written() -> None:
    course = Course(
        Problem.RETIRING,
        True,
        T0 - 900,
        12,
        Problem.CRASH_LOOPING,
        worse_since=T0 - 60,
        worse_count=2,
        came=(T0 - 3000, T0 - 1000),
    )
    interrupted = Course(Problem.MISSING, None, T0, 0, None, flapping=True)
    courses = {CourseKey("claw-2", Concern.HOST): course, CourseKey("", Concern.IMAGE): interrupted}
    owed = (Owed(Telling.WELL, "claw-9", Problem.TWO_HOSTS),)
    state = WatchState(courses, T0, owed, frozenset({"claw-1", "claw-2"}))

    assert read(write(state)) == state
    assert read("") == WatchState()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        '{"v":2,"t":1,"c":[],"p":[]}',
        '{"v":1,"t":"x","c":[],"p":[]}',
        '{"v":1,"t":1,"c":[[["h",99,1,0,0,0,0,0,0],["claw-1"]]],"p":[]}',
        '{"v":1,"t":1,"c":[[["h",-2,1,0,0,0,0,0,0],["claw-1"]]],"p":[]}',
        '{"v":1,"t":1,"c":[[["z",0,1,0,0,0,0,0,0],["claw-1"]]],"p":[]}',
        '{"v":1,"t":1,"c":[[["h"],["claw-1"]]],"p":[]}',
        '{"v":1,"t":1,"c":[],"p":[["x","claw-1",0]]}',
    ],
)
def test_what_is_no_state_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read(text)
