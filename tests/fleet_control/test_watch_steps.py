"""When a finding is told, and when its end, reading by reading."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleet_control import watch
from fleet_control.deployed import Deployed, HostLeft
from fleet_control.fault import Problem
from fleet_control.finding import Finding
from fleet_control.host import Health, HostState, Reading
from fleet_control.status import shape
from fleet_control.watch import (
    GAP_SECONDS,
    GONE_SECONDS,
    READINGS,
    RESTED_SECONDS,
    SEEN_SECONDS,
    TOGETHER_SECONDS,
    is_reading,
    step,
    unsure,
)
from fleet_control.watch_report import FLAPS, FLAPS_WITHIN_SECONDS, Report
from fleet_control.watch_state import (
    Concern,
    Course,
    CourseKey,
    WatchState,
    read,
    write,
)
from tests.fleet_control.fleets import DAY, IDS, IMAGES, NEW, NOW, host, known
from tests.fleet_control.watched_day import (
    MIDNIGHT,
)

T0 = int(MIDNIGHT)
ILL = Finding("claw-2", Problem.NOT_HEALTHY, "fails", "`x`")
GONE = Finding("claw-2", Problem.MISSING, "no host", "`y`")


def steps(
    *readings: tuple[int, Sequence[Finding]], state: WatchState | None = None
) -> list[tuple[int, Report]]:
    """What is told by readings, each so many seconds after the beginning."""
    state, found = state or WatchState(), []
    for second, seen in readings:
        state, report = step(state, seen, (), T0 + second)
        state = read(write(state.sent))
        found += [(second, report)] if report else []
    return found


def each_minute(first: int, last: int, *found: Finding) -> list[tuple[int, Sequence[Finding]]]:
    return [(60 * one, found) for one in range(first, last + 1)]


@pytest.mark.parametrize(
    ("seconds", "told_at"),
    [
        ((0, 100, 200, 299), None),
        ((0, 100, 200, 300), 300),
        ((0, 299), None),
        ((0, 150, 300), 300),
        ((0, 300), None),
        ((0, 300, 301), 301),
    ],
)
def test_it_counts_once_seen_in_three_readings_over_five_minutes(
    seconds: Sequence[int], told_at: int | None
) -> None:
    told = steps(*((second, [ILL]) for second in seconds))

    assert told == ([(told_at, Report(wrong=(ILL,)))] if told_at else [])
    assert (READINGS, SEEN_SECONDS, GONE_SECONDS) == (3, 300, 600)


def test_one_reading_to_the_contrary_begins_the_count_anew() -> None:
    told = steps(*each_minute(0, 3, ILL), (240, ()), *each_minute(5, 11, ILL))

    assert told == [(600, Report(wrong=(ILL,)))]


def test_it_is_well_again_after_ten_minutes_and_not_if_it_came_back() -> None:
    told = steps(*each_minute(0, 5, ILL), *each_minute(6, 14), (900, [ILL]), *each_minute(16, 27))

    was = Finding("claw-2", Problem.NOT_HEALTHY, "not healthy")
    assert told == [(300, Report(wrong=(ILL,))), (1560, Report(well=(was,)))]


@pytest.mark.parametrize(("gap", "told_at"), [(300, 300), (301, 601)])
def test_readings_too_far_apart_begin_the_count_anew(gap: int, told_at: int) -> None:
    seconds = (0, 0, gap, *range(gap + 60, gap + 420, 60))

    told = steps(*((second, [ILL]) for second in seconds))

    assert [at for at, _ in told] == [told_at]
    assert GAP_SECONDS == 300


def test_what_was_told_before_a_gap_is_not_told_again_and_its_end_is_counted_anew() -> None:
    told = steps(*each_minute(0, 5, ILL), *each_minute(70, 90, ILL), *each_minute(160, 171))

    assert [at for at, _ in told] == [300, 170 * 60]


def test_eight_that_die_within_two_minutes_are_one_message() -> None:
    dead = [Finding(f"claw-{number}", Problem.MISSING, "no host") for number in range(1, 9)]
    readings = [(60 * one, dead[: 4 + 2 * one]) for one in range(12)]

    assert steps(*readings) == [(420, Report(wrong=tuple(dead)))]
    assert TOGETHER_SECONDS == 120


def test_one_that_dies_three_minutes_later_is_another_message() -> None:
    later = GONE._replace(of="claw-3")
    told = steps(*each_minute(0, 2, GONE), *each_minute(3, 12, GONE, later))

    assert told == [(300, Report(wrong=(GONE,))), (480, Report(wrong=(later,), still=("claw-2",)))]


def test_what_gets_worse_is_told_once_as_that_and_what_gets_milder_not_at_all() -> None:
    told = steps(
        *each_minute(0, 9, ILL),
        *each_minute(10, 20, GONE),
        *each_minute(21, 40, ILL),
        *each_minute(41, 60, GONE),
        *each_minute(61, 71),
    )

    was = Finding("claw-2", Problem.MISSING, "no host")
    assert told == [
        (300, Report(wrong=(ILL,))),
        (900, Report(wrong=(GONE,))),
        (71 * 60, Report(well=(was,))),
    ]


def test_what_changes_in_words_only_is_not_told_again() -> None:
    aged = [(60 * one, [ILL._replace(words=f"for {one} min")]) for one in range(60)]

    assert [at for at, _ in steps(*aged)] == [300]


def test_the_end_of_what_got_milder_names_the_worst_that_was_told() -> None:
    told = steps(
        *each_minute(0, 5, ILL),
        *each_minute(6, 11, GONE),
        *each_minute(12, 20, ILL),
        *each_minute(21, 31),
    )

    was = Finding("claw-2", Problem.MISSING, "no host")
    assert told[2:] == [(31 * 60, Report(well=(was,)))]


def test_what_gets_worse_counts_once_seen_in_three_readings_of_its_own() -> None:
    told = steps(*each_minute(0, 5, ILL), (400, [GONE]), (700, [GONE]), (701, [GONE]))

    assert told[1:] == [(701, Report(wrong=(GONE,)))]


def test_readings_without_it_do_not_count_for_it() -> None:
    told = steps((0, [ILL]), (60, ()), (120, [ILL]), (420, [ILL]), (421, [ILL]))

    assert told == [(421, Report(wrong=(ILL,)))]


def test_what_was_seen_too_seldom_by_then_holds_nothing_back_for_longer() -> None:
    later = GONE._replace(of="claw-3")
    both = [GONE, later]

    told = steps((0, [GONE]), (60, [GONE]), (120, both), (420, both), (421, both))

    assert [(at, report.wrong) for at, report in told] == [(420, (GONE,)), (421, (later,))]


def test_what_was_over_two_hours_ago_is_forgotten() -> None:
    state = WatchState()
    for second, seen in [*each_minute(0, 0, ILL), *each_minute(1, 120)]:
        assert second == 0 or state.courses
        state, _ = step(state, seen, (), T0 + second)

    assert state.courses == {}


def flapping(times: int, apart: int) -> list[tuple[int, Sequence[Finding]]]:
    """Ill in one reading of so many, so many times."""
    return [(60 * one, [ILL] if one % apart == 0 else ()) for one in range(times * apart)]


@pytest.mark.parametrize(("apart", "flaps"), [(59, True), (60, False)])
def test_what_came_and_went_three_times_within_two_hours_flaps(apart: int, flaps: bool) -> None:
    told = steps(*flapping(3, apart))

    words = "not healthy, 3 times within two hours"
    repair = "`/fleet deploy claw-2` replaces it."
    said = Report(flapping=(Finding("claw-2", Problem.NOT_HEALTHY, words, repair),))
    assert told[:1] == ([(60 * (2 * apart + 1), said)] if flaps else [])
    assert (FLAPS, FLAPS_WITHIN_SECONDS, RESTED_SECONDS) == (3, 7200, 1800)


@pytest.mark.parametrize(("last", "flaps"), [(118, True), (119, False)])
def test_what_came_two_hours_ago_is_no_flap_any_more(last: int, flaps: bool) -> None:
    told = steps(*((60 * one, [ILL] if one in (0, 60, last) else ()) for one in range(130)))

    assert [at for at, one in told if one.flapping] == [60 * (last + 1)] * flaps


def test_what_was_told_in_between_flaps_all_the_same() -> None:
    told = steps((0, [ILL]), (60, ()), *each_minute(2, 7, ILL), (480, ()), (540, [ILL]), (600, ()))

    assert [(at, bool(one.wrong), bool(one.flapping)) for at, one in told] == [
        (420, True, False),
        (600, False, True),
    ]


def test_what_flaps_is_told_of_again_once_it_is_ill_for_half_an_hour() -> None:
    told = steps(*flapping(5, 4), *each_minute(20, 60, ILL))

    assert [(at, bool(one.flapping)) for at, one in told] == [(9 * 60, True), (50 * 60, False)]
    assert told[1][1] == Report(wrong=(ILL,))


def test_a_reading_that_shows_no_machine_or_by_no_registry_of_the_source_is_none() -> None:
    there = Reading((host("claw-1"),), IMAGES, NOW)
    ended = Reading((host("claw-1", state=HostState.TERMINATED),), IMAGES, NOW)
    old_copy = replace(known("claw-1"), version="")

    assert is_reading(shape(known("claw-1"), there))
    assert is_reading(shape(known("claw-1"), ended))
    assert not is_reading(shape(known("claw-1"), Reading((), IMAGES, NOW)))
    assert not is_reading(shape(old_copy, there))


def test_what_can_t_be_told_of_a_host_is_no_fact_and_no_end_of_one() -> None:
    ledger = Deployed(NOW, {"claw-1": HostLeft(NEW.id, "", 7, NOW - DAY)})
    hosts = (host("claw-1"), host("claw-2", 2))
    ends = replace(known(*IDS), token_ends=NOW + DAY)
    no_word = {CourseKey(of, Concern.NOT_AS_DEPLOYED) for of in ("claw-2", "claw-3")}

    seen = shape(ends, Reading(hosts, IMAGES, NOW), ledger)
    blind = shape(known(*IDS), Reading(hosts, (), NOW), ledger)

    assert unsure(seen, ledger) == no_word
    fleet = {CourseKey("", Concern.TOKEN), CourseKey("", Concern.IMAGE)}
    assert unsure(blind, ledger) == no_word | fleet


def test_a_concern_of_which_nothing_is_known_stays_as_it_was_told() -> None:
    token = Finding("", Problem.TOKEN_ENDS, "ends")
    state = WatchState()
    for minute in range(6):
        state, told = step(state, [token, ILL], (), T0 + 60 * minute)
    assert told == Report(wrong=(ILL, token))

    reports = []
    for minute in range(6, 30):
        state, told = step(state.sent, (), {CourseKey("", Concern.TOKEN)}, T0 + 60 * minute)
        reports += [(minute, told)] if told else []

    was = Finding("claw-2", Problem.NOT_HEALTHY, "not healthy")
    assert reports == [(16, Report(well=(was,)))]


def test_what_an_instance_that_was_removed_leaves_is_told_of_as_before() -> None:
    keys = [CourseKey("claw-9", one) for one in Concern]
    stay = [CourseKey("", Concern.HOST), CourseKey("claw-1", Concern.HOST)]
    state = WatchState(dict.fromkeys([*keys, *stay], Course(GONE.problem)))
    status = shape(known("claw-1"), Reading((host("claw-1"),), IMAGES, NOW))

    kept = watch.without_removed(state, status).courses

    assert [*kept] == [CourseKey("claw-9", Concern.UNREGISTERED), *stay]


def test_of_a_machine_that_no_entry_asks_for_it_is_told_only_that_it_is_there() -> None:
    stray = host("claw-9", 9, health=Health.IMPAIRED)
    status = shape(known("claw-1"), Reading((host("claw-1"), stray), IMAGES, NOW))

    assert {one.problem for one in status.rows[0].faults} > {Problem.UNREGISTERED}
    assert [(one.of, one.problem) for one in watch.findings(status)] == [
        ("claw-9", Problem.UNREGISTERED)
    ]
