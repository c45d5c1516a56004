"""What the last deploys left of each host, as the ledger tells it and only as far as it does."""

from dataclasses import replace
from typing import Any

import pytest

from fleet_control.deployed import LOST_SECONDS, HostLeft, deployed
from fleet_control.deployed_source import (
    JOINS_SECONDS,
    KEPT_SECONDS,
    PAGES_AT_FIRST,
    RUNS_A_LOOK,
    RUNS_KEPT,
    DeployedSource,
)
from fleet_control.ledger import Job, Run, Step
from tests.clawbot.control_api import PAGE, control_api
from tests.clock import TurnedClock
from tests.fleet_control.fleets import NEW, NOW, OLD, host, moment, run

MOVED = Step("Replace and wait until healthy", "completed", "success")
LATER = NOW + 3600


def job(id_: str, conclusion: str | None = "success", ended: float = NOW, **more: Any) -> Job:
    status = "completed" if conclusion else "in_progress"
    over = moment(ended) if conclusion else None
    name = f"{id_}: {OLD.id} -> {NEW.id} @{'b' * 7}"
    steps = (MOVED._replace(status=status, conclusion=conclusion),)
    return Job(name, status, conclusion, moment(ended - 300), over, more.get("steps", steps))


def deploy(number: int, *jobs: Job, ended: float = NOW, **more: Any) -> Run:
    times = {"created": moment(ended - 600), "updated": moment(ended)}
    return run(number, jobs=jobs, **(times | more))


LEFT = HostLeft(NEW.id, "b" * 7, 7, NOW)
HOST = host("claw-2", launched=NOW - 200)


def test_what_a_deploy_left_is_what_its_job_made_of_the_host() -> None:
    known = deployed([deploy(7, job("claw-2"))], [], LATER)

    assert known.left(HOST) == LEFT
    assert known.left(host("claw-1")) is None


@pytest.mark.parametrize(
    "later",
    [
        deploy(8, job("claw-2", "failure", NOW + 900), conclusion="failure", ended=NOW + 900),
        deploy(8, job("claw-2", None), status="in_progress", conclusion=None),
    ],
    ids=["one that failed at it", "one that moves it now"],
)
def test_nothing_is_said_once_a_later_run_may_have_moved_it(later: Run) -> None:
    assert deployed([deploy(7, job("claw-2")), later], [], LATER).left(HOST) is None


def test_one_that_left_it_alone_changes_nothing() -> None:
    steps = (
        MOVED._replace(conclusion="failure"),
        Step("Its host was not touched", "completed", "success"),
    )
    later = deploy(8, job("claw-2", "failure", NOW + 900, steps=steps), ended=NOW + 900)

    assert deployed([later, deploy(7, job("claw-2"))], [], LATER).left(HOST) == LEFT


@pytest.mark.parametrize(
    ("unseen", "left"),
    [
        (deploy(8, target="claw-2", ended=NOW + 900), None),
        (deploy(8, target="all", ended=NOW + 900), None),
        (deploy(8, target="", ended=NOW + 900), None),
        (deploy(8, target="5", operation="resume", ended=NOW + 900), None),
        (deploy(8, target="claw-1", ended=NOW + 900), LEFT),
        (deploy(6, target="claw-2", ended=NOW - 900), LEFT),
        (deploy(8, target="claw-2", status="in_progress", ended=NOW - 900), None),
        (deploy(8, target="claw-1", status="in_progress", ended=NOW - 900), None),
        (deploy(8, target="claw-1", status="in_progress", ended=HOST.launched + 600), None),
        (deploy(8, target="claw-1", status="in_progress", ended=HOST.launched + 601), LEFT),
    ],
    ids=[
        *("its", "all", "a button", "a resume", "another's", "earlier", "runs"),
        *("brings it along", "brings it along at once", "came after it"),
    ],
)
def test_a_run_whose_jobs_are_unseen_may_have_moved_what_it_was_for(
    unseen: Run, left: HostLeft | None
) -> None:
    known = deployed([deploy(7, job("claw-2"))], [unseen], LATER)

    assert known.left(HOST) == left
    assert known.left(host("claw-3")) is None


def test_of_a_job_that_is_done_and_tells_no_end_nothing_is_said_until_its_run_is_over() -> None:
    done = job("claw-2")._replace(completed_at=None)
    goes_on = deploy(7, done, status="in_progress", conclusion=None)

    assert deployed([goes_on], [], LATER).left(HOST) is None
    assert deployed([deploy(7, done)], [], LATER).left(HOST) == LEFT


def test_of_a_machine_that_came_after_the_ledger_was_read_nothing_is_said() -> None:
    known = deployed([deploy(7, job("claw-2"))], [], LATER)

    assert known.left(replace(HOST, launched=LATER - 60)) == LEFT
    assert known.left(replace(HOST, launched=LATER - 59)) is None


def test_a_host_is_moving_from_its_job_s_begin_until_ten_minutes_after_its_end() -> None:
    waits = Job(job("claw-4").name, "queued")
    run_ = deploy(7, job("claw-1"), job("claw-2", None), waits, status="in_progress")
    ids = ("claw-1", "claw-2", "claw-4")

    assert deployed([run_], [], NOW).moving(ids, NOW + 599) == {"claw-1", "claw-2"}
    assert deployed([run_], [], NOW).moving(ids, NOW + 600) == {"claw-2"}


@pytest.mark.parametrize(
    ("runs", "unseen", "read", "made"),
    [
        ([], [], NOW, False),
        ([deploy(7, job("claw-1"))], [], NOW, False),
        ([deploy(7, job("claw-2"))], [], NOW, True),
        ([deploy(7, job("claw-2", "failure"), conclusion="failure")], [], NOW, True),
        ([], [deploy(7, target="claw-2")], NOW, True),
        ([], [deploy(7, target="all")], NOW, True),
        ([], [deploy(7, target="claw-1")], NOW, False),
        ([], [], float("-inf"), True),
    ],
    ids=["none", "another's", "its", "failed", "unseen", "unseen all", "unseen other", "unread"],
)
def test_an_instance_had_no_host_yet_where_no_deploy_may_have_made_one(
    runs: list[Run], unseen: list[Run], read: float, made: bool
) -> None:
    assert deployed(runs, unseen, read).may_have_made("claw-2") is made


def test_what_moved_when_the_ledger_was_last_read_moves_no_more_half_an_hour_later() -> None:
    of_host = deployed([deploy(7, job("claw-1", None), status="in_progress")], [], NOW)
    of_any = deployed([], [deploy(7, target="all", status="in_progress")], NOW)

    for known in (of_host, of_any):
        assert known.moving(["claw-1"], NOW + LOST_SECONDS - 1) == {"claw-1"}
        assert known.moving(["claw-1"], NOW + LOST_SECONDS) == set()
    assert LOST_SECONDS == 1800


def test_a_host_is_moving_before_its_job_touches_it_and_not_where_that_came_to_nothing() -> None:
    begins = job("claw-1", None, steps=(MOVED._replace(status="queued", conclusion=None),))
    nothing = job("claw-2", "failure", steps=(MOVED._replace(conclusion="skipped"),))
    run_ = deploy(7, begins, nothing, status="in_progress", conclusion=None)
    ids = ("claw-1", "claw-2")

    assert deployed([run_], [], NOW).moving(ids, NOW) == {"claw-1"}
    assert deployed([run_._replace(status="completed")], [], NOW).moving(ids, NOW) == set()


def test_a_host_whose_job_never_ended_is_moving_until_ten_minutes_after_its_run() -> None:
    known = deployed([deploy(7, job("claw-2", None), conclusion="cancelled")], [], LATER)

    assert known.moving(("claw-2",), NOW + 599) == {"claw-2"}
    assert known.moving(("claw-2",), NOW + 600) == set()


def test_a_run_whose_jobs_are_unseen_moves_what_it_is_for() -> None:
    ids = ("claw-1", "claw-2")
    for target, moving in (("claw-1", {"claw-1"}), ("all", set(ids)), ("", set(ids))):
        known = deployed([], [deploy(7, target=target, status="in_progress")], LATER)
        ended = deployed([], [deploy(7, target=target)], NOW)

        assert known.moving(ids, LATER) == moving
        assert ended.moving(ids, NOW + 599) == moving
        assert ended.moving(ids, NOW + 600) == set()


async def test_the_last_pages_are_read_once_and_then_only_what_ended_since() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        api.runs = [deploy(number, job(f"claw-{number}")) for number in range(1, 60)]
        api.unlisted = {one.id for one in api.runs}
        source = DeployedSource(client, clock)

        known = await source.look()
        assert api.count("history") == PAGES_AT_FIRST == 4
        assert (api.count("runs"), api.count("run")) == (1, 0)
        assert len(known.last) == PAGES_AT_FIRST * PAGE

        api.runs.append(deploy(60, job("claw-60"), ended=NOW + 300))
        assert "claw-60" in (await source.look()).last
        await source.look()
        assert (api.count("history"), api.count("run"), api.count("runs")) == (4, 1, 3)


async def test_of_many_that_ended_at_once_a_few_are_asked_for_in_each_look() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        source = DeployedSource(client, clock)
        await source.look()
        ids = range(1, RUNS_A_LOOK + 3)
        api.runs = [deploy(one, job("claw-2", ended=NOW + one), ended=NOW + one) for one in ids]
        aged = replace(HOST, launched=NOW - 3600)

        clock._now = LATER - NOW  # noqa: SLF001  (nobody sleeps)
        assert (await source.look()).left(aged) == HostLeft(NEW.id, "b" * 7, 8, NOW + 8)
        assert api.count("run") == RUNS_A_LOOK == 6
        assert len((await source.look()).unseen) == 0
        assert api.count("run") == RUNS_A_LOOK + 2


async def test_a_deploy_that_runs_is_looked_at_each_time_one_that_waits_never() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        runs_ = deploy(1, job("claw-2", None), status="in_progress", conclusion=None)
        waits = deploy(2, status="waiting", conclusion=None)
        unlock = deploy(3, operation="unlock", status="in_progress", conclusion=None)
        api.runs = [runs_, waits, unlock]
        source = DeployedSource(client, clock)

        for _ in range(2):
            assert (await source.look()).moving(("claw-1", "claw-2"), NOW) == {"claw-2"}
        assert [ask["run_id"] for ask in api.asked if ask["action"] == "run"] == [1, 1]


async def test_one_that_was_started_again_tells_of_its_last_attempt_alone() -> None:
    clock = TurnedClock(LATER)
    async with control_api(clock) as (api, client):
        api.runs = [deploy(7, job("claw-2")), deploy(8, attempt=2, ended=NOW + 60)]

        assert (await DeployedSource(client, clock).look()).left(HOST) is None


async def test_what_was_known_half_a_day_ago_is_learnt_anew() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        source = DeployedSource(client, clock)
        for passed, pages in ((0.0, 1), (JOINS_SECONDS, 1), (JOINS_SECONDS + 1, 2)):
            clock._now += passed  # noqa: SLF001  (nobody sleeps)
            await source.look()
            assert api.count("history") == pages
        assert JOINS_SECONDS == 12 * 3600


async def test_where_a_hundred_are_listed_that_join_on_to_none_it_is_learnt_anew() -> None:
    clock = TurnedClock(LATER)
    async with control_api(clock) as (api, client):
        api.runs = [deploy(one, job("claw-2")) for one in range(1, 3)]
        source = DeployedSource(client, clock, pages=1)
        await source.look()
        api.runs = [deploy(one, job("claw-2")) for one in range(3, 103)]
        await source.look()
        assert api.count("history") == 2

        api.runs = [deploy(one, job("claw-2")) for one in range(95, 195)]
        await source.look()
        assert api.count("history") == 2


async def test_what_can_t_be_read_leaves_what_was_known() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        api.runs = [deploy(7, job("claw-2"))]
        source = DeployedSource(client, clock)
        known = await source.look()
        api.refused["runs"] = (502, {"ok": False, "code": "github_refused", "error": "No."})

        assert await source.look() is known
        assert known.last


async def test_whose_jobs_could_not_be_had_are_asked_for_later() -> None:
    clock = TurnedClock(LATER)
    async with control_api(clock) as (api, client):
        api.runs, api.unseen = [deploy(7, job("claw-2"))], {7}
        source = DeployedSource(client, clock)
        api.refused["run"] = (502, {"ok": False, "code": "github_refused", "error": "No."})
        assert (await source.look()).left(HOST) is None
        del api.refused["run"]

        assert (await source.look()).left(HOST) == LEFT


async def test_it_is_asked_for_beside_once_a_minute() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        source = DeployedSource(client, clock)
        for passed in (0.0, KEPT_SECONDS - 1, 1.0):
            clock._now += passed  # noqa: SLF001  (nobody sleeps)
            source.look_beside()
            source.look_beside()
            await source.look() if source._under_way else None  # noqa: SLF001
        assert api.count("runs") == 2
        assert KEPT_SECONDS == 60
        await source.close()


async def test_a_process_that_lives_long_keeps_the_newest_hundred() -> None:
    clock = TurnedClock(NOW)
    async with control_api(clock) as (api, client):
        source = DeployedSource(client, clock, pages=100)
        api.runs = [deploy(one, job(f"claw-{one}")) for one in range(1, RUNS_KEPT + 2)]

        assert "claw-1" not in (await source.look()).last
        assert len(source.known.last) == RUNS_KEPT == 100
