"""A freeze: begun and lifted by persons, seen by all, refused by the dispatch for everyone."""

import asyncio
import logging

import pytest

from lambda_fn.github_cache import GitHubCache
from tests.lambda_fn.conftest import ApiAnswer, Ask, TurnedNow
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
from tests.lambda_fn.small_github import SmallGitHub
from tests.lambda_fn.trail import trail

SAM = "discord:80351110224678912 sam"
KIM = "telegram:7 kim"
CHAT_2 = fleet_key("chat", "clawdinator-2")
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
HOUR = 3600


def frozen(signer: object = CHAT_1, by: str = SAM, **more: object) -> dict[str, object]:
    return function_url({"action": "freeze", "requested_by": by, **more}, signer)


def lifted(signer: object = CHAT_1, by: str = SAM) -> dict[str, object]:
    return function_url({"action": "unfreeze", "requested_by": by}, signer)


HOLDS = function_url({"action": "holds"}, AGENT_1)


def row(table: LambdaRole) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = table.admin.get_item(
        TableName=TABLE, Key={"pk": {"S": "freeze"}}
    )["Item"]
    return found


async def test_one_bot_freezes_and_every_key_sees_it(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    before = await ask(HOLDS)
    made = await ask(frozen(seconds=2 * HOUR, reason="database move"))

    seen = [await ask(function_url({"action": "holds"}, key)) for key in (AGENT_1, CHAT_2)]
    assert before.body == {"ok": True, "freeze": None}
    held = made.body["freeze"]
    assert held["until"] - held["since"] == 2 * HOUR
    assert abs(held["since"] - now()) < 60
    assert (held["by"], held["reason"]) == (SAM, "database move")
    assert [one.body["freeze"] for one in seen] == [held, held]
    assert int(row(table)["expires"]["N"]) == held["until"] + 24 * HOUR


@pytest.mark.parametrize(
    ("signer", "body"), [(AGENT_1, by_agent()), (CHAT_2, by_agent()), (CHAT_1, by_person())]
)
async def test_what_is_frozen_is_refused_to_agents_and_people_alike(
    ask: Ask, github: SmallGitHub, table: LambdaRole, signer: str, body: dict[str, object]
) -> None:
    if signer == CHAT_2:
        body |= {"caller": "clawdinator-1", "request_id": "telegram.clawdinator-2.1.2"}
    await ask(frozen(by=KIM, reason="a move"))

    answer = await ask(function_url(body, signer), another_process=GitHubCache())

    assert answer.code == (409, "frozen")
    assert answer.body["error"].startswith("The fleet is frozen by kim in Telegram until 2")
    assert "UTC: a move. " in answer.body["error"]
    assert github.dispatched == []
    await ask(lifted(CHAT_2, KIM))
    assert (await ask(function_url(body, signer))).status == 200


@pytest.mark.parametrize("operation", ["rollback", "resume"])
async def test_what_else_replaces_hosts_is_kept_back_too(
    ask: Ask, table: LambdaRole, github: SmallGitHub, operation: str
) -> None:
    target = "7" if operation == "resume" else "all"
    await ask(frozen())

    body = by_person(operation=operation, target=target)
    assert (await ask(function_url(body, CHAT_1))).code == (409, "frozen")
    assert (await ask(function_url(body | {"override": "freeze"}, CHAT_1))).status == 200
    assert [one["inputs"]["override"] for one in github.dispatched] == ["freeze"]


async def test_an_unlock_passes(ask: Ask, table: LambdaRole) -> None:
    await ask(frozen())

    body = by_person(operation="unlock", target="01234567-89ab-cdef-0123-456789abcdef")
    assert (await ask(function_url(body, CHAT_1))).status == 200


async def test_a_person_overrides_it_and_answer_and_log_say_so(
    ask: Ask, table: LambdaRole, github: SmallGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lambda_fn")
    await ask(frozen(by=KIM))
    caplog.clear()

    answer = await ask(function_url(by_person(override="freeze"), CHAT_1))

    note = answer.body["note"]
    assert note.startswith("This overrides the freeze by kim in Telegram until 2")
    assert note.endswith(" UTC: no reason was given.")
    (line,) = trail(caplog)
    assert line["override"] == "freeze"
    assert "This overrides the freeze by kim" in line["answer"]
    assert github.dispatched[0]["inputs"]["override"] == "freeze"


async def test_an_override_of_nothing_says_nothing(ask: Ask, table: LambdaRole) -> None:
    answer = await ask(function_url(by_person(override="freeze"), CHAT_1))

    assert "note" not in answer.body


@pytest.mark.parametrize(
    ("seconds", "after", "holds"),
    [(60, 58, True), (60, 61, False), (None, 4 * HOUR - 2, True), (None, 4 * HOUR + 1, False)],
)
async def test_it_ends_at_its_time_though_its_row_is_there(
    ask: Ask, table: LambdaRole, now: TurnedNow, seconds: int | None, after: int, holds: bool
) -> None:
    await ask(frozen(seconds=seconds) if seconds else frozen())
    now.ahead += after

    assert bool((await ask(HOLDS)).body["freeze"]) is holds
    answer = await ask(function_url(by_agent(), AGENT_1))
    assert answer.status == (409 if holds else 200)
    assert row(table)


@pytest.mark.parametrize("signer", [CHAT_2, ALICE])
async def test_any_person_lifts_it_and_who_did_is_in_the_log(
    ask: Ask,
    table: LambdaRole,
    environ: dict[str, str],
    now: TurnedNow,
    caplog: pytest.LogCaptureFixture,
    signer: str,
) -> None:
    environ["CONTROL_API_OPERATORS"] = ALICE
    caplog.set_level(logging.INFO, "lambda_fn")
    made = await ask(frozen(reason="a\nmove"))
    ended = await ask(lifted(signer, KIM))
    again = await ask(lifted(signer, KIM))

    assert ended.body["lifted"] == made.body["freeze"]
    assert again.body["lifted"] is None
    assert (await ask(HOLDS)).body["freeze"] is None
    # By a clock that is behind, too.
    assert row(table)["until"] == {"N": "0"}
    assert int(row(table)["expires"]["N"]) > now()
    begun, lift, *_ = trail(caplog)
    who = "operator:alice" if signer == ALICE else KIM
    said = ("action", "requested_by", "seconds", "reason", "status")
    assert tuple(map(begun.get, said)) == ("freeze", SAM, 14400, "a move", 200)
    assert tuple(map(lift.get, said)) == ("unfreeze", who, None, None, 200)
    assert '"by": "discord:80351110224678912 sam"' in lift["answer"]


async def test_who_freezes_again_sets_its_time_anew(ask: Ask, table: LambdaRole) -> None:
    made = [await ask(frozen(CHAT_2, KIM, seconds=seconds)) for seconds in (2 * HOUR, 60)]
    held = (await ask(HOLDS)).body["freeze"]

    assert held["until"] - held["since"] == 60
    assert [one.body["replaced"] for one in made] == [None, made[0].body["freeze"]]


async def test_a_freeze_that_is_over_is_not_called_replaced(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(frozen(CHAT_2, KIM, seconds=60))
    now.ahead += 60

    assert (await ask(frozen())).body["replaced"] is None


REFUSED = [
    (AGENT_1, SAM, (403, "forged_caller")),
    (CHAT_1, "", (400, "bad_request")),
    (CHAT_1, "operator:alice", (403, "forged_caller")),
]


@pytest.mark.parametrize(("signer", "by", "code"), REFUSED)
async def test_only_a_person_freezes_and_lifts(
    ask: Ask, table: LambdaRole, signer: str, by: str, code: tuple[int, str]
) -> None:
    assert (await ask(frozen(signer, by))).code == code
    assert (await ask(lifted(signer, by))).code == code
    assert table.admin.scan(TableName=TABLE)["Items"] == []


async def test_a_person_without_a_signer_is_named(ask: Ask, environ: dict[str, str]) -> None:
    environ["ALLOW_UNPROVEN_CALLER"] = "1"

    assert (await ask(frozen(None, ""))).code == (400, "bad_request")


async def test_a_table_that_is_away_is_said_to_be(
    ask: Ask, table: LambdaRole, environ: dict[str, str]
) -> None:
    environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:9"

    answers: list[ApiAnswer] = [await ask(one) for one in (HOLDS, frozen(), lifted())]
    assert [one.code for one in answers] == [(502, "table_unreachable")] * 3


async def test_without_a_table_nothing_is_frozen_and_nothing_can_be(ask: Ask) -> None:
    assert (await ask(HOLDS)).body["freeze"] is None
    for one in (frozen(), lifted()):
        answer = await ask(one)
        assert answer.code == (500, "misconfigured")
        assert "CONTROL_TABLE" in answer.body["error"]


async def test_of_three_who_freeze_at_the_same_moment_each_is_answered_and_one_holds(
    ask: Ask, table: LambdaRole
) -> None:
    answers = await asyncio.gather(*(ask(frozen(seconds=60 * n)) for n in (1, 2, 3)))
    held = (await ask(HOLDS)).body["freeze"]

    assert [one.status for one in answers] == [200, 200, 200]
    assert held in [one.body["freeze"] for one in answers]
