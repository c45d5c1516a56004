"""When a deploy began, and how long it and each of its hosts took."""

from dataclasses import replace

import pytest

from clawbot.progress import Progress, Stage
from clawbot.run_progress import progress
from fleet_control.ledger import Job
from tests.clawbot.control_api import job, run
from tests.clawbot.test_progress import host

EIGHT, NINE = "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"


def at(one: Job, minute: int) -> Job:
    return one._replace(started_at=f"2026-11-24T10:{minute:02}:00Z")


def test_while_it_runs_nothing_changes_by_itself() -> None:
    early = run(7, updated="2026-11-24T10:01:00Z")
    late = run(7, updated="2026-11-24T10:02:00Z")

    assert progress(early) == progress(late)


def test_a_deploy_that_is_done_says_how_long_it_took() -> None:
    seen = progress(run(7, "completed", "success", jobs=(host("claw-1"),)))

    assert (seen.stage, seen.took) == (Stage.DONE, 185.0)


def test_the_time_a_run_waited_does_not_count_as_taken() -> None:
    jobs = (
        job("plan")._replace(
            started_at="2026-11-24T10:02:00Z", completed_at="2026-11-24T10:02:20Z"
        ),
        host("claw-1")._replace(
            started_at="2026-11-24T10:02:20Z", completed_at="2026-11-24T10:03:00Z"
        ),
    )

    seen = progress(run(7, "completed", "success", jobs=jobs))

    assert (seen.took, seen.hosts[0].took) == (60.0, 40.0)


def test_when_a_run_began_is_not_told_before_a_job_of_it_tells() -> None:
    """It would be another moment as soon as one does, which is an edit."""
    begun = run(1, created="2026-11-24T09:00:00Z", started="2026-11-24T09:00:00Z")

    assert progress(begun).began == 0
    assert progress(begun._replace(jobs=(job("plan", None, "in_progress"),))).began > 0


def test_what_is_expected_of_a_deploy_is_no_news_by_itself() -> None:
    seen = Progress(Stage.RUNNING, "claw-1")

    assert replace(seen, begins=1.0, ends=2.0) == seen


def test_what_waits_has_not_begun_whatever_start_github_gives_its_job() -> None:
    waits = at(host("claw-2", None, "queued"), 0)
    moves = at(host("claw-1", None, "in_progress"), 2)
    seen = progress(run(7, jobs=(moves, waits)))
    queued = progress(run(7, "queued", jobs=(waits,)))

    first, second = seen.hosts
    assert seen.began == first.began > 0 == second.began
    assert (queued.stage, queued.began) == (Stage.QUEUED, 0)
    assert (progress(run(7)).began, progress(run(7)).took) == (0, 0)


@pytest.mark.parametrize(("started", "minutes"), [(NINE, 63), ("", 123)])
def test_one_that_ended_before_any_job_of_it_began_took_as_long_as_the_run(
    started: str, minutes: int
) -> None:
    seen = progress(run(7, "completed", "cancelled", created=EIGHT, started=started))

    assert seen.took == 60 * minutes + 5


def test_one_that_ended_by_github_s_clocks_before_it_began_took_no_time() -> None:
    ended = at(host("claw-1"), 2)._replace(completed_at="2026-11-24T10:01:00Z")
    seen = progress(run(7, "completed", "success", jobs=(ended,)))

    assert (seen.took, seen.hosts[0].took) == (0, 0)
