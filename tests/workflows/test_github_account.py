"""A deploy is started by the Control API's account or by a person who is listed, by nobody else."""

import json
from collections.abc import Mapping

import pytest

from fleet_control.ledger import Entry
from sandbox.run_record import ANY_WORKFLOW, CONTROL_API, PERSON, Actor
from tests.workflows.conftest import MADE_OF, NEW, LocalRunner, started_by
from tests.workflows.loopback import raw_run
from workflows.fleet_deploy.github_account import Starter, read, starter
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.stopped import Stopped

ONE, TWO = "clawdinator-1", "clawdinator-2"
SET_UP = {"CONTROL_API_ACCOUNT": "fleet-control:7", "DEPLOY_PEOPLE": "sam:11, Kim-2:12"}
MALLORY = Actor("mallory", 2_718_281)


def run(login: str, number: str, triggering: str = "") -> ThisRun:
    return ThisRun(1, 1, "o/r", "w.yml", "main", login, number, triggering or login)


@pytest.mark.parametrize(
    ("by", "found"),
    [
        (run("fleet-control", "7"), Starter("fleet-control", chat=True)),
        (run("sam", "11"), Starter("sam", chat=False)),
        (run("kim-2", "12"), Starter("Kim-2", chat=False)),
    ],
)
def test_who_is_listed_may_start_a_deploy(by: ThisRun, found: Starter) -> None:
    assert starter(by, read(SET_UP)) == found


@pytest.mark.parametrize(
    "by",
    [
        run("mallory", "13"),
        run("github-actions[bot]", "41898282"),
        # A login that changed hands, and one that changed.
        run("sam", "13"),
        run("samuel", "11"),
        # Whose names would be those of two.
        run("sam", "12"),
        run("sam", "11", "mallory"),
        run("mallory", "13", "sam"),
        run("fleet-control", "7", "sam"),
    ],
)
def test_nobody_else_may(by: ThisRun) -> None:
    with pytest.raises(Stopped) as stop:
        starter(by, read(SET_UP))

    assert str(stop.value).startswith(f"`{by.actor}` ({by.actor_id}) ")
    assert "may not start a deploy: in the environment `fleet`, CONTROL_API_ACCOUNT names " in str(
        stop.value
    )
    assert "`fleet-control:7`, and DEPLOY_PEOPLE who else may." in str(stop.value)


def test_without_people_nobody_has_the_button() -> None:
    accounts = read({"CONTROL_API_ACCOUNT": "fleet-control[bot]:7"})

    assert accounts.people == ()
    assert starter(run("fleet-control[bot]", "7"), accounts).chat
    with pytest.raises(Stopped):
        starter(run("sam", "11"), accounts)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "Not set: CONTROL_API_ACCOUNT."),
        ({"CONTROL_API_ACCOUNT": ""}, "Not set: CONTROL_API_ACCOUNT."),
        ({"CONTROL_API_ACCOUNT": "fleet-control"}, "CONTROL_API_ACCOUNT must name accounts as"),
        ({"CONTROL_API_ACCOUNT": "7"}, "CONTROL_API_ACCOUNT must name accounts as"),
        ({"CONTROL_API_ACCOUNT": "a:7 b:8"}, "CONTROL_API_ACCOUNT must name accounts as"),
        (SET_UP | {"DEPLOY_PEOPLE": "sam"}, "DEPLOY_PEOPLE must name accounts as"),
        (SET_UP | {"DEPLOY_PEOPLE": "*:*"}, "DEPLOY_PEOPLE must name accounts as"),
        (SET_UP | {"DEPLOY_PEOPLE": "github-actions[bot]:41898282"}, "any workflow speaks as it"),
        (SET_UP | {"CONTROL_API_ACCOUNT": "x:41898282"}, "any workflow speaks as it"),
        (SET_UP | {"DEPLOY_PEOPLE": "sam:7"}, "must be an account of its own"),
    ],
)
def test_what_is_not_set_or_not_right_is_named(environ: Mapping[str, str], said: str) -> None:
    with pytest.raises(Stopped, match=r"See docs/set-up\.md") as stop:
        read(environ)

    assert said in str(stop.value)


CHAT = {"REQUEST_ID": "discord.clawdinator-1.1.2", "REQUESTED_BY": "discord:8 sam", "REPLY": "3"}


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
@pytest.mark.parametrize(
    ("more", "title"),
    [
        (started_by(ANY_WORKFLOW), "Not theirs to start"),
        (started_by(MALLORY), "Not theirs to start"),
        (started_by(CONTROL_API) | {"GITHUB_TRIGGERING_ACTOR": "mallory"}, "Not theirs to start"),
        (started_by(PERSON) | CHAT, "Bad inputs"),
        ({"CONTROL_API_ACCOUNT": ""}, "Not set up"),
    ],
)
def test_each_job_refuses_before_it_looks_at_anything(
    runner: LocalRunner, job: str, more: dict[str, str], title: str
) -> None:
    seen = runner.launches(TWO)
    runner.registers(ONE, TWO)
    roll = json.dumps([{"id": TWO, "seen": seen, "name": TWO, **MADE_OF}])

    assert runner.does(job, INSTANCE=TWO, IMAGE=NEW, ROLL=roll, **more) == 1
    assert runner.summary.startswith(f"## Stopped: {title}\n\n")
    assert runner.commands == []
    assert runner.github.asked == []


@pytest.mark.parametrize(
    ("account", "asked"), [(PERSON, {}), (CONTROL_API, CHAT), (CONTROL_API, {"CALLER": ONE})]
)
def test_those_who_may_get_as_far_as_the_judge(
    runner: LocalRunner, account: Actor, asked: dict[str, str]
) -> None:
    runner.registers(ONE, TWO)
    more = {**started_by(account), **asked, "TARGET": "clawdinator-9"}

    assert runner.does("plan", **more) == 1
    assert runner.summary.startswith("## Stopped: Refused (unknown_target)")


def test_a_forged_run_makes_no_real_one_a_duplicate_and_no_bot_busy(runner: LocalRunner) -> None:
    runner.registers(ONE, TWO)
    entry = Entry(request_id=CHAT["REQUEST_ID"], target=TWO, caller=ONE)
    forged = raw_run(90, entry, status="in_progress", actor=ANY_WORKFLOW)
    runner.github.runs = [raw_run(100, entry, status="in_progress"), forged]
    asked = {"CALLER": ONE, "REQUEST_ID": CHAT["REQUEST_ID"]}

    runner.does("plan", **asked)
    assert "Asked twice" not in runner.summary
    assert "busy" not in runner.summary

    runner.github.runs[1] = raw_run(90, entry, status="in_progress")
    assert runner.does("plan", **asked) == 1
    assert "Asked twice" in runner.summary
