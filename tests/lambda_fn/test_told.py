"""Which askers were told how their deploys ended: noted for the bot that heard them."""

import pytest

from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import (
    ACCOUNT,
    AGENT_1,
    CHAT_1,
    by_agent,
    by_person,
    fleet_key,
    function_url,
)
from tests.lambda_fn.role import TABLE, LambdaRole

OURS = "discord.clawdinator-1.1001.2002"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:user/alice"


def told(signer: object = CHAT_1, request_id: str = OURS, **more: object) -> dict[str, object]:
    return function_url({"action": "told", "request_id": request_id, **more}, signer)


@pytest.mark.parametrize("of_a_bot", [False, True])
async def test_who_asked_in_a_chat_is_owed_a_call_until_it_is_noted(
    ask: Ask, table: LambdaRole, of_a_bot: bool
) -> None:
    before = await ask(told())
    bots = {"caller": "clawdinator-1", "requested_by": ""} if of_a_bot else {}
    await ask(function_url(by_person(**bots), CHAT_1))
    owed = await ask(told())
    for end in ("failed", "done"):
        await ask(told(end=end))
    again = await ask(function_url(by_person(**bots), CHAT_1))

    assert (before.body["told"], owed.body["told"]) == (None, "")
    assert again.status == 200
    assert (await ask(told())).body["told"] == "done"


async def test_an_agent_has_nobody_to_call(ask: Ask, table: LambdaRole) -> None:
    await ask(function_url(by_agent(), AGENT_1))

    items = table.admin.scan(TableName=TABLE)["Items"]
    assert [one["pk"]["S"].partition("#")[0] for one in items] == ["lease"]


async def test_what_is_noted_outlives_every_run(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(told(end="done"))

    item = table.admin.get_item(TableName=TABLE, Key={"pk": {"S": f"told#{OURS}"}})["Item"]
    assert round((int(item["expires"]["N"]) - now()) / 86400) == 40


@pytest.mark.parametrize(
    ("signer", "request_id", "code"),
    [
        (AGENT_1, OURS, (403, "forged_caller")),
        (AGENT_1, "agent.clawdinator-1.cli.41", (403, "forged_caller")),
        (OPERATOR, OURS, (403, "forged_caller")),
        (fleet_key("chat", "clawdinator-2"), OURS, (403, "forged_caller")),
        (CHAT_1, "agent.clawdinator-1.cli.41", (403, "forged_caller")),
        (CHAT_1, "", (400, "bad_request")),
        (CHAT_1, "x", (400, "bad_request")),
    ],
)
async def test_only_the_bot_that_heard_it_asks_and_notes(
    ask: Ask,
    table: LambdaRole,
    environ: dict[str, str],
    signer: str,
    request_id: str,
    code: tuple[int, str],
) -> None:
    environ["CONTROL_API_OPERATORS"] = OPERATOR

    assert (await ask(told(signer, request_id))).code == code
    assert (await ask(told(signer, request_id, end="done"))).code == code
    assert table.admin.scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("end", ["Done", "d one", "x" * 21, 7, None, ["done"]])
async def test_an_end_is_a_word(ask: Ask, table: LambdaRole, end: object) -> None:
    assert (await ask(told(end=end))).code == (400, "bad_request")


async def test_without_a_table_nobody_knows(ask: Ask) -> None:
    assert (await ask(told(end="done"))).body == {"ok": True, "told": None}
    assert (await ask(told())).body == {"ok": True, "told": None}


async def test_a_table_that_is_away_is_said_to_be(
    ask: Ask, table: LambdaRole, environ: dict[str, str]
) -> None:
    environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"

    assert (await ask(told())).code == (502, "table_unreachable")
    assert (await ask(told(end="done"))).code == (502, "table_unreachable")
    assert (await ask(function_url(by_person(), CHAT_1))).status == 200
