"""One deploy of a bot instance under way, and one a minute, by a table that moto keeps."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import (
    AGENT_1,
    AGENTS,
    BEGAN,
    CHAT_1,
    by_agent,
    by_person,
    fleet_key,
    function_url,
)
from tests.lambda_fn.role import TABLE, LambdaRole
from tests.lambda_fn.small_github import HTML, SmallGitHub, run_of

# Seconds: between two deploys of a bot, until a run is listed, of one call.
REST, LISTED, CALL_SECONDS = 60.0, 120.0, 8.5
ENDED = {"status": "completed", "conclusion": "success"}


def asked(number: int, **fields: object) -> dict[str, object]:
    said = by_agent(request_id=f"agent.clawdinator-1.cli.{number}", **fields)
    return function_url(said, AGENT_1)


def looks(github: SmallGitHub) -> int:
    return len(github.asked) - len(github.dispatched)


async def test_two_hundred_asks_at_once_are_one_run_though_github_lists_none(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.lists = False

    answers = await asyncio.gather(*(ask(asked(number)) for number in range(200)))

    codes = [one.body.get("code") for one in answers]
    assert (codes.count(None), codes.count("busy")) == (1, 199)
    assert len(github.dispatched) == 1
    assert looks(github) == 5  # one look at the queue


async def test_whichever_key_speaks_for_a_bot_instance_it_has_one_lease(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    heard = by_person(caller="clawdinator-1", requested_by="")

    answers = [
        await ask(function_url(heard, CHAT_1)),
        await ask(asked(1)),
        await ask(
            function_url(
                by_agent(request_id="agent.clawdinator-3.cli.1"),
                fleet_key("agent", "clawdinator-3"),
            )
        ),
    ]

    assert [one.body.get("code") for one in answers] == [None, "busy", None]


async def test_the_same_request_id_is_answered_with_its_run(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    github.lists = False
    first = await ask(asked(1))
    asked_until_then = len(github.asked)
    again = await ask(asked(1))
    now.ahead = 3600
    late = await ask(asked(1))

    assert first.body["run"] == again.body["run"] == late.body["run"]
    assert first.body["run"] == {"id": 1000, "url": f"{HTML}/1000"}
    assert again.body["message"] == "deploy queued for clawdinator-2"
    assert len(github.asked) == asked_until_then


async def lost(ask: Ask, github: SmallGitHub, number: int = 1) -> None:
    """GitHub takes a dispatch, perhaps, and answers nothing of use."""
    github.refusals.extend([*_queue_of(0), web.Response(status=502)])
    assert (await ask(asked(number))).code == (502, "github_unreachable")


def _queue_of(waiting: int) -> list[web.Response]:
    counts = [waiting, 0, 0, 0, 0]
    return [web.json_response({"total_count": one, "workflow_runs": []}) for one in counts]


async def test_an_ask_whose_answer_was_lost_passes_once_more_and_not_while_it_may_be_at_work(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await lost(ask, github)

    now.ahead = CALL_SECONDS - 2
    early = await ask(asked(1))
    now.ahead = CALL_SECONDS
    github.refusals.extend([*_queue_of(0), web.Response(status=502)])
    second = await ask(asked(1))
    now.ahead = LISTED - 5
    third = await ask(asked(1))

    assert early.code == (409, "busy")
    assert second.code == (502, "github_unreachable")
    assert third.code == (409, "busy")


async def test_a_second_try_has_the_minute_and_the_two_minutes_of_its_own(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await lost(ask, github)
    now.ahead = LISTED - 1
    await lost(ask, github)

    now.ahead += REST - 5
    within_the_minute = await ask(asked(2))
    now.ahead = 2 * LISTED - 5
    unknown = await ask(asked(2))
    now.ahead = 2 * LISTED
    late = await ask(asked(2))

    assert "a bot instance may once a minute" in within_the_minute.body["error"]
    assert "is not known yet" in unknown.body["error"]
    assert late.status == 200


@pytest.mark.parametrize("created", [1, LISTED])
async def test_after_a_second_try_the_runs_of_both_are_searched(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow, created: float
) -> None:
    await lost(ask, github)
    now.ahead = LISTED - 1
    await lost(ask, github)
    entry = AGENTS._replace(request_id="agent.clawdinator-1.cli.1")
    moment = f"{datetime.fromtimestamp(BEGAN + created, UTC):%Y-%m-%dT%H:%M:%SZ}"
    github.runs = [run_of(entry, 7, created_at=moment)]

    now.ahead = 2 * LISTED
    answer = await ask(asked(2))

    assert answer.code == (409, "busy")
    assert f"{HTML}/7" in answer.body["error"]


async def test_a_second_try_that_github_refused_tells_nothing_of_the_first(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await lost(ask, github)
    now.ahead = CALL_SECONDS
    github.refusals.extend(_queue_of(25))
    full = await ask(asked(1))
    now.ahead = CALL_SECONDS + REST
    answer = await ask(asked(2))

    assert full.code == (409, "queue_full")
    assert answer.code == (409, "busy")
    assert "is not known yet" in answer.body["error"]


async def test_two_tries_that_github_refused_cost_a_minute_from_the_second(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    github.refusals.extend(_queue_of(25))
    await ask(asked(1))
    now.ahead = CALL_SECONDS
    github.refusals.extend(_queue_of(25))
    await ask(asked(1))

    now.ahead = CALL_SECONDS + REST - 5
    early = await ask(asked(2))
    now.ahead = CALL_SECONDS + REST
    late = await ask(asked(2))

    assert early.code == (409, "busy")
    assert late.status == 200


async def test_the_same_request_id_long_after_a_refusal_is_an_ask_like_any_other(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    """And of many at once, with some of other ids, one is let in."""
    github.refusals.extend(_queue_of(25))
    await ask(asked(1))
    github.lists = False
    now.ahead = 600

    answers = await asyncio.gather(*(ask(asked(number)) for number in (1, 1, 1, 2, 3, 4)))
    begun = len(github.dispatched)
    github.runs[0] |= ENDED
    now.ahead = 600 + REST - 5
    early = await ask(asked(5))

    codes = [one.body.get("code") for one in answers if one.status != 200]
    assert (begun, set(codes)) == (1, {"busy"})
    assert early.code == (409, "busy")


async def test_an_ask_that_was_lost_and_asked_again_long_after_is_looked_for_first(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await lost(ask, github)
    entry = AGENTS._replace(request_id="agent.clawdinator-1.cli.1")
    github.runs = [run_of(entry, 7, status="in_progress")]
    now.ahead = LISTED

    answer = await ask(asked(1))

    assert answer.code == (409, "busy")
    assert f"{HTML}/7" in answer.body["error"]


async def test_a_flood_of_one_request_id_is_one_run(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.lists = False

    await asyncio.gather(*(ask(asked(1)) for _ in range(50)))

    assert len(github.dispatched) == 1


async def test_it_is_one_a_minute_even_where_the_run_has_ended(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(asked(1))
    github.runs[0] |= ENDED
    seen = len(github.asked)

    now.ahead = REST - 5
    early = await ask(asked(2))
    now.ahead = REST
    late = await ask(asked(3))

    assert early.code == (409, "busy")
    assert "a bot instance may once a minute" in early.body["error"]
    assert 3 <= early.body["retry_after"] <= 6
    assert late.body["run"]["id"] == 1001
    assert github.paths()[seen] == "GET /actions/runs/1000"


async def test_it_lasts_until_its_run_ends_whatever_is_listed(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    github.lists = False
    await ask(asked(1))
    github.runs[0] |= {"status": "in_progress"}

    now.ahead = 20 * 3600
    answer = await ask(asked(2))

    assert answer.code == (409, "busy")
    assert f"{HTML}/1000" in answer.body["error"]
    assert len(github.dispatched) == 1


async def test_a_run_that_github_has_forgotten_is_over_once_it_would_be_listed(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(asked(1))
    github.runs.clear()

    now.ahead = LISTED - 5
    early = await ask(asked(2))
    now.ahead = LISTED
    late = await ask(asked(3))

    assert (early.code, late.status) == ((409, "busy"), 200)


@pytest.mark.parametrize(
    ("found", "code"),
    [(None, None), ({}, "busy"), ({"status": "in_progress"}, "busy"), (ENDED, None)],
)
async def test_one_without_a_run_is_settled_by_its_request_id_after_two_minutes(
    ask: Ask,
    github: SmallGitHub,
    table: LambdaRole,
    now: TurnedNow,
    found: dict[str, str] | None,
    code: str | None,
) -> None:
    await lost(ask, github)
    if found is not None:
        entry = AGENTS._replace(request_id="agent.clawdinator-1.cli.1")
        others = [
            run_of(AGENTS._replace(request_id="a.b.c.d"), 999 - n, **ENDED) for n in range(250)
        ]
        github.runs = [*others, run_of(entry, 7, **found)]

    now.ahead = LISTED - 5
    early = await ask(asked(2))
    now.ahead = LISTED
    late = await ask(asked(2))

    assert early.code == (409, "busy")
    assert "is not known yet" in early.body["error"]
    assert early.body["retry_after"] <= 5
    assert late.body.get("code") == code


async def test_of_many_who_would_replace_an_old_lease_one_does(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(asked(1))
    github.runs[0] |= ENDED
    now.ahead = 90

    answers = await asyncio.gather(*(ask(asked(number)) for number in range(2, 22)))

    codes = [one.body.get("code") for one in answers]
    assert (codes.count(None), codes.count("busy")) == (1, 19)
    assert len(github.dispatched) == 2


@pytest.mark.parametrize("status", [401, 404, 422, 429])
async def test_a_dispatch_that_github_refused_costs_a_minute_and_no_more(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow, status: int
) -> None:
    github.refusals.extend([*_queue_of(0), web.json_response({"message": "no"}, status=status)])
    await ask(asked(1))
    seen = len(github.asked)

    now.ahead = REST - 5
    early = await ask(asked(2))
    looked = len(github.asked) - seen
    now.ahead = REST
    late = await ask(asked(2))

    assert (early.code, looked) == ((409, "busy"), 0)
    assert late.status == 200


async def test_a_bot_is_refused_where_twenty_wait_and_may_ask_again_after_a_minute(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    statuses = ("queued", "pending", "waiting", "requested")
    others = [
        run_of(AGENTS._replace(caller="clawdinator-3"), n, status=statuses[n % 4])
        for n in range(20)
    ]
    github.runs = list(others)
    full = await ask(asked(1))
    now.ahead = REST
    github.runs.pop()
    passes = await ask(asked(2))

    assert full.code == (409, "queue_full")
    assert "20 runs wait already" in full.body["error"]
    assert (passes.status, passes.body["ahead"]) == (200, 19)
    counted = [one.query for one in github.asked if "status" in one.query]
    assert {one["status"] for one in counted} == {*statuses, "in_progress"}
    assert {one["per_page"] for one in counted} == {"1"}


@pytest.mark.parametrize(
    ("waiting", "words"), [(0, ""), (1, "; 1 run is before it"), (99, "; 99 runs are before it")]
)
async def test_a_person_is_told_how_many_are_before_and_never_refused(
    ask: Ask, github: SmallGitHub, waiting: int, words: str
) -> None:
    github.runs = [run_of(AGENTS, n, status="pending") for n in range(waiting)]

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["message"] == f"deploy queued for clawdinator-2{words}"
    assert answer.body.get("ahead", 0) == waiting


async def test_of_a_run_that_can_not_be_named_nobody_is_told_how_many_are_before_it(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(AGENTS, 7, status="pending")]
    github.refusals.extend([web.Response(status=204), web.Response(status=500)])

    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["run"]["id"] is None
    assert answer.body["message"] == "deploy queued for clawdinator-2"


async def test_a_run_that_can_not_be_named_is_found_by_its_request_id_later(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.refusals.extend([*_queue_of(0), web.Response(status=204), web.Response(status=500)])

    answer = await ask(asked(1))

    assert (answer.status, answer.body["run"]["id"]) == (200, None)


async def test_without_a_table_an_ask_that_names_none_is_no_run_of_a_button_s(
    ask: Ask, github: SmallGitHub, environ: dict[str, str]
) -> None:
    github.runs = [run_of(AGENTS, 7, status="pending", display_title="fleet-deploy")]

    environ["ALLOW_UNPROVEN_CALLER"] = "1"
    said = {"action": "deploy", "target": "clawdinator-2", "caller": "clawdinator-1"}

    answer = await ask(function_url(said))

    assert answer.status == 200
    assert len(github.dispatched) == 1


async def test_without_a_table_too_a_full_queue_refuses_a_bot(
    ask: Ask, github: SmallGitHub
) -> None:
    others = [run_of(AGENTS._replace(caller="clawdinator-3"), n) for n in range(20)]
    github.runs = list(others)

    assert (await ask(asked(1))).code == (409, "queue_full")


async def test_without_a_table_a_bots_own_run_is_found_behind_hundreds_of_others(
    ask: Ask, github: SmallGitHub
) -> None:
    others = AGENTS._replace(caller="", requested_by="discord:1 sam")
    github.runs = [run_of(others, 1000 - n, **ENDED) for n in range(400)]
    github.runs.append(run_of(AGENTS, 7, status="pending"))

    answer = await ask(asked(1))

    assert answer.code == (409, "busy")
    assert f"{HTML}/7" in answer.body["error"]


AWAY = [
    {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"},
    {"AWS_SECRET_ACCESS_KEY": "wrong"},
    {"CONTROL_TABLE": "another"},
]


async def test_a_lease_is_forgotten_once_github_would_have_ended_its_run(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(asked(1))
    item = table.admin.get_item(TableName=TABLE, Key={"pk": {"S": "lease#clawdinator-1"}})["Item"]

    assert 35 < (float(item["expires"]["N"]) - now()) / 86400 <= 40


@pytest.mark.parametrize("wrong", AWAY)
async def test_with_the_table_away_people_deploy_and_are_told_and_bots_do_not(
    ask: Ask, github: SmallGitHub, table: LambdaRole, environ: dict[str, str], wrong: dict[str, str]
) -> None:
    environ |= wrong

    bots = await ask(asked(1))
    persons = await ask(function_url(by_person(), CHAT_1))

    assert bots.code == (502, "table_unreachable")
    assert "The control table" in bots.body["error"]
    assert persons.body["run"]["id"] == 1000
    assert persons.body["note"].startswith(
        "I could not see whether the fleet is frozen. Bot instances can't deploy just now. "
        "The control table"
    )
    assert len(github.dispatched) == 1


@pytest.mark.parametrize(("seconds", "note"), [(1.5, ""), (5.0, "timed out")])
async def test_a_table_that_is_silent_for_three_seconds_costs_a_person_no_deploy(
    ask: Ask, environ: dict[str, str], table: LambdaRole, now: TurnedNow, seconds: float, note: str
) -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        now.ahead += seconds
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(slowly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{port}"
        answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.status == 200
    assert note in answer.body.get("note", "")
    assert bool(note) == ("note" in answer.body)


@pytest.mark.parametrize(("seconds", "ahead"), [(1.5, 1), (5.0, 0)])
async def test_a_person_waits_for_a_look_at_the_queue_three_seconds_and_no_longer(
    ask: Ask, github: SmallGitHub, now: TurnedNow, seconds: float, ahead: int
) -> None:
    def hears(path: str) -> None:
        if path.endswith("/runs"):
            now.ahead += seconds
            github.hears = str

    github.runs, github.hears = [run_of(AGENTS, 1, status="pending")], hears
    answer = await ask(function_url(by_person(), CHAT_1))

    assert answer.body["run"]["id"] == 1001
    assert answer.body.get("ahead", 0) == ahead


async def test_a_table_that_is_there_is_not_mentioned(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    assert "note" not in (await ask(function_url(by_person(), CHAT_1))).body


async def test_what_takes_a_callers_word_has_leases_too(
    ask: Ask, github: SmallGitHub, table: LambdaRole, environ: dict[str, str], now: TurnedNow
) -> None:
    environ["ALLOW_UNPROVEN_CALLER"] = "1"
    said = function_url({"action": "deploy", "target": "clawdinator-2", "caller": "clawdinator-1"})

    answers = [await ask(said), await ask(said)]
    now.ahead = REST
    github.runs[0] |= ENDED
    answers.append(await ask(said))

    assert [one.body.get("code") for one in answers] == [None, "busy", None]


async def test_what_surely_never_was_dispatched_costs_a_minute_and_no_more(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    """Though what kept it from that is what would leave a dispatch in doubt."""
    github.refusals += [web.json_response({"message": "?"}, status=502) for _ in range(9)]
    failed = await ask(asked(1))
    github.refusals.clear()
    now.ahead += 61

    again = await ask(asked(2))

    assert failed.code == (502, "github_unreachable")
    assert again.status == 200
    assert len(github.dispatched) == 1


async def test_a_run_of_somebody_else_at_that_time_is_not_taken_for_the_one_that_was_lost(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await lost(ask, github)
    others = AGENTS._replace(request_id="discord.clawdinator-3.c.a")
    github.runs = [run_of(others, 9, status="in_progress")]
    now.ahead = LISTED

    assert (await ask(asked(2))).status == 200


async def test_whether_a_run_has_ended_is_not_guessed_where_github_does_not_say(
    ask: Ask, github: SmallGitHub, table: LambdaRole, now: TurnedNow
) -> None:
    await ask(asked(1))
    now.ahead = 2 * LISTED
    github.refusals.append(web.json_response({"message": "?"}, status=502))

    answer = await ask(asked(2))

    assert answer.code == (502, "github_unreachable")
    assert len(github.dispatched) == 1
