"""Who may tell a channel of the fleet: a bot, by its own chat key and in its own name."""

import logging
from typing import Any

import pytest

from tests.lambda_fn.conftest import Ask
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
from tests.lambda_fn.small_github import SmallGitHub, run_of

OPERATOR = f"arn:aws:iam::{ACCOUNT}:user/alice"
CHAT_2 = fleet_key("chat", "clawdinator-2")
OURS = PERSONS.request_id
CHANNEL = "discord:901"
LIVING = {"action": "living", "request_id": OURS}
ANNOUNCE = {"action": "announce", "run_id": 7, "channel": CHANNEL, "bot": "clawdinator-1"}
WATCH = {"action": "watch", "channel": CHANNEL, "bot": "clawdinator-1"}
EACH = pytest.mark.parametrize("body", [LIVING, ANNOUNCE, WATCH], ids=lambda one: one["action"])


@EACH
@pytest.mark.parametrize(
    ("signer", "why"),
    [
        (AGENT_1, "Only a chat key tells "),
        (OPERATOR, "Only a chat key tells "),
        (CHAT_2, " must be "),
    ],
    ids=["agent", "operator", "another bot"],
)
async def test_nobody_else_says_it(
    ask: Ask,
    table: LambdaRole,
    environ: dict[str, str],
    body: dict[str, Any],
    signer: str,
    why: str,
) -> None:
    environ["CONTROL_API_OPERATORS"] = OPERATOR

    answer = await ask(function_url(body, signer))

    assert answer.code == (403, "forged_caller")
    assert why in answer.body["error"]
    assert answer.body["error"].endswith(".")
    assert table.admin.scan(TableName=TABLE)["Items"] == []


async def test_the_bot_is_named_whose_key_signed(ask: Ask, table: LambdaRole) -> None:
    for body in (ANNOUNCE, WATCH):
        answer = await ask(function_url(body, CHAT_2))
        assert answer.body["error"] == "`bot` must be clawdinator-2, whose key signed."


@EACH
async def test_the_functions_own_rights_suffice(
    ask: Ask, table: LambdaRole, github: SmallGitHub, body: dict[str, Any]
) -> None:
    await ask(function_url(WATCH, CHAT_1))
    await ask(function_url(by_person(), CHAT_1))
    github.runs = [run_of(PERSONS, 7)]

    answers = [await ask(function_url(body, CHAT_1)) for _ in range(2)]

    assert [one.status for one in answers] == [200, 200]


@EACH
async def test_where_no_signer_is_seen_a_bot_is_taken_at_its_word(
    ask: Ask,
    table: LambdaRole,
    environ: dict[str, str],
    github: SmallGitHub,
    body: dict[str, Any],
) -> None:
    environ["ALLOW_UNPROVEN_CALLER"] = "1"
    github.runs = [run_of(PERSONS, 7)]

    answer = await ask(function_url(body))

    assert (answer.status, answer.body["unproven_caller"]) == (200, True)


@EACH
async def test_without_a_table_bots_can_t_agree(ask: Ask, body: dict[str, Any]) -> None:
    answer = await ask(function_url(body, CHAT_1))

    assert answer.code == (500, "misconfigured")
    assert "CONTROL_TABLE" in answer.body["error"]


@EACH
async def test_a_table_that_is_away_is_said_to_be(
    ask: Ask, table: LambdaRole, environ: dict[str, str], body: dict[str, Any]
) -> None:
    environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:9"

    assert (await ask(function_url(body, CHAT_1))).code == (502, "table_unreachable")


async def test_who_said_what_of_which_channel_is_in_the_log(
    ask: Ask, table: LambdaRole, github: SmallGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    await ask(function_url(WATCH, CHAT_1))
    github.runs = [run_of(PERSONS, 7)]
    await ask(function_url({**ANNOUNCE, "end": "done"}, CHAT_1))

    (line,) = (one for one in caplog.messages if "announce" in one)
    for said in ("chat:clawdinator-1", OURS, CHANNEL, "done", "living"):
        assert said in line
