"""What a host goes back to, and what is left of a roll that stopped, by made-up ledgers."""

from typing import NamedTuple

import pytest

from fleet_control.deploy_jobs import MOVING_STEP, UNTOUCHED_STEP, reached
from fleet_control.host import Image
from fleet_control.host_change import RAN, changes
from fleet_control.ledger import Job, Run, Step, seconds
from fleet_control.rollback import (
    RUNS_LOOKED_AT,
    NoWayBack,
    RestOfRoll,
    WayBack,
    moved_since,
    rest,
    way_back,
)
from fleet_control.seed import BOOT

ONE, TWO, THREE = "claw-1", "claw-2", "claw-3"
A, B, C, D = (f"ami-0000000{letter}" for letter in "abcd")
R1, R2, R3 = "1111111", "2222222", "3333333"
COMMIT = {A: "a" * 40, B: "b" * 40, C: "c" * 40}
BASE = 1_790_000_000.0


def iso(minutes: float) -> str:
    hours, rest_ = divmod(int(minutes), 60)
    return f"2026-09-21T{hours:02}:{rest_:02}:00Z"


def at(minutes: float) -> float:
    return seconds(iso(minutes))


class Done(NamedTuple):
    """One host's job: `how` it ended, and which of its steps ran."""

    id: str
    old: str
    ran: str
    new: str
    how: str | None = "success"
    moving: str | None = "success"
    untouched: bool = False


def job(one: Done, minute: float) -> Job:
    steps = [Step(f"{RAN}{one.ran}" if one.ran else f"{RAN}nothing known", "completed", "success")]
    status = "completed" if one.moving else "in_progress"
    steps.append(Step(MOVING_STEP, status, one.moving))
    steps += [Step(UNTOUCHED_STEP, "completed", "success")] if one.untouched else []
    over = iso(minute) if one.how else None
    return Job(
        f"{one.id}: {one.old or 'none'} -> {one.new}",
        "completed" if one.how else "in_progress",
        one.how,
        iso(minute - 1),
        over,
        () if one.how == "cancelled" else tuple(steps),
    )


def run(id_: int, *hosts: Done, open_: bool = False) -> Run:
    """One that is over ten minutes times its id, its hosts' jobs one minute apart before that."""
    ended = id_ * 10
    jobs = [Job("plan", "completed", "success", iso(ended - 9), iso(ended - 8))]
    jobs += [job(one, ended - len(hosts) + n) for n, one in enumerate(hosts, 1)]
    status, how = ("in_progress", None) if open_ else ("completed", "success")
    return Run(
        id_, "", status, how, "all", "", "", "", "", "", iso(ended - 9), None, iso(ended),
        jobs=tuple(jobs),
    )  # fmt: skip


def image(id_: str, days: float, boot: str = BOOT) -> Image:
    return Image(id_, "", BASE - days * 86_400, COMMIT.get(id_, ""), boot)


IMAGES = (image(C, 1), image(B, 2), image(A, 3))


def back(*runs: Run, images: tuple[Image, ...] = IMAGES, present: str = C) -> WayBack | NoWayBack:
    return way_back(ONE, sorted(runs, reverse=True), images, present, at(600))


def test_it_is_what_the_host_ran_before_its_last_successful_deploy() -> None:
    runs = run(1, Done(ONE, A, R1, B)), run(2, Done(ONE, B, R2, C)), run(3, Done(TWO, A, R1, C))

    assert back(*runs) == WayBack(ONE, B, R2, 2)


def test_a_deploy_that_failed_is_none_and_a_roll_that_failed_later_is() -> None:
    failed = run(3, Done(ONE, B, R2, C, "failure", "failure"))
    stopped = run(2, Done(ONE, A, R1, B), Done(TWO, A, R1, B, "failure", "failure"))

    assert back(run(1, Done(ONE, C, R3, A)), stopped, failed) == WayBack(ONE, A, R1, 2)


def test_rolling_back_twice_goes_there_and_back_again() -> None:
    there, again = run(1, Done(ONE, A, R1, B)), run(2, Done(ONE, B, R2, A))

    assert back(there) == WayBack(ONE, A, R1, 1)
    assert back(there, again, present=A) == WayBack(ONE, B, R2, 2)


def test_where_the_ledger_tells_no_revision_it_is_the_images_own() -> None:
    assert back(run(1, Done(ONE, A, "", B))) == WayBack(ONE, A, COMMIT[A], 1)


def test_what_ended_after_it_was_asked_does_not_count() -> None:
    """Within one second, which is all that GitHub tells, it does."""
    runs = [run(2, Done(ONE, B, R2, C)), run(1, Done(ONE, A, R1, B))]

    assert way_back(ONE, runs, IMAGES, C, at(20) - 1) == WayBack(ONE, A, R1, 1)
    assert way_back(ONE, runs, IMAGES, C, at(20)) == WayBack(ONE, B, R2, 2)


def test_a_host_that_its_running_roll_has_done_already_counts() -> None:
    """Its own job is over, whatever becomes of the roll."""
    rolling = run(2, Done(ONE, B, R2, C), Done(TWO, B, R2, C, None, None), open_=True)

    assert back(rolling) == WayBack(ONE, B, R2, 2)


@pytest.mark.parametrize(
    ("images", "image_"),
    [
        ((image(D, 0), image(C, 1), image(A, 3)), A),
        ((image(C, 1), image(D, 1.5), image(A, 3)), A),
        ((image(C, 1), image(B, 1.5, "1"), image(A, 3)), A),
    ],
    ids=["newer", "of no commit", "of another contract"],
)
def test_where_that_image_is_gone_it_is_the_newest_that_is_older_than_the_present(
    images: tuple[Image, ...], image_: str
) -> None:
    gone = "ami-0000000f"

    found = back(run(1, Done(ONE, gone, R1, C)), images=images)

    assert found == WayBack(ONE, image_, COMMIT[image_], 1, gone)


@pytest.mark.parametrize(
    ("runs", "images", "present", "why"),
    [
        ((), IMAGES, C, "no deploy of claw-1 that ended well is among the newest 100 runs"),
        ((run(1, Done(ONE, "", "", C)),), IMAGES, C, "run 1, created the host of claw-1"),
        ((run(1, Done(ONE, D, "", C)),), (image(D, 2),), C, "neither the ledger nor ami-0000000d"),
        ((run(1, Done(ONE, B, R1, D)),), IMAGES[2:], D, "how old its present image is"),
        ((run(1, Done(ONE, B, R1, A)),), IMAGES[2:], A, "nor is any other that is older than ami"),
    ],
    ids=["no deploy", "created", "no revision", "unknown present", "none older"],
)
def test_why_there_is_nothing_to_go_back_to_is_a_sentence(
    runs: tuple[Run, ...], images: tuple[Image, ...], present: str, why: str
) -> None:
    found = back(*runs, images=images, present=present)

    assert isinstance(found, NoWayBack)
    assert why in found.why
    assert found.why.startswith("There is nothing to go back to: ")
    assert found.why.endswith(".")


def test_a_hundred_runs_are_looked_at() -> None:
    assert RUNS_LOOKED_AT == 100


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (Done(ONE, A, R1, B), "run 3 moved claw-1"),
        (Done(ONE, A, R1, B, "failure", "failure"), "run 3 may have moved claw-1"),
        (Done(ONE, A, R1, B, None, None), "run 3 may have moved claw-1"),
        (Done(ONE, A, R1, B, "failure", "skipped"), ""),
        (Done(ONE, A, R1, B, "failure", "failure", untouched=True), ""),
        (Done(ONE, A, R1, B, "cancelled"), ""),
        (Done(THREE, A, R1, B), ""),
    ],
)
def test_what_moved_a_host_meanwhile_is_told(one: Done, told: str) -> None:
    since = moved_since([TWO, ONE], [run(3, one), run(1, Done(TWO, A, R1, B))], at(15))

    assert (since.told if since else "") == told


def test_what_a_stopped_roll_did_not_reach_is_taken_up_in_its_order() -> None:
    stopped = run(
        1,
        Done(ONE, A, R1, f"{C} @{R3}"),
        Done("claw-9", A, R1, f"{C} @{R3}", "failure", "failure"),
        Done(THREE, A, R1, f"{C} @{R3}", "failure", "failure", untouched=True),
        Done(TWO, A, R1, f"{B} @{R2}", "cancelled"),
    )

    left = rest(stopped, ())

    assert isinstance(left, RestOfRoll)
    assert [(one.id, one.new, one.new_revision) for one in left.hosts] == [
        (THREE, C, R3),
        (TWO, B, R2),
    ]


def test_what_a_later_run_moved_is_left_as_it_is() -> None:
    stopped = run(1, *(Done(id_, A, R1, f"{C} @{R3}", "cancelled") for id_ in (ONE, TWO, THREE)))
    later = run(2, Done(TWO, A, R1, f"{B} @{R2}"))

    left = rest(stopped, [later])

    assert isinstance(left, RestOfRoll)
    assert [one.id for one in left.hosts] == [ONE, THREE]
    assert [one.told for one in left.moved] == ["run 2 moved claw-2"]


@pytest.mark.parametrize(
    ("stopped", "later", "why"),
    [
        (run(1, Done(ONE, A, R1, C), open_=True), (), "Run 1 is not over yet."),
        (run(1), (), "Run 1 planned no roll"),
        (run(1, Done(ONE, A, R1, f"{C} @{R3}")), (), "Run 1 reached every host of its roll."),
        (run(1, Done(ONE, A, R1, C, "cancelled")), (), "does not tell which revision claw-1"),
        (
            run(1, Done(ONE, A, R1, f"{C} @{R3}", "cancelled")),
            [run(2, Done(ONE, A, R1, B))],
            "Later runs moved every host that run 1 did not reach.",
        ),
    ],
)
def test_why_nothing_is_left_to_take_up_is_a_sentence(
    stopped: Run, later: list[Run], why: str
) -> None:
    said = rest(stopped, later)

    assert isinstance(said, str)
    assert why in said


def test_a_change_says_when_it_was_over_and_whether_it_moved_the_host() -> None:
    (one,) = changes(run(1, Done(ONE, A, R1, f"{C} @{R3}")))

    assert (one.moved, one.ended) == (True, iso(10))


@pytest.mark.parametrize(
    ("conclusion", "steps", "moved"),
    [
        ("success", (), True),
        ("failure", (), False),
        ("failure", (Step("Set up job", "completed", "failure"),), True),
        ("failure", (Step(MOVING_STEP, "completed", "skipped"),), False),
        ("failure", (Step(MOVING_STEP, "completed", "failure"),), True),
        ("failure", (Step(MOVING_STEP, "in_progress"),), True),
        (
            "cancelled",
            (Step("Set up job", "completed", "success"), Step(MOVING_STEP, "queued")),
            False,
        ),
        ("cancelled", (Step(MOVING_STEP, "completed", "cancelled"),), True),
        (None, (Step("Set up job", "completed", "success"), Step(MOVING_STEP, "queued")), False),
        (None, (Step(MOVING_STEP, "in_progress"),), True),
    ],
)
def test_a_job_has_moved_its_host_where_nothing_says_that_it_has_not(
    conclusion: str | None, steps: tuple[Step, ...], moved: bool
) -> None:
    status = "completed" if conclusion else "in_progress"

    assert reached(Job(f"{ONE}: {A} -> {B}", status, conclusion, steps=steps)) is moved
