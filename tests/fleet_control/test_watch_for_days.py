"""What is told of what comes, goes and gets worse for hours or days."""

from fleet_control.fault import Problem
from fleet_control.finding import Finding
from fleet_control.watch import CALM_SECONDS
from fleet_control.watch_report import Report, report
from fleet_control.watch_state import Owed, Telling, WatchState
from tests.fleet_control.test_watch_steps import ILL, each_minute, flapping, steps


def test_what_flaps_is_told_of_once_however_long_and_once_that_it_is_calm() -> None:
    told = steps(*flapping(24, 59), *each_minute(24 * 59, 24 * 60 + 60))

    assert [(at // 60, bool(one.flapping)) for at, one in told] == [
        (119, True),
        (23 * 59 + 61, False),
    ]
    assert (told[1][1].well, CALM_SECONDS) == (
        (Finding("claw-2", ILL.problem, "not healthy"),),
        3600,
    )


def test_a_token_that_ended_is_told_though_its_end_was_and_renewed_it_is_well_once() -> None:
    ends = Finding("", Problem.TOKEN_ENDS, "GitHub's token ends on 2026-10-05", "Renew it.")
    ended = ends._replace(problem=Problem.TOKEN_ENDED, words="GitHub's token ended on 2026-10-05")

    told = steps(*each_minute(0, 30, ends), *each_minute(31, 60, ended), *each_minute(61, 90))

    was = Finding("", Problem.TOKEN_ENDED, "GitHub's token at its end")
    assert told == [
        (300, Report(wrong=(ends,))),
        (36 * 60, Report(wrong=(ended,))),
        (71 * 60, Report(well=(was,))),
    ]


def test_a_machine_that_nobody_knows_is_told_with_what_to_do_though_it_is_not_seen_now() -> None:
    owed = Owed(Telling.FLAPPING, "i-00000099", Problem.UNREGISTERED)

    (told,) = report(WatchState({}, 0, (owed,))).flapping

    assert told.repair == "`/fleet status` names it; find out whose it is before you end it."
