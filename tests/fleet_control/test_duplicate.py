"""Of the runs of one ask, whoever follows any finds the one that is the deploy."""

import pytest

from fleet_control.control_api import ControlApi
from fleet_control.duplicate import deploy_among, deploy_of, same_ask
from fleet_control.ledger import Job, Run, Step
from tests.fleet_control import fleets
from tests.fleet_control.lambdas import Lambda

ASK = "discord.demo.5.1"
PLANNED, STOPPED = Job("plan", "completed", "success"), Job("plan", "completed", "failure")
MOVED, BROKE, MOVING = (
    Job("claw-2: ami-1 -> ami-2", "completed", "success"),
    Job("claw-2: ami-1 -> ami-2", "completed", "failure"),
    Job("claw-2: ami-1 -> ami-2", "in_progress"),
)
NEVER_RAN = Job("plan", "completed", "cancelled", steps=(Step("Judge", "completed", "skipped"),))
CUT_SHORT = Job("plan", "completed", "cancelled", steps=(Step("Judge", "completed", "success"),))


def run(id_: int, conclusion: str | None, *jobs: Job, status: str = "in_progress") -> Run:
    status = "completed" if conclusion else status
    return fleets.run(id_, status=status, conclusion=conclusion, jobs=jobs, request_id=ASK)


def waiting(id_: int) -> Run:
    return run(id_, None, status="pending")


@pytest.mark.parametrize(
    ("first", "second", "deploy"),
    [
        (run(1, "success", PLANNED, MOVED), run(2, "failure", STOPPED), 1),
        (run(1, "failure", PLANNED, BROKE), run(2, "failure", STOPPED), 1),
        (run(1, None, PLANNED, MOVING), waiting(2), 1),
        (waiting(1), waiting(2), 1),
        (run(1, "failure", STOPPED), waiting(2), 1),
        (run(1, "failure", STOPPED), run(2, "failure", STOPPED), 1),
        (run(1, "cancelled", CUT_SHORT), waiting(2), 1),
        (run(1, "cancelled", NEVER_RAN), waiting(2), 2),
        (run(1, "cancelled"), run(2, "failure", STOPPED), 2),
        (run(1, "cancelled"), run(2, "cancelled"), 1),
        # The younger was let in while the older was not listed yet.
        (run(1, "failure", STOPPED), run(2, "success", PLANNED, MOVED), 2),
        (run(1, "failure", STOPPED), run(2, "failure", PLANNED, BROKE), 2),
        (waiting(1), run(2, None, PLANNED, MOVING), 2),
    ],
)
def test_the_deploy_is_what_came_to_a_host_or_else_the_oldest_that_began(
    first: Run, second: Run, deploy: int
) -> None:
    assert deploy_among([first, second]).id == deploy
    assert deploy_among([second, first]).id == deploy


def test_runs_without_a_request_id_are_no_duplicates_of_each_other() -> None:
    button = fleets.run(1, request_id="")
    assert same_ask(button, [button, fleets.run(2, request_id="")]) == [button]


async def test_a_run_that_moved_a_host_is_the_deploy_whatever_else_there_is(
    control: Lambda, api: ControlApi
) -> None:
    broke = run(2, "failure", PLANNED, BROKE)
    assert await deploy_of(api, broke) == broke
    assert control.asked == []


@pytest.mark.parametrize("end", [run(2, "failure", STOPPED), run(2, "cancelled")])
async def test_one_that_came_to_nothing_may_have_stopped_for_another(
    control: Lambda, api: ControlApi, end: Run
) -> None:
    deploy = run(1, "success", PLANNED, MOVED)
    control.has_runs(end._replace(jobs=()), deploy._replace(jobs=()))
    control.shows(deploy)

    assert await deploy_of(api, end) == deploy
    assert control.asked[0]["request_id"] == ASK


async def test_alone_it_is_what_became_of_its_ask(control: Lambda, api: ControlApi) -> None:
    refused = run(2, "failure", STOPPED)
    control.has_runs(refused, fleets.run(3))

    assert await deploy_of(api, refused) == refused
