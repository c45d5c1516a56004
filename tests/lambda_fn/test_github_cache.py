"""What is read costs GitHub's quota once, and people's deploys never lack it."""

import sys
from typing import Any

import pytest
from aiohttp import web

from fleet_control.github import Response
from fleet_control.run_row import read_run
from lambda_fn.failure import Failure
from lambda_fn.github_cache import GitHubCache
from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import (
    AGENT_1,
    CHAT_1,
    PERSONS,
    by_agent,
    by_person,
    fleet_key,
    function_url,
)
from tests.lambda_fn.role import TABLE, LambdaRole
from tests.lambda_fn.small_github import SmallGitHub, job, moment, run_of

REGISTRY = function_url({"action": "registry"}, CHAT_1)
RUN = function_url({"action": "run", "run_id": 7}, CHAT_1)
HISTORY = function_url({"action": "history"}, CHAT_1)
WAITERS = function_url({"action": "runs", "limit": 100, "unfinished": True}, CHAT_1)


def newest(limit: int) -> dict[str, Any]:
    return function_url({"action": "runs", "limit": limit}, CHAT_1)


async def test_the_registry_is_asked_for_every_five_seconds_and_counted_when_it_changed(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    seen = []
    for ahead, text in ((0, b"{}"), (4, b"{}"), (6, b"{}"), (9, b"[]"), (12, b"[]")):
        now.ahead, github.registry = ahead, text
        told = (await ask(REGISTRY)).body["registry"]
        seen.append((told, len(github.rest), github.counted))

    assert seen == [("{}", 1, 1), ("{}", 1, 1), ("{}", 2, 1), ("{}", 2, 1), ("[]", 3, 2)]


async def test_where_runs_take_seconds_a_run_is_asked_for_as_often_as_that_wants(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    """In the sandbox; its question costs nothing where nothing has changed."""
    github.runs = [run_of(PERSONS, 7)]
    cache, asked = GitHubCache(longest=1.0), []
    for ahead in (0.0, 0.5, 1.5, 4.0):
        now.ahead = ahead
        await ask(RUN, another_process=cache)
        asked.append(sum(one.path.endswith("/runs/7") for one in github.rest))

    assert asked == [1, 1, 2, 3]
    assert github.counted == 2


async def test_all_who_wait_share_one_listing(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, n) for n in range(100, 60, -1)]
    for event in (newest(1), newest(10), newest(30), WAITERS, WAITERS, WAITERS):
        await ask(event)
    within = len(github.asked)
    now.ahead = 6
    await ask(newest(3))
    await ask(WAITERS)

    assert (within, len(github.asked), github.counted) == (2, 4, 2)
    assert [run["id"] for run in (await ask(newest(3))).body["runs"]] == [100, 99, 98]


async def test_an_asks_own_run_is_looked_for_in_the_list_as_it_is_now(
    ask: Ask, github: SmallGitHub
) -> None:
    mine = function_url({"action": "runs", "request_id": PERSONS.request_id}, CHAT_1)
    await ask(WAITERS)
    github.runs = [run_of(PERSONS, 7)]

    assert [run["id"] for run in (await ask(mine)).body["runs"]] == [7]


async def test_a_run_that_we_began_is_on_the_list_that_is_asked_for_after_it(
    ask: Ask, github: SmallGitHub
) -> None:
    await ask(WAITERS)
    assert (await ask(function_url(by_person(), CHAT_1))).status == 200
    github.runs = [run_of(PERSONS, 7)]

    assert [run["id"] for run in (await ask(WAITERS)).body["runs"]] == [7]


async def test_a_run_that_was_seen_to_end_is_not_listed_as_unfinished_after_that(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    await ask(WAITERS)
    github.runs[0] |= {"status": "completed", "conclusion": "success"}
    now.ahead = 0.5
    seen = (await ask(RUN)).body["run"], *(await ask(WAITERS)).body["runs"]
    now.ahead = 6
    await ask(WAITERS)
    asked = len(github.asked)
    now.ahead = 10
    await ask(WAITERS)

    assert [run["status"] for run in seen] == ["completed", "completed"]
    assert len(github.asked) == asked


async def test_a_run_that_ends_later_by_github_s_clock_is_no_reason_to_list_again_and_again(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    ended = {"status": "completed", "conclusion": "success", "updated_at": moment(now() + 3600)}
    github.runs = [run_of(PERSONS, 7) | ended]
    await ask(RUN)
    now.ahead = 1
    await ask(WAITERS)
    asked = len(github.asked)
    now.ahead = 2
    await ask(WAITERS)

    assert len(github.asked) == asked


async def test_a_run_that_goes_on_is_looked_at_every_five_seconds(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    for ahead in (0, 1, 4, 6, 7):
        now.ahead = ahead
        await ask(RUN)

    assert (len(github.asked), github.counted) == (4, 2)
    github.runs[0] |= {"status": "completed", "conclusion": "success"}
    now.ahead = 12
    assert (await ask(RUN)).body["run"]["status"] == "completed"


async def test_a_run_that_has_ended_is_never_asked_about_again(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="success")]
    first = await ask(RUN)
    github.runs.clear()
    now.ahead = 86400

    assert await ask(RUN) == first


@pytest.mark.parametrize("conclusion", ["success", "failure"])
async def test_a_run_that_has_ended_has_the_jobs_of_its_end(
    ask: Ask, github: SmallGitHub, now: TurnedNow, conclusion: str
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(1, "plan", "in_progress")]
    github.logs[1] = "##[error]there it is\n"
    await ask(RUN)
    now.ahead = 5.5
    await ask(HISTORY)  # which reads its jobs
    ended = {"status": "completed", "conclusion": conclusion}
    github.runs[0] |= ended
    now.ahead = 6
    lagging = await ask(RUN)
    github.jobs[7][0] |= ended
    now.ahead = 6.5
    whole = await ask(RUN)
    github.jobs.clear()

    assert [one.body["run"]["jobs"][0]["status"] for one in (lagging, whole)] == [
        "in_progress",
        "completed",
    ]
    assert await ask(RUN) == whole


async def test_a_failure_is_kept_once_its_reason_had_time_to_be_there(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    github.jobs[7] = [job(1, "plan", "completed", conclusion="failure")]
    github.logs[1] = ""
    early = await ask(RUN)
    github.logs[1] = "##[error]there it is\n"
    now.ahead = 10
    later = await ask(RUN)
    github.logs[1] = "##[error]another\n"
    now.ahead = 20

    assert (early.body["run"]["reason"], later.body["run"]["reason"]) == ("", "there it is")
    assert await ask(RUN) == later


async def test_a_failure_without_a_reason_is_kept_after_five_minutes(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    now.ahead = 290
    await ask(RUN)
    now.ahead = 310
    before = len(github.asked)
    await ask(RUN)
    asked = len(github.asked)
    now.ahead = 3600
    await ask(RUN)

    assert len(github.asked) == asked > before


async def test_a_lease_and_a_cancel_look_at_what_is(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="pending")]
    await ask(RUN)
    github.runs[0] |= {"status": "in_progress"}
    cancel = {"action": "cancel", "run_id": 7, "requested_by": "discord:1 sam"}

    assert (await ask(function_url(cancel, CHAT_1))).code == (409, "already_running")


async def test_a_cancel_looks_at_the_jobs_as_they_are(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7)]
    github.jobs[7] = [job(1, "plan")]
    await ask(RUN)
    github.jobs[7][0]["status"] = "in_progress"

    assert (await ask(CANCEL)).code == (409, "already_running")


AGENTS_READ = function_url({"action": "runs"}, AGENT_1)
PEOPLES_READ = function_url({"action": "registry"}, CHAT_1)
CANCEL = function_url({"action": "cancel", "run_id": 7, "requested_by": "discord:1 sam"}, CHAT_1)


@pytest.mark.parametrize(
    ("left", "refused"),
    [
        (1000, []),
        (999, [AGENTS_READ]),
        (250, [AGENTS_READ]),
        (249, [AGENTS_READ, PEOPLES_READ, CANCEL]),
        (0, [AGENTS_READ, PEOPLES_READ, CANCEL]),
    ],
)
async def test_as_githubs_quota_shrinks_agents_give_way_and_then_all_but_a_deploy(
    ask: Ask, github: SmallGitHub, now: TurnedNow, left: int, refused: list[dict[str, Any]]
) -> None:
    github.remaining = left
    github.runs = [run_of(PERSONS, 7)]
    await ask(function_url(by_person(), CHAT_1))

    answers = {id(event): await ask(event) for event in (AGENTS_READ, PEOPLES_READ, CANCEL)}
    by_bot = await ask(function_url(by_agent(), AGENT_1))

    for event in (AGENTS_READ, PEOPLES_READ, CANCEL):
        answer = answers[id(event)]
        if event in refused:
            assert answer.code == (429, "github_busy")
            assert 1700 < answer.body["retry_after"] <= 1801
            assert f"{left} of GitHub's 5000 calls" in answer.body["error"]
        else:
            assert answer.status == 200
    assert by_bot.body.get("code") != "github_busy"
    now.ahead = 1802
    assert (await ask(AGENTS_READ)).status == 200


async def test_an_agents_reads_are_counted_over_all_processes_and_the_others_are_not(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    now.ahead = 60 - now() % 60 + 1  # a minute's begin
    for _ in range(10):
        assert (await ask(AGENTS_READ)).status == 200
        assert (await ask(AGENTS_READ, another_process=GitHubCache())).status == 200

    over = await ask(AGENTS_READ, another_process=GitHubCache())
    third = await ask(function_url({"action": "runs"}, fleet_key("agent", "clawdinator-3")))
    chats = await ask(newest(10))
    deploys = await ask(function_url(by_agent(), AGENT_1))
    now.ahead += 60

    assert over.code == (429, "github_busy")
    assert 1 <= over.body["retry_after"] <= 60
    assert (third.status, chats.status, deploys.status) == (200, 200, 200)
    assert (await ask(AGENTS_READ)).status == 200


async def test_with_the_table_away_reads_go_on(
    ask: Ask, table: LambdaRole, environ: dict[str, str]
) -> None:
    environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:1"

    assert {(await ask(AGENTS_READ)).status for _ in range(22)} == {200}


def test_an_answer_that_tells_no_quota_leaves_it_as_it_was_told() -> None:
    cache = GitHubCache()
    left = {"limit": "5000", "remaining": "7", "reset": "1900000000"}
    told = {f"x-ratelimit-{name}": value for name, value in left.items()}
    cache.note_limits(Response(200, told, b""))
    cache.note_limits(Response(200, {}, b""))

    with pytest.raises(Failure, match="7 of GitHub's 5000 calls"):
        cache.check_quota(0.1, 1_800_000_000)


def test_what_is_kept_is_bounded_and_the_oldest_makes_room() -> None:
    cache = GitHubCache()
    for number in range(40):
        cache.keep(str(number), Response(200, {}, b"x" * (32 * 1024 * 1024 // 10)), 0)
    for number in range(205):
        cache.keep_ended(read_run(run_of(PERSONS, number)))

    assert [number for number in range(40) if cache.answer(str(number))] == list(range(30, 40))
    assert [cache.ended(0), cache.ended(4)] == [None, None]
    assert cache.ended(5) is not None
    assert cache.ended(204) is not None


async def test_ten_watchers_of_one_deploy_cost_five_hundred_calls_an_hour_at_most(
    ask: Ask, github: SmallGitHub, now: TurnedNow, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten minutes in the queue, then a roll in which something changes every twenty seconds; each
    watcher asks as often as it may."""
    start, calls = now(), 0
    github.runs = [run_of(PERSONS, 7, status="pending")]
    hosts = [job(n, f"claw-{n}: ami-1 -> ami-2", "queued") for n in range(12)]
    for second in range(3600):
        now.ahead += start + second - now()
        if second == 600:
            github.runs[0] |= {"status": "in_progress"}
            github.jobs[7] = hosts
        if second > 600 and second % 20 == 0:
            step = {"name": f"step {second}", "status": "completed", "conclusion": "success"}
            hosts[second // 300]["steps"] = [*hosts[second // 300]["steps"], step]
            github.runs[0]["updated_at"] = moment(now())
        watcher = second % 10
        event = function_url({"action": "run", "run_id": 7}, fleet_key("chat", f"claw-{watcher}"))
        await ask(event)
        calls += 1
        if second < 600 and second % 30 < 10:
            await ask(WAITERS)
            calls += 1
    with capsys.disabled():
        told = f"{len(github.asked)} calls of GitHub's, {github.counted} counted"
        sys.stdout.write(f"\nten watchers, one hour: {calls} asks, {told}\n")

    assert calls > 3600
    assert github.counted <= 500


async def test_the_count_of_a_minute_is_forgotten_soon_after_it(
    ask: Ask, table: LambdaRole, now: TurnedNow
) -> None:
    now.ahead = 60 - now() % 60 + 1
    await ask(AGENTS_READ)

    key = {"pk": {"S": f"reads#clawdinator-1#{now() // 60:.0f}"}}
    item = table.admin.get_item(TableName=TABLE, Key=key)["Item"]
    assert 60 < float(item["expires"]["N"]) - now() < 120


async def test_the_ledger_is_looked_through_for_three_days_from_a_full_hour_on(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    now.ahead = 10 * 3600 - now() % (10 * 3600) + 5.5 * 3600
    await ask(WAITERS)

    assert github.asked[0].query["created"] == f">={moment(now() - 72.5 * 3600)}"


async def test_what_has_waited_for_longer_is_listed_too_and_looked_for_once_a_minute(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    """It waits for a reviewer, as may those behind it."""
    github.runs = [run_of(PERSONS, 7)]
    now.ahead += 4 * 24 * 3600
    github.runs.insert(0, run_of(PERSONS, 8, created_at=moment(now())))
    listed = []
    for _ in range(10):
        now.ahead += 6
        listed.append([run["id"] for run in (await ask(WAITERS)).body["runs"]])

    assert listed == [[8, 7]] * 10
    assert sum("created" not in one.query for one in github.asked) == 1


async def test_where_thirty_are_of_the_last_days_none_has_waited_for_longer(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 40 - number) for number in range(30)]
    await ask(WAITERS)

    assert len(github.asked) == 1


async def test_when_the_token_ends_is_said_with_the_registry(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    ends = []
    for said in ("2027-10-12 09:00:00 UTC", "2027-10-12 09:00:00 +0200", "soon", ""):
        github.ends = said
        now.ahead += 6
        github.registry += b" "
        ends.append((await ask(REGISTRY)).body["token_ends"])

    assert ends == [1823331600.0, 1823324400.0, None, None]


async def test_what_github_says_no_more_of_the_token_where_nothing_changed_stays_known(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.ends = "2027-10-12 09:00:00 UTC"
    first = await ask(REGISTRY)
    within = await ask(REGISTRY)
    github.ends = ""
    now.ahead += 6
    unchanged = await ask(REGISTRY)
    github.refusals.append(web.Response(status=502))
    now.ahead += 6
    await ask(REGISTRY)
    renewed = "2028-01-01 00:00:00 UTC"
    github.ends = renewed
    later = await ask(REGISTRY)

    assert github.counted == 1
    answers = (first, within, unchanged)
    assert [one.body["token_ends"] for one in answers] == [1823331600.0] * 3
    assert later.body["token_ends"] == 1830297600.0
