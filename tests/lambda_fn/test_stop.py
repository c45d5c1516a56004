"""The roll under way is told to stop: by whom, which, and where none is offered."""

from typing import Any

import pytest

from fleet_control import ledger
from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import (
    ACCOUNT,
    AGENT_1,
    CHAT_1,
    PERSONS,
    by_person,
    fleet_key,
    function_url,
)
from tests.lambda_fn.role import TABLE, LambdaRole
from tests.lambda_fn.small_github import SmallGitHub, job, run_of
from tests.lambda_fn.trail import trail

SAM = "discord:80351110224678912 sam"
ALL = PERSONS._replace(target="all")
MOVING = "Replace and wait until healthy"
FINISHING = "Remove what left, bring the rest up to date"
Rows = list[dict[str, Any]]


def stops(signer: object = CHAT_1, **fields: object) -> dict[str, object]:
    return function_url({"action": "stop", "requested_by": SAM, **fields}, signer)


def host(id_: int, moving: str, status: str = "in_progress") -> dict[str, Any]:
    """The job of a host; `moving` is how its step that moves it stands."""
    ended = "success" if status == "completed" else None
    step = {"name": MOVING, "status": moving, "conclusion": ended}
    name = f"clawdinator-{id_}: ami-0123abcd -> ami-4567abcd @0a1b2c3"
    return job(10 + id_, name, status, conclusion=ended, steps=[step])


DONE, AT, BEFORE, LATER = (
    ("completed", "completed"),
    ("in_progress", "in_progress"),
    ("queued", "in_progress"),
    ("queued", "queued"),
)


def roll(*hosts: tuple[str, str]) -> Rows:
    planned = job(1, "plan", "completed", conclusion="success")
    return [planned, *(host(number, *one) for number, one in enumerate(hosts, 1))]


def finish(step: str) -> dict[str, Any]:
    steps = [{"name": FINISHING, "status": step, "conclusion": None}]
    return job(90, "finish", "in_progress", steps=steps)


@pytest.mark.parametrize(
    ("entry", "jobs", "at"),
    [
        (PERSONS, [job(1, "plan", "in_progress")], ""),
        (ALL, roll(DONE, AT, LATER), "clawdinator-2"),
        (ALL, roll(DONE, BEFORE, LATER), ""),
        (ALL, roll(DONE, LATER), ""),
        (ALL, roll(DONE, AT), "clawdinator-2"),  # `finish` comes, and is not listed yet
        (PERSONS, roll(AT, LATER), "clawdinator-1"),  # a host that was missing comes after it
        (ALL, [*roll(DONE), finish("queued")], ""),
        (PERSONS._replace(target="7", operation="resume"), roll(AT), "clawdinator-1"),
    ],
)
async def test_the_run_under_way_is_told_and_its_place_is_said(
    ask: Ask,
    table: LambdaRole,
    now: TurnedNow,
    github: SmallGitHub,
    entry: ledger.Entry,
    jobs: Rows,
    at: str,
) -> None:
    waits = run_of(ALL, 8, status="pending")
    github.runs = [waits, run_of(entry, 7, status="in_progress")]
    github.jobs[7] = jobs

    answer = await ask(stops())

    assert answer.status == 200
    run = {"id": 7, "url": github.runs[1]["html_url"], "target": entry.target, "at": at}
    assert (answer.body["run"], answer.body["by"]) == (run, SAM)
    where = f"at `{at}`, which it finishes first" if at else "at no host"
    what = f"{entry.operation or 'deploy'} `{entry.target}`, asked for by sam in Discord"
    assert answer.body["message"] == (
        f"Run 7 ({what}) was told to begin no further host. GitHub showed it {where}. "
        "Its own reply tells where it ended."
    )
    row = table.admin.get_item(TableName=TABLE, Key={"pk": {"S": "stop#7"}})["Item"]
    assert row["by"] == {"S": SAM}
    assert abs(int(row["at"]["N"]) - now()) < 60
    assert round((int(row["expires"]["N"]) - now()) / 86400) == 40


@pytest.mark.parametrize("status", ["queued", "waiting"])
async def test_a_run_that_waits_between_two_hosts_is_under_way(
    ask: Ask, table: LambdaRole, github: SmallGitHub, status: str
) -> None:
    github.runs = [run_of(ALL, 8, status=status), run_of(ALL, 7, status=status)]
    github.jobs = {7: roll(DONE, LATER), 8: [job(2, "plan")]}

    assert (await ask(stops())).body["run"]["id"] == 7
    assert {one.query["per_page"] for one in github.asked if "status" in one.query} == {"5"}


async def test_of_two_who_stop_it_the_first_is_named(
    ask: Ask, table: LambdaRole, github: SmallGitHub
) -> None:
    github.runs, github.jobs[7] = [run_of(ALL, 7, status="in_progress")], roll(AT, LATER)

    await ask(stops())
    again = await ask(stops(requested_by="telegram:9 alex"))

    assert again.body["by"] == SAM
    assert "was told by sam in Discord before to begin no further host" in again.body["message"]


@pytest.mark.parametrize(
    ("entry", "jobs", "told"),
    [
        (PERSONS, roll(AT), "is at its last, `clawdinator-1`"),
        (PERSONS, roll(DONE, DONE), "is at its last. "),
        (ALL._replace(operation="rollback"), roll(DONE, AT), "is at its last, `clawdinator-2`"),
        (ALL, [*roll(DONE), finish("in_progress")], "is at its last, `finish`"),
        (PERSONS._replace(target="0123abcd", operation="unlock"), [job(1, "plan")], "only breaks"),
    ],
)
async def test_a_stop_in_the_middle_of_an_apply_is_not_offered(
    ask: Ask,
    table: LambdaRole,
    github: SmallGitHub,
    entry: ledger.Entry,
    jobs: Rows,
    told: str,
) -> None:
    github.runs, github.jobs[7] = [run_of(entry, 7, status="in_progress")], jobs

    answer = await ask(stops())

    assert answer.code == (409, "at_its_last")
    assert told in answer.body["error"]
    if entry.operation != "unlock":
        assert "would leave its work half done. Wait for its end" in answer.body["error"]
        assert f"`/fleet rollback {entry.target}`" in answer.body["error"]
    assert table.admin.scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("over", [False, True])
async def test_where_nothing_runs_that_is_said(
    ask: Ask, table: LambdaRole, github: SmallGitHub, over: bool
) -> None:
    """The list may lag: it still shows one as under way that has ended."""
    github.runs = [run_of(ALL, 8, status="pending")]
    if over:
        ends = run_of(ALL, 7, status="in_progress")
        github.runs.append(ends)
        over_by_now = {"status": "completed", "conclusion": "success"}
        github.hears = lambda path: path.endswith("/7") and ends.update(over_by_now)

    answer = await ask(stops())

    assert answer.code == (409, "nothing_runs")
    told = "GitHub shows no deploy under way. `/fleet cancel` is for one that waits."
    assert answer.body["error"] == told


@pytest.mark.parametrize("gone", [False, True])
async def test_without_the_table_nothing_is_stopped_and_that_is_said(
    ask: Ask, table: LambdaRole, environ: dict[str, str], github: SmallGitHub, gone: bool
) -> None:
    github.runs, github.jobs[7] = [run_of(ALL, 7, status="in_progress")], roll(AT, LATER)
    if gone:
        table.admin.delete_table(TableName=TABLE)
    else:
        del environ["CONTROL_TABLE"]

    answer = await ask(stops())

    assert answer.code == ((502, "table_unreachable") if gone else (500, "misconfigured"))
    assert "table" in answer.body["error"]


@pytest.mark.parametrize(
    ("signer", "by", "code"),
    [
        (AGENT_1, SAM, (403, "forged_caller")),
        (CHAT_1, "", (400, "bad_request")),
        (CHAT_1, "operator:alice", (403, "forged_caller")),
        (fleet_key("agent", "clawdinator-2"), "", (403, "forged_caller")),
    ],
)
async def test_only_a_person_stops_a_roll(
    ask: Ask,
    table: LambdaRole,
    github: SmallGitHub,
    signer: object,
    by: str,
    code: tuple[int, str],
) -> None:
    github.runs, github.jobs[7] = [run_of(ALL, 7, status="in_progress")], roll(AT, LATER)

    assert (await ask(stops(signer, requested_by=by))).code == code
    assert github.asked == []


async def test_an_operator_s_own_key_stops_under_its_name(
    ask: Ask,
    table: LambdaRole,
    environ: dict[str, str],
    github: SmallGitHub,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    alice = f"arn:aws:iam::{ACCOUNT}:user/alice"
    environ["CONTROL_API_OPERATORS"] = alice
    github.runs, github.jobs[7] = [run_of(ALL, 7, status="in_progress")], roll(AT, LATER)

    answer = await ask(stops(alice, requested_by=""))

    assert answer.body["by"] == "operator:alice"
    (line,) = trail(caplog)
    assert (line["action"], line["requested_by"]) == ("stop", "operator:alice")
    assert "Run 7 (deploy `all`" in line["answer"]


async def test_a_stop_is_no_bot_s(ask: Ask, table: LambdaRole) -> None:
    asked = {**by_person(), "action": "stop"}
    assert (await ask(function_url(asked, CHAT_1))).code == (400, "bad_request")
