"""What many instances have is told as what the fleet has."""

from collections.abc import Sequence

import pytest

from fleet_control.fault import Problem
from fleet_control.finding import Finding
from fleet_control.watch import CALM_SECONDS, FEW, MANY, step
from fleet_control.watch_report import Report, report
from fleet_control.watch_state import Owed, Telling, WatchState
from tests.fleet_control.test_watch_steps import GONE, ILL, T0, each_minute, steps


def test_nine_at_once_are_the_fleet_s_until_four_are_left() -> None:
    dead = [Finding(f"claw-{number}", Problem.MISSING, "no host") for number in range(1, 10)]
    readings = [
        *each_minute(0, 10, *dead),
        *each_minute(11, 30, *dead[:5]),
        *each_minute(31, 60, *dead[:4]),
    ]

    told = steps(*readings)

    words = "9 instances: no host (claw-1, claw-2, claw-3, claw-4, claw-5 and 4 more)"
    repair = "`/fleet deploy claw-1` creates it, and with it all that have none."
    was = Finding("", Problem.MISSING, "many instances: no host")
    assert told == [
        (300, Report(wrong=(Finding("", Problem.MISSING, words, repair),))),
        (41 * 60, Report(wrong=tuple(dead[:4]), well=(was,))),
    ]
    assert (MANY, FEW) == (8, 4)


def test_who_was_told_of_before_it_was_the_fleet_s_is_told_of_with_its_end() -> None:
    dead = [GONE._replace(of=f"claw-{number}") for number in range(1, 10)]

    rest = each_minute(21, 60, *dead[:3])
    told = steps(*each_minute(0, 9, *dead[:8]), *each_minute(10, 20, *dead), *rest)

    was = Finding("", Problem.MISSING, "many instances: no host")
    assert [one.of for one in told[1][1].wrong] == [""]
    assert told[2:] == [(31 * 60, Report(wrong=tuple(dead[:3]), well=(was,)))]


def test_a_ninth_that_comes_and_goes_keeps_nothing_back_and_makes_no_fleet_flap() -> None:
    dead = [GONE._replace(of=f"claw-{number}") for number in range(1, 10)]

    told = steps(*((60 * one, dead[: 9 if one % 4 < 2 else 8]) for one in range(60)))

    assert [(at, len(one.wrong), one.flapping) for at, one in told] == [(300, 1, ())]


NINE = tuple(GONE._replace(of=f"claw-{number}") for number in range(1, 10))


def test_what_nine_had_too_shortly_for_the_fleet_is_told_of_each_that_goes_on_by_its_own_time() -> (
    None
):
    told = steps(*each_minute(0, 4, *NINE), *each_minute(5, 9, *NINE[:3]))

    assert told == [(300, Report(wrong=NINE[:3]))]


def test_nine_for_a_moment_make_no_fleet_of_six() -> None:
    told = steps((0, NINE), (60, ()), *each_minute(2, 8, *NINE[:6]))

    assert told == [(420, Report(wrong=NINE[:6]))]


def test_of_nine_one_that_a_deploy_moves_does_not_count() -> None:
    state, reports = WatchState(), []
    for minute in range(8):
        state, report = step(state.sent, NINE, ("claw-9",), T0 + 60 * minute)
        reports += [report] if report else []

    assert reports == [Report(wrong=NINE[:8])]


def test_where_a_deploy_may_have_moved_the_rest_of_nine_only_what_was_seen_to_go_flaps() -> None:
    state, flaps = WatchState(), []
    for minute in range(12):
        ill, moved = (NINE, ()) if minute % 3 == 0 else (NINE[:4], ("claw-8", "claw-9"))
        state, report = step(state.sent, ill, moved, T0 + 60 * minute)
        flaps += [one.of for one in report.flapping] if report else []

    assert flaps == ["claw-5", "claw-6", "claw-7"]


def test_what_gets_worse_for_six_of_a_fleet_that_was_nearly_well_is_told() -> None:
    ill = [one._replace(problem=Problem.NOT_HEALTHY) for one in NINE]

    told = steps(*each_minute(0, 5, *ill), *each_minute(6, 7), *each_minute(8, 14, *NINE[:6]))

    assert [(at, [one.problem for one in report.wrong]) for at, report in told] == [
        (300, [Problem.NOT_HEALTHY]),
        (13 * 60, [Problem.MISSING]),
    ]


def test_what_nine_have_at_once_again_and_again_is_a_fleet_that_flaps_and_none_of_them() -> None:
    told = steps(*((60 * one, NINE if one in (0, 3, 6) else ()) for one in range(70)))

    was = Finding("", Problem.MISSING, "many instances: no host")
    assert [(at, [one.of for one in report.flapping], report.well) for at, report in told] == [
        (420, [""], ()),
        (420 + CALM_SECONDS, [], (was,)),
    ]


@pytest.mark.parametrize(
    ("problems", "words", "repair"),
    [
        (
            [Problem.MISSING] * 8 + [Problem.CRASH_LOOPING],
            "9 instances: 8 no host, 1 crash-looping",
            "`/fleet deploy all` replaces every host, those that are well too.",
        ),
        (
            [Problem.MISSING] * 9 + [Problem.NOT_HEALTHY] * 10,
            "19 instances: 9 no host, 10 not healthy",
            "`/fleet deploy all` replaces every host, those that are well too.",
        ),
        (
            [Problem.NOT_HEALTHY] * 9,
            "9 instances: not healthy",
            "Look at AWS's health page first. "
            "`/fleet deploy all` replaces every host, those that are well too.",
        ),
        (
            [Problem.CRASH_LOOPING] * 9,
            "9 instances: crash-looping",
            "`/fleet rollback all` goes back, "
            "`/fleet deploy all` replaces every host, those that are well too.",
        ),
        (
            [Problem.TWO_HOSTS] * 9,
            "9 instances: two hosts of one name",
            "`/fleet status` names the machines; end the one that no deploy made.",
        ),
    ],
)
def test_of_many_no_more_is_said_than_is_so(
    problems: Sequence[Problem], words: str, repair: str
) -> None:
    ill = [Finding(f"claw-{number}", one, "x") for number, one in enumerate(problems, 1)]

    ((_, told),) = steps(*each_minute(0, 5, *ill))

    named = f"(claw-1, claw-2, claw-3, claw-4, claw-5 and {len(problems) - 5} more)"
    assert told.wrong == (Finding("", problems[0], f"{words} {named}", repair),)


def test_of_five_that_are_left_no_more_are_named() -> None:
    ill = [Finding(f"claw-{number}", Problem.NOT_HEALTHY, "x") for number in range(1, 10)]
    worse = [one._replace(problem=Problem.MISSING) for one in ill[:5]]

    *_, (_, last) = steps(*each_minute(0, 9, *ill), *each_minute(10, 16, *worse))

    words = "5 instances: no host (claw-1, claw-2, claw-3, claw-4, claw-5)"
    assert last.wrong[0].words == words


def test_what_is_worse_than_what_the_fleet_was_told_to_have_is_told_of_each() -> None:
    retire = [Finding(f"claw-{number}", Problem.RETIRING, "retires") for number in range(1, 12)]
    dies = retire[0]._replace(problem=Problem.MISSING, words="no host", repair="`y`")

    told = steps(
        *each_minute(0, 19, *retire),
        *each_minute(20, 39, dies, *retire[1:]),
        *each_minute(40, 60, *retire[1:]),
    )

    was = Finding("claw-1", Problem.MISSING, "no host")
    assert [at // 60 for at, _ in told] == [5, 25, 50]
    assert told[1:] == [
        (25 * 60, Report(wrong=(dies,), still=("",))),
        (50 * 60, Report(well=(was,), still=("",))),
    ]


def test_once_most_of_the_fleet_have_what_is_worse_that_is_told_as_the_fleet_s() -> None:
    ill = [Finding(f"claw-{number}", Problem.NOT_HEALTHY, "ill") for number in range(1, 12)]
    dead = [one._replace(problem=Problem.MISSING) for one in ill]

    told = steps(*each_minute(0, 9, *ill), *each_minute(10, 40, *dead), *each_minute(41, 60))

    assert [(at // 60, len(one.wrong), len(one.well)) for at, one in told] == [
        (5, 1, 0),
        (15, 1, 0),
        (51, 0, 1),
    ]


def test_what_was_pending_is_told_in_words_of_now_or_else_in_few() -> None:
    pending = (
        Owed(Telling.WRONG, "claw-2", Problem.NOT_HEALTHY),
        Owed(Telling.WRONG, "claw-3", Problem.MISSING),
        Owed(Telling.WRONG, "", Problem.MISSING),
        Owed(Telling.WELL, "", Problem.TOKEN_ENDS),
    )

    every = "`/fleet deploy all` replaces every host, those that are well too."
    told = report(WatchState({}, 0, pending), [ILL])

    assert told.wrong == (
        Finding("", Problem.MISSING, "many instances: no host", every),
        Finding("claw-3", Problem.MISSING, "no host", "`/fleet deploy claw-3` creates it."),
        ILL,
    )
    assert told.well == (Finding("", Problem.TOKEN_ENDS, "GitHub's token near its end"),)
