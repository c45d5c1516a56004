"""When a deploy is expected to begin and to end: by what others took, from what was seen last."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control.estimate import (
    Expected,
    PastDeploys,
    Usual,
    Waiting,
    expected,
    in_queue,
    past_deploys,
)
from fleet_control.ledger import Job, Run
from tests.fleet_control.past_runs import BEGAN, going, job, moment, rolled, went

IDS = ("claw-1", "claw-2", "claw-3")
PAST = past_deploys([rolled(3, 100, *IDS), rolled(2, 300, *IDS), rolled(1, 120, *IDS)])


def ends(run: Run, past: PastDeploys = PAST, *listed: Run) -> float:
    """In seconds after `BEGAN`."""
    return expected(run, listed, past).ends - BEGAN


def test_what_deploys_take_is_the_median_of_each_part_with_the_wait_for_its_runner() -> None:
    assert PAST.usual == Usual(40, 120, dict.fromkeys(IDS, 120), 20)
    assert PAST.fleet == IDS


@pytest.mark.parametrize(
    ("jobs", "end"),
    [
        ((job("plan", 0),), 0 + 40 + 3 * 120 + 20),
        ((job("plan", 0, 50), job("claw-1"), job("claw-2")), 50 + 2 * 120 + 20),
        ((job("plan", 0, 50), job("claw-1", 55), job("claw-2")), 55 + 2 * 120 + 20),
        ((job("plan", 0, 50), job("claw-1", 55, 90), job("claw-2")), 90 + 120 + 20),
        ((job("plan", 0, 50), job("claw-1", 55, 90), job("finish")), 90 + 20),
        ((job("plan", 0, 50), job("claw-1", 55, 90), job("finish", 95)), 95 + 20),
        ((job("plan", 0, 50), job("claw-1", 55, 90), job("finish", 95, 99)), 99),
    ],
)
def test_the_end_is_counted_from_what_happened_last(jobs: tuple[Job, ...], end: float) -> None:
    assert ends(going(9, *jobs)) == end


def test_a_host_takes_what_it_took_itself_and_a_new_one_what_any_does() -> None:
    past = past_deploys([rolled(2, 100, "claw-1"), rolled(1, 300, "claw-2", "claw-3")])
    begun = job("plan", 0, 40)

    assert ends(going(9, begun, job("claw-1")), past) == 40 + 100 + 20
    assert ends(going(9, begun, job("claw-2")), past) == 40 + 300 + 20
    assert ends(going(9, begun, job("claw-new")), past) == 40 + 300 + 20


def test_a_deploy_of_one_host_has_nothing_to_finish() -> None:
    past = past_deploys([rolled(1, 100, *IDS)])
    one = going(9, job("plan", 0, 40), job("claw-1"), target="claw-1")

    assert ends(one, past) == 40 + 100
    assert ends(going(9, job("plan", 0), target="claw-1"), past) == 40 + 100


@pytest.mark.parametrize("operation", ["", "rollback"])
def test_before_its_hosts_are_settled_its_target_tells_them(operation: str) -> None:
    one = going(9, job("plan", 0), target="claw-1", operation=operation)

    assert ends(one) == 40 + 120


def test_what_counts_are_deploys_of_the_same_kind_where_there_were_any() -> None:
    back = rolled(2, 500, *IDS, operation="rollback")
    past = past_deploys([back, rolled(1, 100, *IDS)])
    jobs = (job("plan", 0, 40), job("claw-1"))

    assert ends(going(9, *jobs), past) == 40 + 100 + 20
    assert ends(going(9, *jobs, operation="rollback"), past) == 40 + 500
    resumed = going(9, *jobs, operation="resume", target="7")
    assert ends(resumed, past) == 40 + 300
    assert ends(resumed._replace(jobs=(*jobs, job("finish"))), past) == 40 + 300 + 20


@pytest.mark.parametrize(
    "run",
    [
        rolled(1, 100, *IDS, conclusion="failure"),
        rolled(1, 100, *IDS, attempt=2),
        went(1, job("plan", 0, 40)),
        went(1, job("plan", 0, 40), job("claw-1", 40, 50)._replace(completed_at=None)),
        went(1),
    ],
)
def test_of_what_did_not_go_through_in_one_go_nothing_is_learnt(run: Run) -> None:
    past = past_deploys([run])

    assert past == PastDeploys()
    assert expected(going(9, job("plan", 0), job("claw-1")), (), past) == Expected()


@pytest.mark.parametrize(
    ("jobs", "took"),
    [
        ((job("claw-1", 0, 50),), Usual(0, 50, {"claw-1": 50}, 0)),
        ((job("plan", 0, 0), job("claw-1", 3, 50)), Usual(0, 50, {"claw-1": 50}, 0)),
        (
            (job("plan", 0, 9), job("claw-1", 9, 59), job("finish", 60, 70, "skipped")),
            Usual(9, 50, {"claw-1": 50}, 0),
        ),
        (
            (job("plan", 0, 9), job("claw-1", 9, 59), job("finish")._replace(completed_at="x")),
            Usual(9, 50, {"claw-1": 50}, 0),
        ),
        (
            (job("plan", 0, 9), job("claw-1", 20, 59), job("claw-2", 15, 99)),
            Usual(9, 45, {"claw-1": 50, "claw-2": 40}, 0),
        ),
    ],
    ids=["no plan", "a plan of no second", "skipped", "no start", "a start that was told too late"],
)
def test_what_a_part_takes_is_told_by_the_ends_of_those_that_went_through(
    jobs: tuple[Job, ...], took: Usual
) -> None:
    assert past_deploys([went(1, *jobs)]).usual == took


def failing(how: str) -> dict[str, Any]:
    return {"jobs": (job("plan", 0, 9), job("claw-1", 9, 30, how), job("claw-2"))}


NOTHING: list[tuple[str, dict[str, Any]]] = [
    ("is over", {"status": "completed"}),
    ("waits for a reviewer", {"status": "waiting"}),
    ("has failed", failing("failure")),
    ("has a host that took too long", failing("timed_out")),
    ("is being cancelled", failing("cancelled")),
    ("has a first job that tells no start", {"jobs": (Job("plan", "in_progress"),)}),
    ("names no target", {"target": ""}),
    ("breaks a lock", {"operation": "unlock", "target": "id"}),
    ("resumes, and tells no hosts yet", {"operation": "resume", "target": "7"}),
]


@pytest.mark.parametrize("more", [more for _, more in NOTHING], ids=[why for why, _ in NOTHING])
def test_nothing_is_said_of_one_that(more: dict[str, Any]) -> None:
    assert expected(going(9, job("plan", 0))._replace(**more), (), PAST) == Expected()


def test_a_turn_comes_when_those_before_it_are_through() -> None:
    running = going(5, job("plan", 0, 30), job("claw-1", 33, 100), job("claw-2"))
    between = going(6, target="claw-1", created=moment(9))
    waits = going(7, target="claw-3", created=moment(10))

    turn = BEGAN + 100 + 120 + 20 + (40 + 120)
    assert expected(waits, (waits, between, running), PAST) == Expected(turn, turn + 40 + 120)
    known = Waiting(7, "claw-3")
    assert in_queue(known, (between, running), PAST) == Expected(turn, turn + 40 + 120)


def test_of_one_that_is_listed_without_its_jobs_the_turn_came_when_the_one_before_had_ended() -> (
    None
):
    ended = rolled(4, 100, *IDS, updated=moment(200))
    later = rolled(8, 100, *IDS, conclusion="cancelled", updated=moment(900))
    between = rolled(6, 100, *IDS, conclusion="cancelled", updated=moment(800))
    running = going(5, target="claw-1", created=moment(10), updated=moment(700))
    running = running._replace(status="in_progress")
    waits = going(7, target="claw-2", created=moment(20))

    turn = BEGAN + 200 + 40 + 120
    assert expected(waits, (later, waits, between, running, ended), PAST).begins == turn
    assert expected(waits, (waits, running), PAST).begins == BEGAN + 10 + 40 + 120


def test_the_first_of_the_queue_has_no_turn_to_wait_for() -> None:
    waits = going(7, target="claw-2", created=moment(20))

    assert expected(waits, (waits,), PAST) == Expected(0, BEGAN + 20 + 40 + 120)
    jobs_listed = waits._replace(jobs=(job("plan"),))
    assert expected(jobs_listed, (waits,), PAST) == Expected(0, BEGAN + 20 + 40 + 120)
    assert in_queue(Waiting(7, "claw-2"), (), PAST) == Expected()


def test_by_a_list_that_lacks_the_run_itself_nothing_is_said() -> None:
    waits = going(7, target="claw-2", created=moment(20))

    assert expected(waits, (), PAST) == expected(waits, (going(5),), PAST) == Expected()


@pytest.mark.parametrize(
    "before",
    [{"operation": "unlock"}, {"status": "waiting"}, {"operation": "resume", "target": "4"}],
)
def test_behind_what_takes_nobody_knows_how_long_nothing_is_said(before: dict[str, Any]) -> None:
    running = going(5, job("plan", 0))._replace(**before)

    assert in_queue(going(7, target="claw-2"), (running,), PAST) == Expected()


def test_behind_a_deploy_of_all_nothing_is_said_where_no_fleet_is_known() -> None:
    past = past_deploys([rolled(1, 100, "claw-1", target="claw-1")])

    assert in_queue(going(7, target="claw-2"), (going(5),), past) == Expected()


LONG = st.integers(0, 10_000)
ROLLS = st.lists(st.tuples(LONG, st.integers(1, 12)), max_size=8)


def runs_of(rolls: list[tuple[int, int]]) -> list[Run]:
    return [
        rolled(99 - n, each, *(f"claw-{one}" for one in range(count)))
        for n, (each, count) in enumerate(rolls)
    ]


@given(ROLLS, st.integers(0, 250), LONG)
def test_the_end_is_never_before_what_was_seen_and_later_with_each_host_that_is_left(
    rolls: list[tuple[int, int]], left: int, seen: int
) -> None:
    past = past_deploys(runs_of(rolls))
    plan = job("plan", 0, seen)
    hosts = [job(f"claw-{n}") for n in range(left + 1)]

    fewer, more = (ends(going(100, plan, *hosts[:count]), past) for count in (left, left + 1))

    if not rolls:
        assert fewer == more == -BEGAN
    elif left:
        assert seen <= fewer <= more
    assert more == ends(going(100, plan, *hosts), past_deploys(runs_of(rolls)))


@given(ROLLS, st.lists(st.sampled_from(["all", "claw-1", "claw-2", "new"]), max_size=8))
def test_a_turn_is_never_before_what_was_seen_and_later_with_each_that_is_ahead(
    rolls: list[tuple[int, int]], targets: list[str]
) -> None:
    past = past_deploys(runs_of(rolls))
    ahead = [going(100 + n, target=one) for n, one in enumerate(targets)]
    turns = [
        in_queue(going(200, target="claw-1"), ahead[:count], past).begins
        for count in range(len(ahead) + 1)
    ]

    assert turns[0] == 0
    if not rolls:
        assert not any(turns)
    else:
        assert turns[1:] == sorted(turns[1:])
        assert all(turn >= BEGAN for turn in turns[1:])
