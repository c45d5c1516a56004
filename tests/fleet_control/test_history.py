"""What is said of each run of the history."""

from typing import Any

import pytest

from fleet_control.deploy_jobs import MOVING_STEP, STOPPED_STEP, UNTOUCHED_STEP
from fleet_control.history import (
    UNSEEN,
    HistoryPage,
    HistoryRow,
    RunResult,
    beside,
    brief,
    nothing,
    rows,
    title,
)
from fleet_control.ledger import Job, Step, seconds
from tests.fleet_control.fleets import run

OLD, NEW, OTHER = "ami-0aaaaaaaaaaaaaaaa", "ami-0bbbbbbbbbbbbbbbb", "ami-0cccccccccccccccc"
BEGAN, ENDED = "2026-09-21T13:00:10Z", "2026-09-21T13:05:22Z"


def step(name: str, conclusion: str = "success") -> Step:
    return Step(name, "completed", conclusion)


def host(
    id_: str,
    conclusion: str | None = "success",
    old: str = OLD,
    ran: str = "1111111",
    new: str = NEW,
    made: str = " @2222222",
    steps: tuple[Step, ...] = (),
) -> Job:
    status = "completed" if conclusion else "in_progress"
    told = (step(f"It ran {ran or 'nothing known'}"), *steps)
    name = f"{id_}: {old} -> {new}{made}"
    return Job(name, status, conclusion, BEGAN, ENDED if conclusion else None, told)


def waits(id_: str, conclusion: str | None = None) -> Job:
    status = "completed" if conclusion else "queued"
    return Job(f"{id_}: {OLD} -> {NEW} @2222222", status, conclusion)


def row(*jobs: Job, **fields: Any) -> HistoryRow:
    (found,) = rows(HistoryPage((run(7, jobs=jobs, **fields),)))
    return found


PLAN = Job("plan", "completed", "success", BEGAN, BEGAN)
FAILED: dict[str, Any] = {"conclusion": "failure"}
CANCELLED: dict[str, Any] = {"conclusion": "cancelled"}
RUNS: dict[str, Any] = {"status": "in_progress", "conclusion": None}
ALL: dict[str, Any] = {"target": "all"}
HELD = (step(f"{STOPPED_STEP}discord:8 sam", "failure"), step(MOVING_STEP, "skipped"))
SPARED = (step(MOVING_STEP, "failure"), step(UNTOUCHED_STEP))


@pytest.mark.parametrize(
    ("jobs", "moved"),
    [
        ((), ""),
        ((PLAN,), ""),
        ((host("claw-2"),), f"{OLD} @1111111 → {NEW} @2222222"),
        ((host("claw-2", ran="", made=""),), f"{OLD} → {NEW}"),
        ((host("claw-2", old="none", ran=""),), f"no host → {NEW} @2222222"),
        ((host("claw-9"),), f"claw-9, {OLD} @1111111 → {NEW} @2222222"),
        ((host("a"), host("b")), f"2 hosts, {OLD} @1111111 → {NEW} @2222222"),
        ((host("a"), host("b", ran="3333333")), f"2 hosts, {OLD}, 2 revisions → {NEW} @2222222"),
        ((host("a"), host("b", ran="")), f"2 hosts, {OLD} → {NEW} @2222222"),
        ((host("a"), host("b", old=OTHER)), f"2 hosts, 2 images @1111111 → {NEW} @2222222"),
        (
            (host("a"), host("b", old=OTHER, ran="3333333"), host("c", old="none", ran="")),
            f"3 hosts, 2 images, 2 revisions, 1 without a host → {NEW} @2222222",
        ),
        (
            (host("a", old="none", ran=""), host("b", old="none", ran="")),
            f"2 hosts, no host → {NEW} @2222222",
        ),
        (
            (host("a"), host("b", new=OTHER, made=" @4444444")),
            f"2 hosts, {OLD} @1111111 → 2 images, 2 revisions",
        ),
    ],
)
def test_image_and_revision_before_and_after(jobs: tuple[Job, ...], moved: str) -> None:
    assert row(*jobs).moved == moved


def test_what_was_named_is_told_while_it_waits() -> None:
    assert row(ami_override=OLD).moved == f"with {OLD}"
    assert row(revision="0123456").moved == "with 0123456"


def test_of_a_run_whose_jobs_could_not_be_had_that_is_said() -> None:
    (found,) = rows(HistoryPage((run(7, **FAILED),), unseen=(7,)))

    assert (found.moved, found.ended) == (UNSEEN, "failed or stopped")


@pytest.mark.parametrize(
    ("jobs", "fields", "outcome", "ended"),
    [
        ((PLAN, host("claw-2")), {}, RunResult.DONE, "done after 5 min 12 s"),
        ((), {"status": "queued", "conclusion": None}, RunResult.QUEUED, "queued"),
        ((), {"status": "pending", "conclusion": None}, RunResult.QUEUED, "queued"),
        ((), {"status": "unknown", "conclusion": None}, RunResult.UNKNOWN, "unknown"),
        (
            (),
            {"status": "waiting", "conclusion": None},
            RunResult.QUEUED,
            "waiting for a reviewer on GitHub",
        ),
        ((), RUNS, RunResult.RUNNING, "running"),
        ((PLAN,), {"status": "queued", "conclusion": None}, RunResult.RUNNING, "running"),
        ((PLAN, host("claw-2", None)), RUNS, RunResult.RUNNING, "running at claw-2"),
        (
            (PLAN, host("a"), host("b", None), waits("c")),
            RUNS | ALL,
            RunResult.RUNNING,
            "running at b, 1 of 3 hosts done",
        ),
        (
            (Job("plan", "completed", "failure", BEGAN, ENDED),),
            FAILED,
            RunResult.FAILED,
            "failed, no host touched, after 5 min 12 s",
        ),
        ((), {"conclusion": "startup_failure"}, RunResult.FAILED, "failed, no host touched"),
        (
            (host("claw-2", "failure"),),
            FAILED,
            RunResult.FAILED,
            "failed at claw-2 after 5 min 12 s",
        ),
        (
            (host("claw-2", "failure", steps=SPARED),),
            FAILED,
            RunResult.FAILED,
            "failed at claw-2, no host touched, after 5 min 12 s",
        ),
        (
            (host("a"), host("b", "timed_out"), waits("c", "cancelled")),
            FAILED | ALL,
            RunResult.FAILED,
            "failed at b, 1 of 3 hosts done, after 5 min 12 s",
        ),
        (
            (host("a"), Job("finish", "completed", "failure", BEGAN, ENDED)),
            FAILED | ALL,
            RunResult.FAILED,
            "failed at finish after 5 min 12 s",
        ),
        (
            (waits("claw-2", "cancelled"),),
            CANCELLED,
            RunResult.CANCELLED,
            "cancelled, no host touched",
        ),
        (
            (host("a"), host("b", "failure", steps=HELD)),
            FAILED | ALL,
            RunResult.STOPPED,
            "stopped by sam in Discord, 1 of 2 hosts done, after 5 min 12 s",
        ),
        (
            (),
            FAILED | {"operation": "unlock", "target": "01234567"},
            RunResult.FAILED,
            "failed",
        ),
    ],
)
def test_how_it_ended_and_where(
    jobs: tuple[Job, ...], fields: dict[str, Any], outcome: RunResult, ended: str
) -> None:
    found = row(*jobs, **fields)

    assert (found.outcome, found.ended) == (outcome, ended)


@pytest.mark.parametrize(
    ("fields", "by"),
    [
        ({}, "sam in Discord"),
        ({"requested_by": "telegram:9 Élodie"}, "Élodie in Telegram"),
        ({"requested_by": "terminal:operator"}, "operator in the terminal"),
        ({"requested_by": "operator:alice alice"}, "alice at a desk"),
        (
            {"caller": "claw-1", "requested_by": "", "request_id": "agent.claw-1.cli.4"},
            "claw-1 through its agent",
        ),
        ({"caller": "claw-1", "requested_by": ""}, "claw-1 in Discord"),
        ({"requested_by": "", "request_id": ""}, "the button on GitHub"),
        ({"requested_by": "github:sam", "request_id": ""}, "sam on GitHub"),
    ],
)
def test_who_asked_and_through_what(fields: dict[str, Any], by: str) -> None:
    assert row(**fields).by == by


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "deploy claw-2"),
        ({"operation": "rollback"}, "rollback claw-2"),
        (
            {"operation": "resume", "target": "7", "override": "freeze"},
            "resume 7, overriding the freeze",
        ),
        ({"target": ""}, "deploy"),
    ],
)
def test_what_was_asked_for(fields: dict[str, Any], what: str) -> None:
    assert row(**fields).what == what


def test_the_jobs_tell_what_somebodys_button_was_for() -> None:
    assert row(PLAN, host("claw-9"), target="").target == "claw-9"
    assert row(PLAN, host("a"), Job("finish", "completed", "success"), target="").target == "all"
    assert row(PLAN, host("a"), host("b"), target="").target == ""


def test_a_row_has_the_run_s_own() -> None:
    found = row(url="https://x")

    assert (found.run_id, found.url) == (7, "https://x")
    assert found.asked == seconds("2026-09-21T13:00:00Z")


def test_a_run_in_a_few_words() -> None:
    now = seconds("2026-09-21T16:00:00Z")

    assert brief(run(7), now) == "deploy claw-2 · done · 3 hours ago"
    assert brief(run(7, target="", **FAILED), now) == "deploy · failed or stopped · 3 hours ago"
    assert brief(run(7, jobs=(PLAN,), **FAILED), now) == "deploy claw-2 · failed · 3 hours ago"


def test_what_was_not_looked_at_is_said() -> None:
    def told(**fields: Any) -> str:
        return beside(HistoryPage((), **fields), "claw-2")

    look = "it was not looked at whether claw-2 was brought along; ask again for more."
    assert told() == ""
    assert told(unlooked=1) == f"Of 1 deploy of other hosts {look}"
    assert (
        told(unlooked=3, why="GitHub is slow.")
        == f"Of 3 deploys of other hosts {look} GitHub is slow."
    )
    assert told(unseen=(7,), why="GitHub is slow.") == "GitHub is slow."


def test_what_a_page_is_called() -> None:
    assert (title(""), title("all")) == ("The last deploys", "The last deploys of all")
    assert nothing("") == "There was no deploy yet."
    assert nothing("claw-9") == "None of the last deploys concerns claw-9."
