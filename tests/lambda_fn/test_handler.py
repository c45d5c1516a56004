"""The Control API from event to GitHub and back."""

import base64
import json
import logging
import re
from typing import Any

import pytest
from aiohttp import web

from fleet_control import ledger, run_title
from lambda_fn.handler import handler
from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import (
    AGENT_1,
    AGENTS,
    CHAT_1,
    CONTROL_TOKEN,
    PERSONS,
    InvocationContext,
    by_agent,
    by_person,
    function_url,
)
from tests.lambda_fn.small_github import HTML, TOKEN, SmallGitHub, run_of
from tests.lambda_fn.trail import trail


async def test_a_persons_deploy_becomes_one_dispatch(ask: Ask, github: SmallGitHub) -> None:
    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body == {
        "ok": True,
        "message": "deploy queued for clawdinator-2",
        "run": {"id": 1000, "url": f"{HTML}/1000"},
    }
    assert github.dispatched == [{"ref": "main", "inputs": PERSONS.inputs}]
    assert github.asked[0].headers["x-github-api-version"] == "2026-03-10"


async def test_an_agents_deploy_carries_its_instance(ask: Ask, github: SmallGitHub) -> None:
    answer = await ask(function_url(by_agent(), AGENT_1))

    assert answer.status == 200
    assert github.dispatched == [{"ref": "main", "inputs": AGENTS.inputs}]


@pytest.mark.parametrize("caller", ["clawdinator-3", None, ""])
async def test_an_agent_speaks_only_as_its_own_instance(
    ask: Ask, github: SmallGitHub, caller: str | None
) -> None:
    ask_ = by_agent(caller=caller, requested_by="discord:1 sam")

    await ask(function_url(ask_, AGENT_1))
    answer = await ask(function_url(ask_ | {"target": "clawdinator-1"}, AGENT_1))

    assert answer.code == (403, "self_deploy")
    assert [one["inputs"] for one in github.dispatched] == [AGENTS.inputs]


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
    assert run_title.parse_title(title) == ledger.Entry(**github.dispatched[0]["inputs"])
    assert title.endswith("nnn")


async def test_a_commit_travels_in_as_many_digits_as_a_title_has(
    ask: Ask, github: SmallGitHub
) -> None:
    answer = await ask(function_url(by_person(revision="0123456789" * 4), CHAT_1))

    assert answer.body["ok"]
    assert github.dispatched[0]["inputs"]["revision"] == "012345678901"
    assert github.dispatched[0]["inputs"]["ami_override"] == ""


async def test_github_before_its_newest_api_is_asked_which_run_it_began(
    ask: Ask, github: SmallGitHub
) -> None:
    github.names_runs = False
    github.runs = [run_of(PERSONS._replace(reply="3"), 5)]

    def another_begins(path: str) -> None:
        if path.endswith("/runs") and len(github.runs) == 2:
            github.runs.insert(0, run_of(PERSONS._replace(reply="4"), 2000))

    github.hears = another_begins

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


async def test_each_call_leaves_one_line_without_secrets(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    await ask(function_url(by_person(), CHAT_1))
    await ask(function_url(by_agent(target=f"{CONTROL_TOKEN}\n{TOKEN}"), AGENT_1))

    lines = trail(caplog)
    assert lines[0] == {
        "time": lines[0]["time"],
        "level": "info",
        "event": "control.answered",
        "logger": "lambda_fn",
        "aws_request": InvocationContext().aws_request_id,
        "signer": "chat:clawdinator-1",
        "request_id": "discord.clawdinator-1.1001.2002",
        "action": "deploy",
        "reply": "3003",
        "target": "clawdinator-2",
        "requested_by": "discord:80351110224678912 sam",
        "status": 200,
        "answer": lines[0]["answer"],
    }
    assert json.loads(lines[0]["answer"])["run"]["id"] == 1000
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0]["time"])
    assert (lines[1]["status"], lines[1]["code"]) == (400, "bad_request")
    assert all(secret not in caplog.text for secret in (CONTROL_TOKEN, TOKEN))


def test_aws_calls_it_with_two_arguments_and_keeps_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONTROL_API_TOKEN", raising=False)

    assert handler(function_url({}, AGENT_1), InvocationContext())["statusCode"] == 500
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["code"] == "misconfigured"


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("telegram.clawdinator-1.-100.7", "telegram.clawdinator-1.-100.7"),
        ("telegram.clawdinator-2.-100.7", None),
        ("agent.clawdinator-1.cli.7", None),
        ("anything else", None),
    ],
)
async def test_what_is_asked_beside_a_deploy_is_logged_by_its_bot_s_own_request_id(
    ask: Ask, caplog: pytest.LogCaptureFixture, said: str, logged: str | None
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    for action in ({"action": "freeze", "requested_by": "telegram:7 kim"}, {"action": "x"}):
        event = function_url(action, CHAT_1)
        event["headers"]["x-clawdinator-request-id"] = said
        await ask(event)

    assert [line.get("request_id") for line in trail(caplog)] == [logged] * 2


async def test_of_what_was_refused_three_hundred_characters_are_logged(
    ask: Ask, github: SmallGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    github.refusals.append(web.json_response({"message": "x" * 400}, status=422))

    answer = await ask(function_url(by_person(), CHAT_1))

    assert len(json.dumps(answer.body)) > 320
    (line,) = trail(caplog)
    assert (line["status"], len(line["answer"])) == (502, 300)


async def test_what_was_read_is_no_news_in_the_log_and_what_was_refused_is(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    await ask(function_url({"action": "registry"}, AGENT_1))
    await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    read, refused = trail(caplog)
    same = ("event", "signer", "action", "run_id", "status", "code")
    by = "control.answered", "agent:clawdinator-1"
    assert tuple(map(read.get, same)) == (*by, "registry", None, 200, None)
    assert "answer" not in read
    assert tuple(map(refused.get, same)) == (*by, "run", 7, 404, "unknown_run")
    assert refused["answer"].startswith('{"ok": false, ')


async def test_what_broke_leaves_its_traceback_in_its_line(
    ask: Ask, github: SmallGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    github.refusals.append(web.json_response(["no run"]))

    answer = await ask(function_url({"action": "run", "run_id": 7}, AGENT_1))

    assert answer.code == (502, "github_unreachable")
    (line,) = trail(caplog)
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback")
