"""What the ledger tells of bots' deploys of an instance: which count, and whose jobs decide it."""

from collections.abc import Iterable
from typing import Any

import pytest

from fleet_control.bot_record import BotRecord, record
from fleet_control.ledger import Job, Run, Step, seconds
from fleet_control.policy import BotDeploy, Facts
from tests.fleet_control.fleets import run

TARGET = "claw-2"
ENDED = seconds(run().updated)
SOON, LATER = ENDED + 600, ENDED + 3600
LAST = BotDeploy("claw-1", ENDED)

PLANNED = Job("plan", "completed", "success")


def host_job(conclusion: str | None, id_: str = TARGET, **more: Any) -> Job:
    status = "completed" if conclusion else "in_progress"
    steps = (Step("Replace and wait until healthy", status, conclusion),)
    return Job(f"{id_}: ami-1 -> ami-2", status, conclusion, **{"steps": steps} | more)


FAILED = (PLANNED, host_job("failure"))
REFUSED = (Job("plan", "completed", "failure"), Job("host", "completed", "skipped"))
CANCELLED_BEFORE = (PLANNED, host_job("cancelled", steps=()))
ANOTHERS = (PLANNED, host_job("failure", "claw-22"), host_job("failure", "claw-3"))
STOPPED_STEPS = (
    Step("See whether the roll goes on", "completed", "success"),
    Step("Stopped by discord:8035 sam", "completed", "failure"),
    Step("Replace and wait until healthy", "completed", "skipped"),
)
STOPPED = (PLANNED, host_job("failure", steps=STOPPED_STEPS))
AT_WORK = (PLANNED, host_job(None))


def bots(id_: int, conclusion: str | None = "failure", **more: Any) -> Run:
    status = "completed" if conclusion else "in_progress"
    return run(id_, caller="claw-1", status=status, conclusion=conclusion, **more)


def persons(id_: int, conclusion: str = "failure", **more: Any) -> Run:
    return run(id_, conclusion=conclusion, **more)


def told(*runs: Run, now: float = SOON, **jobs: Iterable[Job]) -> BotRecord:
    """By the jobs of the runs that a test expects to be asked about."""
    return record(TARGET, runs, now, {int(name[4:]): some for name, some in jobs.items()})


def test_a_bots_success_is_its_last_deploy_and_asks_for_no_jobs() -> None:
    assert told(bots(5, "success")) == BotRecord(LAST, 0)
    assert told() == BotRecord()


@pytest.mark.parametrize("target", ["claw-3", "claw-22", "claw"])
@pytest.mark.parametrize("conclusion", ["success", "failure"])
def test_another_instances_deploys_are_not_its_own(target: str, conclusion: str) -> None:
    assert told(bots(5, conclusion, target=target)) == BotRecord()


@pytest.mark.parametrize("conclusion", ["failure", "timed_out", "cancelled"])
def test_a_hosts_own_job_that_began_and_did_not_succeed_failed(conclusion: str) -> None:
    jobs = (PLANNED, host_job(conclusion))

    assert told(bots(5, conclusion), run_5=jobs) == BotRecord(LAST, 1)


@pytest.mark.parametrize("jobs", [REFUSED, CANCELLED_BEFORE, ANOTHERS, STOPPED, (PLANNED,), ()])
@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out"])
def test_what_came_to_no_job_of_its_host_is_no_deploy(
    jobs: tuple[Job, ...], conclusion: str
) -> None:
    assert told(bots(5, conclusion), run_5=jobs) == BotRecord()


def test_a_run_that_failed_at_another_host_succeeded_for_this_one() -> None:
    jobs = (PLANNED, host_job("success"), host_job("failure", "claw-3"))

    assert told(bots(6), bots(5), run_6=jobs) == BotRecord(LAST, 0)


def test_two_failures_in_a_row_are_counted_and_no_third_is_asked_for() -> None:
    runs = bots(7), bots(6), bots(5)

    assert told(*runs, run_7=FAILED, run_6=FAILED) == BotRecord(LAST, 2)
    assert told(*runs, run_7=REFUSED, run_6=FAILED, run_5=FAILED) == BotRecord(LAST, 2)


def test_the_newest_run_counts_first_however_they_are_listed() -> None:
    runs = bots(5), run(7, caller="claw-3"), bots(6)

    assert told(*runs).last == BotDeploy("claw-3", ENDED)


@pytest.mark.parametrize("caller", ["", "claw-3"])
@pytest.mark.parametrize("target", [TARGET, "all"])
def test_anybodys_success_ends_a_row_of_failures(caller: str, target: str) -> None:
    well = run(6, caller=caller, target=target)

    assert told(bots(7), well, bots(5), run_7=FAILED) == BotRecord(LAST, 1)
    assert told(well._replace(caller=""), bots(5), bots(4), now=LATER) == BotRecord()


def test_so_does_a_persons_deploy_of_all_that_only_failed_at_another() -> None:
    jobs = (PLANNED, host_job("success"), host_job("failure", "claw-3"))

    all_ = persons(6, target="all")
    assert told(bots(7), all_, bots(5), run_7=FAILED, run_6=jobs) == BotRecord(LAST, 1)


@pytest.mark.parametrize("asked", [("resume", "17"), ("rollback", "all")])
@pytest.mark.parametrize("conclusion", ["success", "failure"])
def test_so_does_a_resume_or_a_rollback_of_all_whose_jobs_tell_that_it_moved_it(
    asked: tuple[str, str], conclusion: str
) -> None:
    """Neither title tells whether its host was among those that were moved."""
    operation, target = asked
    again = persons(6, conclusion, operation=operation, target=target)
    runs, moved = (bots(7), again, bots(5)), (PLANNED, host_job("success"))

    assert told(*runs, run_7=FAILED, run_6=moved) == BotRecord(LAST, 1)
    assert told(*runs, run_7=FAILED, run_6=ANOTHERS, run_5=FAILED) == BotRecord(LAST, 2)


def test_so_does_a_persons_by_the_button_whose_title_names_no_target() -> None:
    """Only its jobs tell; one that did not succeed is not asked about."""
    pressed, jobs = persons(6, "success", target=""), (PLANNED, host_job("success"))

    assert told(bots(7), pressed, bots(5), run_7=FAILED, run_6=jobs) == BotRecord(LAST, 1)
    assert told(bots(7), pressed, bots(5), run_7=FAILED, run_6=ANOTHERS, run_5=FAILED).failures == 2
    assert told(bots(7), persons(6, target=""), run_7=FAILED) == BotRecord(LAST, 1)


def test_a_persons_failure_in_between_ends_none_and_counts_as_none() -> None:
    runs = bots(7), persons(6), bots(5)

    assert told(*runs, run_7=FAILED, run_6=FAILED, run_5=FAILED) == BotRecord(LAST, 2)
    assert told(persons(6), run_6=FAILED) == BotRecord()


def test_whoever_deployed_since_a_bots_last_deploy_is_found_while_it_counts() -> None:
    person = persons(6, "success")

    assert told(person, bots(5), run_5=FAILED) == BotRecord(LAST, 0)
    assert told(person, persons(5), bots(4), run_4=FAILED) == BotRecord(LAST, 0)
    assert told(person, bots(5), run_5=REFUSED) == BotRecord()
    assert told(person, bots(5), now=LATER) == BotRecord()
    assert told(person, bots(5), now=LATER - 1).open == bots(5)


def test_one_under_way_is_a_deploy_but_no_failure_yet() -> None:
    assert told(bots(5, None), run_5=AT_WORK) == BotRecord(LAST, 0)
    assert told(bots(6, None), bots(5), run_6=AT_WORK, run_5=FAILED) == BotRecord(LAST, 1)
    assert told(bots(5, None), run_5=(PLANNED,)) == BotRecord()


@pytest.mark.parametrize("status", ["queued", "pending", "waiting", "requested"])
def test_one_that_waits_for_its_turn_is_no_deploy_yet(status: str) -> None:
    assert told(bots(5, None)._replace(status=status)) == BotRecord()
    again = bots(5, None, attempt=2)._replace(status=status)
    assert told(again, run_5=FAILED) == BotRecord(LAST, 1)


def test_a_rerun_changes_neither_what_a_run_came_to_nor_when() -> None:
    """It does nothing, and fails; the run's own time moves to its end."""
    first = host_job("success", completed_at="2026-09-21T13:05:00Z")
    second = host_job("failure", completed_at="2026-09-21T13:10:00Z")
    for jobs in ((first, second), (second, first)):
        known = told(bots(5, attempt=2), run_5=jobs)
        assert known == BotRecord(BotDeploy("claw-1", ENDED - 300), 0)
    both = (first._replace(conclusion="failure"), second)
    assert told(bots(5, attempt=2), run_5=both) == BotRecord(BotDeploy("claw-1", ENDED - 300), 1)


def test_a_run_whose_jobs_are_needed_is_named_newest_first() -> None:
    runs = bots(7), bots(6), bots(5)

    assert told(*runs) == BotRecord(open=runs[0])
    assert told(*runs, run_7=FAILED) == BotRecord(LAST, 1, runs[1])


def test_a_persons_run_is_in_doubt_only_where_it_may_have_ended_a_row_of_failures() -> None:
    late, between, early = persons(9), persons(7, target="all"), persons(5)
    runs = late, bots(8), between, bots(6), early
    jobs: dict[str, Any] = {"run_8": FAILED, "run_6": FAILED}

    assert told(*runs) == BotRecord(open=runs[1], doubt=late)
    assert told(*runs, run_8=FAILED) == BotRecord(LAST, 0, runs[3], late)
    assert told(*runs, **jobs) == BotRecord(LAST, 0, doubt=late)
    assert told(*runs, **jobs, run_9=REFUSED) == BotRecord(LAST, 1, doubt=between)
    assert told(*runs, **jobs, run_9=REFUSED, run_7=FAILED) == BotRecord(LAST, 2)
    assert told(*runs, **jobs, run_9=(host_job("success"),)) == BotRecord(LAST, 0)
    assert told(*runs, run_8=FAILED, run_6=REFUSED) == BotRecord(LAST, 0)
    assert told(late, between, early) == BotRecord()


def test_the_policy_is_told_all_three() -> None:
    known = BotRecord(LAST, 1, unseen=True).told(Facts(now=SOON))

    assert known == Facts(last_bot_deploy=LAST, bot_failures=1, bot_deploys_unseen=True, now=SOON)
