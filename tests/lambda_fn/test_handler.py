"""The Control API from event to GitHub and back."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from fleet_control import ledger
from lambda_fn.handler import handler
from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import (
    AGENT_1,
    CHAT_1,
    CONTROL_TOKEN,
    Context,
    by_agent,
    by_person,
    function_url,
)
from tests.lambda_fn.small_github import HTML, TOKEN, SmallGitHub, job, run_of

PERSONS = ledger.Entry(
    request_id="discord.clawdinator-1.1001.2002",
    reply="3003",
    target="clawdinator-2",
    requested_by="discord:80351110224678912 sam",
)
AGENTS = ledger.Entry(
    request_id="agent.clawdinator-1.cli.41", target="clawdinator-2", caller="clawdinator-1"
)


def ago(**time: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


async def test_a_persons_deploy_becomes_one_dispatch(ask: Ask, github: SmallGitHub) -> None:
    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body == {
        "ok": True,
        "message": "deploy queued for clawdinator-2",
        "run": {"id": 1000, "url": f"{HTML}/1000"},
    }
    assert github.dispatched == [{"ref": "main", "inputs": PERSONS._asdict()}]
    assert github.asked[0].headers["x-github-api-version"] == "2026-03-10"


async def test_an_agents_deploy_carries_its_instance(ask: Ask, github: SmallGitHub) -> None:
    answer = await ask(function_url(by_agent(), AGENT_1))

    assert answer.status == 200
    assert github.dispatched == [{"ref": "main", "inputs": AGENTS._asdict()}]


@pytest.mark.parametrize("caller", ["clawdinator-3", None, ""])
async def test_an_agent_speaks_only_as_its_own_instance(
    ask: Ask, github: SmallGitHub, caller: str | None
) -> None:
    ask_ = by_agent(caller=caller, requested_by="discord:1 sam")

    await ask(function_url(ask_, AGENT_1))
    answer = await ask(function_url(ask_ | {"target": "clawdinator-1"}, AGENT_1))

    assert answer.code == (403, "self_deploy")
    assert [one["inputs"] for one in github.dispatched] == [AGENTS._asdict()]


@pytest.mark.parametrize("target", ["clawdinator-1", "all"])
async def test_a_bot_instance_heard_in_chat_may_not_deploy_itself(
    ask: Ask, github: SmallGitHub, target: str
) -> None:
    said = by_person(target=target, caller="clawdinator-1", requested_by="")

    answer = await ask(function_url(said, CHAT_1))

    assert answer.code == (403, "self_deploy")
    assert github.asked == []


async def test_a_bot_instance_has_one_deploy_at_a_time(ask: Ask, github: SmallGitHub) -> None:
    earlier = AGENTS._replace(request_id="agent.clawdinator-1.cli.40")
    github.runs = [run_of(earlier, 7, status="in_progress")]

    answer = await ask(function_url(by_agent(target="clawdinator-3"), AGENT_1))

    assert answer.code == (409, "busy")
    assert f"{HTML}/7" in answer.body["error"]
    assert github.dispatched == []


async def test_what_others_deploy_or_has_ended_keeps_no_bot_busy(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [
        run_of(PERSONS, 9),
        run_of(AGENTS._replace(caller="clawdinator-3"), 8),
        run_of(AGENTS._replace(request_id=""), 7, status="completed", conclusion="failure"),
    ]

    answer = await ask(function_url(by_agent(), AGENT_1))

    assert answer.status == 200


async def test_a_bot_that_asks_the_same_twice_is_told_of_the_first_run(
    ask: Ask, github: SmallGitHub
) -> None:
    await ask(function_url(by_agent(), AGENT_1))
    answer = await ask(function_url(by_agent(), AGENT_1))

    assert answer.body["run"]["id"] == 1000
    assert len(github.dispatched) == 1


async def test_a_long_name_is_cut_so_that_the_title_fits(ask: Ask, github: SmallGitHub) -> None:
    bot = "b" * 32
    said = by_person(
        target="t" * 32,
        caller="c" * 32,
        ami_override="ami-0123456789abcdef0",
        request_id=f"telegram.{bot}.{'1' * 20}.{'2' * 20}",
        reply="3" * 20,
        requested_by=f"telegram:{'4' * 20} {'n' * 32}",
    )

    await ask(function_url(said, f"arn:aws:iam::123456789012:user/fleet/chat/{bot}/{bot}-chat"))

    title = github.runs[0]["display_title"]
    assert len(title) <= 250
    assert ledger.parse_title(title) == ledger.Entry(**github.dispatched[0]["inputs"])
    assert title.endswith("nnn")


async def test_github_before_its_newest_api_is_asked_which_run_it_began(
    ask: Ask, github: SmallGitHub
) -> None:
    github.names_runs = False
    github.runs = [run_of(PERSONS._replace(reply="3"), 5)]

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["run"] == {"id": 1001, "url": f"{HTML}/1001"}


async def test_a_run_that_can_not_be_named_is_queued_all_the_same(
    ask: Ask, github: SmallGitHub
) -> None:
    github.refusals.extend([web.Response(status=204), web.Response(status=500)])

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["run"] == {
        "id": None,
        "url": "https://github.com/openclaw/clawdinators/actions",
    }


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

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    run = answer.body["run"]
    assert (run["id"], run["url"], run["attempt"]) == (7, f"{HTML}/7", 2)
    assert {key: run[key] for key in PERSONS._fields} == PERSONS._asdict()
    assert run["reason"] == "a is not healthy ***"
    assert [one["name"] for one in run["jobs"]] == ["plan", "b: x -> y", "a: x -> y"]
    assert run["jobs"][0]["steps"] == [
        {"name": "Set up", "status": "completed", "conclusion": "success"}
    ]
    assert all("Authorization" not in headers for headers in github.log_requests)
    assert len(github.log_requests) == 1


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


async def test_the_jobs_of_a_whole_fleet_come_in_pages(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(number, f"host {number}") for number in range(252)]

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert len(answer.body["run"]["jobs"]) == 252


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
        run_of(PERSONS, 1, status="in_progress", created_at=ago(hours=41)),
    ]

    answer = await ask(function_url({"action": "runs", "unfinished": True}, AGENT_1))

    assert [run["id"] for run in answer.body["runs"]] == [4, 3, 1]


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


async def test_a_run_that_ends_while_we_look_can_not(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7)]
    github.cancel_status = 409

    answer = await ask(function_url(CANCEL, CHAT_1))

    assert answer.code == (409, "already_running")


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


async def test_a_base64_body_is_read(ask: Ask) -> None:
    event = function_url(by_person(), CHAT_1)
    event["body"] = base64.b64encode(event["body"].encode()).decode()
    event["isBase64Encoded"] = True

    assert (await ask(event)).status == 200


async def test_a_listed_operator_is_a_person_by_session_name(
    ask: Ask, github: SmallGitHub, environ: dict[str, str]
) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/Admin/alice@example.com"
    environ["CONTROL_API_OPERATORS"] = session
    said = by_person(request_id="operator.alice-example-com.cli.1", reply="")

    answer = await ask(function_url(said, session))

    assert answer.status == 200
    assert github.dispatched[0]["inputs"]["requested_by"] == "operator:alice-example-com"


async def test_without_a_signer_nobody_is_believed(ask: Ask, github: SmallGitHub) -> None:
    direct = {**by_agent(), "control_token": CONTROL_TOKEN}

    for event in (function_url(by_agent()), direct):
        answer = await ask(event)
        assert answer.code == (403, "unproven_caller")
    assert github.asked == []


async def test_a_deployment_may_take_callers_at_their_word(
    ask: Ask, github: SmallGitHub, environ: dict[str, str]
) -> None:
    environ["ALLOW_UNPROVEN_CALLER"] = "1"
    first = {"action": "deploy", "target": "clawdinator-2", "caller": "clawdinator-1"}
    token = {"control_token": CONTROL_TOKEN}

    answers = [
        await ask(function_url(first)),
        await ask({**first, **token, "target": "clawdinator-1"}),
        await ask({**token, "action": "deploy", "target": "all"}),
    ]

    assert [one.body.get("code") for one in answers] == [None, "self_deploy", None]
    assert all(one.body["unproven_caller"] is True for one in answers)
    assert [one["inputs"]["caller"] for one in github.dispatched] == ["clawdinator-1", ""]


async def test_who_is_seen_is_never_taken_at_their_word(ask: Ask, environ: dict[str, str]) -> None:
    environ["ALLOW_UNPROVEN_CALLER"] = "1"

    answer = await ask(function_url(by_agent(target="clawdinator-1", caller=None), AGENT_1))
    stranger = await ask(function_url(by_agent(), {"userArn": None}))

    assert answer.code == (403, "self_deploy")
    assert "unproven_caller" not in answer.body
    assert stranger.code == (403, "unknown_caller")


@pytest.mark.parametrize("token", ["", "wrong", "contrôl", "\ud800", None, CONTROL_TOKEN + " "])
async def test_a_wrong_token_is_told_nothing_else(ask: Ask, token: str | None) -> None:
    answer = await ask(function_url("not json", "arn:of:nobody", token))

    assert answer.code == (401, "unauthorized")


async def test_two_tokens_while_one_is_being_replaced(ask: Ask, environ: dict[str, str]) -> None:
    environ["CONTROL_API_TOKEN"] = f"the-old-one\n{CONTROL_TOKEN}\n"

    for token, status in (("the-old-one", 200), (CONTROL_TOKEN, 200), ("the-old-one\n", 401)):
        answer = await ask(function_url({"action": "registry"}, AGENT_1, token))
        assert answer.status == status


async def test_every_missing_variable_is_named_at_once(ask: Ask, environ: dict[str, str]) -> None:
    environ |= {"CONTROL_API_TOKEN": " ", "GITHUB_TOKEN": "", "GITHUB_API_URL": "github"}

    answer = await ask(function_url({"action": "registry"}, AGENT_1))

    assert answer.code == (500, "misconfigured")
    for variable in ("CONTROL_API_TOKEN", "GITHUB_TOKEN", "GITHUB_API_URL"):
        assert variable in answer.body["error"]


@pytest.mark.parametrize("variable", ["CONTROL_API_TOKEN", "GITHUB_TOKEN"])
async def test_a_token_no_header_can_carry_is_named_but_not_quoted(
    ask: Ask, environ: dict[str, str], variable: str
) -> None:
    environ[variable] = "tökèn-of-the-tests"

    answer = await ask(function_url({"action": "registry"}, AGENT_1))

    assert answer.code == (500, "misconfigured")
    assert variable in answer.body["error"]
    assert "kèn" not in answer.body["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", None])
async def test_only_post_is_answered(ask: Ask, method: Any) -> None:
    answer = await ask(function_url("", AGENT_1, method=method))

    assert answer.code == (405, "method_not_allowed")


async def test_a_body_may_have_16_kib(ask: Ask) -> None:
    body = json.dumps({"action": "registry"})
    fits = function_url(body.ljust(16 * 1024), AGENT_1)
    over = function_url(body.ljust(16 * 1024 + 1), AGENT_1)
    wrapped = {
        **over,
        "body": base64.b64encode(over["body"].encode()).decode(),
        "isBase64Encoded": True,
    }
    huge = {**wrapped, "body": wrapped["body"] * 20}

    assert (await ask(fits)).status == 200
    for event in (over, wrapped, huge):
        assert (await ask(event)).code == (413, "too_large")


@pytest.mark.parametrize("in_lambda", [False, True])
async def test_each_call_leaves_one_line_without_secrets(
    ask: Ask,
    environ: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    in_lambda: bool,
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    if in_lambda:
        environ["AWS_LAMBDA_FUNCTION_NAME"] = "clawdinator-control-api"

    await ask(function_url(by_person(), CHAT_1))
    await ask(function_url(by_agent(target=f"{CONTROL_TOKEN}\n{TOKEN}"), AGENT_1))

    logged = [record.getMessage() for record in caplog.records if record.name == "lambda_fn"]
    lines = capsys.readouterr().err.splitlines() if in_lambda else logged
    assert len(lines) == 2
    said = ("control.answered", "action='deploy'", "chat:clawdinator-1", "status=200", "1000")
    assert all(words in lines[0] for words in said)
    assert all(secret not in line for line in lines for secret in (CONTROL_TOKEN, TOKEN, "\n"))


def test_aws_calls_it_with_two_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTROL_API_TOKEN", raising=False)

    assert handler(function_url({}, AGENT_1), Context())["statusCode"] == 500
