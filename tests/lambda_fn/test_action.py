"""What the reads and the cancel answer, and why a run failed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from fleet_control.ledger import Entry
from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import AGENT_1, AGENTS, BEGAN, CHAT_1, PERSONS, function_url
from tests.lambda_fn.small_github import HTML, TOKEN, SmallGitHub, job, run_of


def ago(**time: float) -> str:
    return f"{datetime.fromtimestamp(BEGAN, UTC) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


async def test_a_run_is_told_with_its_jobs_and_why_it_failed(ask: Ask, github: SmallGitHub) -> None:
    step = {"name": "Set up", "number": 1, "status": "completed", "conclusion": "success"}
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure", run_attempt=2)]
    github.jobs[7] = [
        job(1, "plan", "completed", conclusion="success", steps=[step]),
        job(3, "b: x -> y", "completed", conclusion="failure", completed_at="2026-11-24T10:09:00Z"),
        job(2, "a: x -> y", "completed", conclusion="failure", completed_at="2026-11-24T10:05:00Z"),
    ]
    github.logs[2] = (
        "\ufeff2026-11-24T10:00:00.0000000Z ##[group]Run host\n"
        "2026-11-24T10:04:00.0000000Z ##[error]first\n"
        f"2026-11-24T10:05:00.0000000Z ##[error]\x1b[31ma is not healthy\x1b[0m {TOKEN}\n"
        "2026-11-24T10:05:00.0000000Z the log says ##[error]nothing\n"
        "2026-11-24T10:05:00.0000000Z ##[error]Process completed with exit code 1.\n"
        "2026-11-24T10:05:01.0000000Z Post job cleanup.\n"
    )

    answer = await ask(
        function_url({"action": "run", "run_id": 7, "revisions": True, "operations": True}, AGENT_1)
    )

    run = answer.body["run"]
    assert (run["id"], run["url"], run["attempt"]) == (7, f"{HTML}/7", 2)
    assert {key: run[key] for key in PERSONS._fields} == PERSONS._asdict()
    assert run["reason"] == "a is not healthy ***"
    assert [one["name"] for one in run["jobs"]] == ["plan", "b: x -> y", "a: x -> y"]
    assert run["jobs"][0]["steps"] == [
        {"name": "Set up", "status": "completed", "conclusion": "success"}
    ]
    assert all("Authorization" not in headers for headers in github.log_requests)
    assert len(github.log_requests) == 2


def at(minute: int, conclusion: str, ran: str | None = None) -> dict[str, Any]:
    """How a job ended, and with what its only step did."""
    step = {"name": "Replace", "status": "completed", "conclusion": ran}
    when = f"2026-11-24T10:{minute:02}:00Z"
    return {"conclusion": conclusion, "completed_at": when, "steps": [step] if ran else []}


@pytest.mark.parametrize(
    ("conclusion", "jobs", "reason"),
    [
        ("success", [at(5, "success", "success")], ""),
        (
            "timed_out",
            [at(5, "success", "success"), at(9, "timed_out", "success"), at(10, "failure")],
            'The job "job 1" ran out of time.',
        ),
        (
            "cancelled",
            [at(1, "success", "success"), at(7, "cancelled", "cancelled"), at(6, "cancelled")],
            'The job "job 1" was cancelled or ran out of time.',
        ),
        (
            "cancelled",
            [at(2, "cancelled", "skipped"), at(2, "skipped")],
            'The job "job 0" was cancelled before it began.',
        ),
        (
            "failure",
            [at(9, "failure", "failure"), at(5, "timed_out", "success")],
            'The job "job 1" ran out of time.',
        ),
        (
            "failure",
            [at(9, "failure", "failure") | {"completed_at": None}, at(5, "timed_out", "success")],
            'The job "job 1" ran out of time.',
        ),
        ("cancelled", [], ""),
        ("failure", [at(6, "cancelled"), at(7, "failure", "failure")], "what its log says"),
        ("action_required", [at(6, "failure", "failure")], ""),
    ],
)
async def test_the_reason_is_of_the_job_that_stopped_the_run(
    ask: Ask, github: SmallGitHub, conclusion: str, jobs: list[dict[str, Any]], reason: str
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion=conclusion)]
    github.jobs[7] = [
        job(number, f"job {number}", "completed", **fields) for number, fields in enumerate(jobs)
    ]
    github.logs = dict.fromkeys(range(len(jobs)), "##[error]what its log says")

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert answer.body["run"]["reason"] == reason


@pytest.mark.parametrize(("account", "believed"), [("", True), ("x:7", True), ("x:8", False)])
async def test_a_title_is_believed_of_the_account_alone_that_is_named(
    ask: Ask, github: SmallGitHub, environ: dict[str, str], account: str, believed: bool
) -> None:
    """A workflow of any branch may start a run with any title."""
    environ["CONTROL_API_ACCOUNT"] = account
    github.runs = [run_of(PERSONS, 7, actor={"login": "x", "id": 7})]

    run = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))
    found = await ask(function_url({"action": "runs", "request_id": PERSONS.request_id}, AGENT_1))

    assert (run.body["run"]["request_id"] == PERSONS.request_id) is believed
    assert (len(found.body["runs"]) == 1) is believed


async def test_the_jobs_of_a_whole_fleet_come_in_pages(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(number, f"host {number}") for number in range(252)]

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert len(answer.body["run"]["jobs"]) == 252


async def _reason(ask: Ask) -> object:
    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))
    return answer.body["run"]["reason"]


@pytest.mark.parametrize("in_parts", [True, False])
async def test_an_empty_log_leaves_the_reason_out(
    ask: Ask, github: SmallGitHub, in_parts: bool
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = ""
    github.log_in_parts = in_parts

    assert await _reason(ask) == ""


async def test_a_log_longer_than_we_take_is_read_from_its_end(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = "##[error]long ago\n" + "x" * 9_000_000 + "\n##[error]what matters\n"

    assert await _reason(ask) == "what matters"


async def test_a_store_that_knows_no_parts_is_read_whole(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = "##[error]what matters\n" + "x" * 500_000
    github.log_in_parts = False

    assert await _reason(ask) == "what matters"


async def test_a_log_that_lies_where_no_secret_is_kept_is_left_there(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = "##[error]what somebody says"
    github.log_scheme = "ftp"

    assert await _reason(ask) == ""
    assert github.log_requests == []


async def test_of_a_log_whose_size_the_store_does_not_know_nothing_is_told(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = "##[error]what matters"
    github.log_size = "*"

    assert await _reason(ask) == ""


async def test_what_is_answered_in_a_log_s_place_is_no_log(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]

    def hears(path: str) -> None:
        if path.endswith("/logs"):
            github.refusals.append(web.Response(status=404, text="##[error]no such log"))

    github.hears = hears

    assert await _reason(ask) == ""


@pytest.mark.parametrize("runner", [0, None])
@pytest.mark.parametrize("words", ["", "Recent account payments have failed."])
async def test_a_job_that_github_never_started_is_told_as_that(
    ask: Ask, github: SmallGitHub, runner: int | None, words: str
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure"), runner_id=runner)]
    if words:
        github.annotations[2] = [{"annotation_level": "failure", "message": words}]

    never = f'GitHub never started the job "plan" ({HTML}/7)'
    assert await _reason(ask) == (f"{never}: {words}" if words else never)
    assert github.log_requests == []


@pytest.mark.parametrize("nonsense", [[{}], [None], [7]])
async def test_annotations_of_another_form_are_left_out(
    ask: Ask, github: SmallGitHub, nonsense: list[Any]
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure"), runner_id=None)]
    github.annotations[2] = nonsense

    assert await _reason(ask) == f'GitHub never started the job "plan" ({HTML}/7)'


async def test_a_job_that_had_a_runner_was_started(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure"))]
    github.logs[2] = "##[error]what its log says"

    assert await _reason(ask) == "what its log says"


async def test_a_log_that_is_gone_leaves_the_reason_out(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", conclusion="failure")]

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert answer.body["run"]["reason"] == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ".github/workflows/image-build.yml@main"},
        {"event": "push"},
        {"head_branch": "somebodys"},
    ],
)
@pytest.mark.parametrize("action", ["run", "cancel"])
async def test_only_the_ledgers_runs_are_runs(
    ask: Ask, github: SmallGitHub, action: str, fields: dict[str, str]
) -> None:
    github.runs = [run_of(PERSONS, 7, **fields)]
    said = {"action": action, "run_id": 7}
    if action == "cancel":
        said["requested_by"] = "discord:1 sam"

    answer = await ask(function_url(said, CHAT_1))

    assert answer.code == (404, "unknown_run")
    assert github.cancelled == []


async def test_a_run_that_is_not_there_is_unknown(ask: Ask) -> None:
    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert answer.code == (404, "unknown_run")


async def test_runs_come_newest_first_and_no_more_than_asked_for(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, number) for number in range(30, 0, -1)]

    ten = await ask(function_url({"action": "runs"}, AGENT_1))
    two = await ask(function_url({"action": "runs", "limit": 2}, AGENT_1))

    assert [run["id"] for run in ten.body["runs"]] == list(range(30, 20, -1))
    assert [run["id"] for run in two.body["runs"]] == [30, 29]
    query = github.asked[0].query
    assert (query["event"], query["branch"]) == ("workflow_dispatch", "main")


async def test_runs_of_a_request_id(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [
        run_of(PERSONS._replace(request_id=f"discord.b.1.{number % 3}"), number)
        for number in range(250, 0, -1)
    ]
    said = {"action": "runs", "request_id": "discord.b.1.0", "limit": 100}

    answer = await ask(function_url(said, AGENT_1))

    assert [run["id"] for run in answer.body["runs"]] == list(range(249, 0, -3))


async def test_unfinished_runs_and_those_that_ended_within_a_day(
    ask: Ask, github: SmallGitHub
) -> None:
    done: dict[str, Any] = {"status": "completed", "conclusion": "success"}
    github.runs = [
        run_of(PERSONS, 4, status="pending"),
        run_of(PERSONS, 3, **done),
        run_of(PERSONS, 2, **done, created_at=ago(hours=40), updated_at=ago(hours=30)),
        run_of(
            PERSONS, 1, status="in_progress", created_at=ago(hours=41), updated_at=ago(hours=40)
        ),
    ]

    answer = await ask(function_url({"action": "runs", "unfinished": True}, AGENT_1))
    every = await ask(function_url({"action": "runs"}, AGENT_1))

    assert [run["id"] for run in answer.body["runs"]] == [4, 3, 1]
    assert [run["id"] for run in every.body["runs"]] == [4, 3, 2, 1]


async def test_somebodys_button_is_a_run_without_an_ask(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 1, display_title="fleet-deploy")]

    answer = await ask(function_url({"action": "runs"}, AGENT_1))

    assert (answer.body["runs"][0]["id"], answer.body["runs"][0]["target"]) == (1, "")


async def test_the_registry_comes_verbatim(ask: Ask, github: SmallGitHub) -> None:
    github.registry = '{"a": 1, "a": 2}\n \t"ü'.encode() * 50

    answer = await ask(function_url({"action": "registry"}, AGENT_1))

    assert answer.body == {
        "ok": True,
        "registry": github.registry.decode(),
        "version": "5ha",
        "revisions": [],
        "token_ends": None,
    }
    assert github.asked[0].query == {"ref": "main"}


CANCEL = {"action": "cancel", "run_id": 7, "requested_by": "discord:1 sam"}


async def test_a_run_that_waits_can_be_cancelled(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="pending")]
    github.jobs[7] = [job(1, "plan")]

    answer = await ask(function_url(CANCEL, CHAT_1))

    assert answer.status == 200
    assert github.cancelled == [7]


@pytest.mark.parametrize(
    ("status", "jobs"),
    [
        ("completed", []),
        ("in_progress", [job(1, "plan", "in_progress")]),
        ("queued", [job(1, "plan", "completed"), job(2, "a: x -> y")]),
    ],
)
async def test_a_run_that_has_started_can_not(
    ask: Ask, github: SmallGitHub, status: str, jobs: list[dict[str, Any]]
) -> None:
    github.runs = [run_of(PERSONS, 7, status=status)]
    github.jobs[7] = jobs

    answer = await ask(function_url(CANCEL, CHAT_1))

    assert answer.code == (409, "already_running")
    assert github.cancelled == []


@pytest.mark.parametrize(
    ("status", "code"), [(409, (409, "already_running")), (500, (502, "github_unreachable"))]
)
async def test_a_run_that_ends_while_we_look_can_not_nor_one_that_github_does_not_cancel(
    ask: Ask, github: SmallGitHub, status: int, code: tuple[int, str]
) -> None:
    github.runs = [run_of(PERSONS, 7)]
    github.cancel_status = status

    answer = await ask(function_url(CANCEL, CHAT_1))

    assert answer.code == code


async def test_only_persons_cancel(ask: Ask, github: SmallGitHub, environ: dict[str, str]) -> None:
    alice = "arn:aws:iam::123456789012:user/alice"
    environ["CONTROL_API_OPERATORS"] = f"arn:aws:iam::123456789012:user/bob, {alice}"
    github.runs = [run_of(PERSONS, 7)]

    agents = await ask(function_url(CANCEL, AGENT_1))
    nobodys = await ask(function_url(CANCEL | {"requested_by": ""}, CHAT_1))
    operators = await ask(function_url(CANCEL | {"requested_by": ""}, alice))

    assert agents.code == (403, "forged_caller")
    assert nobodys.code == (400, "bad_request")
    assert operators.status == 200


@pytest.mark.parametrize("whose", [AGENTS, PERSONS, None])
@pytest.mark.parametrize("status", ["queued", "pending", "waiting", "requested"])
async def test_an_operator_cancels_whoever_asked_an_agents_run_and_the_buttons_too(
    ask: Ask, github: SmallGitHub, environ: dict[str, str], whose: Entry | None, status: str
) -> None:
    alice = "arn:aws:iam::123456789012:user/alice"
    environ["CONTROL_API_OPERATORS"] = alice
    button = {} if whose else {"display_title": "fleet-deploy"}
    github.runs = [run_of(whose or PERSONS, 7, status=status, **button)]

    by_chat = await ask(function_url(CANCEL, CHAT_1))
    by_operator = await ask(function_url(CANCEL, alice))
    by_agent = await ask(function_url(CANCEL, AGENT_1))

    assert (by_chat.status, by_operator.status) == (200, 200)
    assert by_agent.code == (403, "forged_caller")
    assert github.cancelled == [7, 7]


async def test_a_run_that_has_begun_is_not_cancelled_where_no_job_is_listed_yet(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]

    answer = await ask(function_url(CANCEL, CHAT_1))

    assert answer.code == (409, "already_running")
    assert github.cancelled == []


async def test_the_newest_runs_are_asked_for_by_thirty_or_by_a_hundred(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, number) for number in range(150, 0, -1)]
    told = [
        len((await ask(function_url({"action": "runs", "limit": limit}, AGENT_1))).body["runs"])
        for limit in (30, 31, 100)
    ]

    assert told == [30, 31, 100]
    assert [one.query["per_page"] for one in github.asked] == ["30", "100"]


@pytest.mark.parametrize(("after", "why"), [(200_000, "what matters"), (300_000, "")])
async def test_the_end_of_a_log_is_a_quarter_of_a_mebibyte(
    ask: Ask, github: SmallGitHub, after: int, why: str
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(2, "plan", "completed", **at(5, "failure", "failure"))]
    github.logs[2] = "##[error]what matters\n" + "x" * after

    assert await _reason(ask) == why


async def test_a_run_that_goes_on_is_looked_at_again_however_long_it_was_silent(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    said = function_url({"action": "run", "run_id": 7}, AGENT_1)
    github.runs = [run_of(PERSONS, 7, status="in_progress", updated_at=ago(hours=1))]
    before = await ask(said)
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="success")]
    now.ahead += 60

    after = await ask(said)

    assert [one.body["run"]["status"] for one in (before, after)] == ["in_progress", "completed"]
