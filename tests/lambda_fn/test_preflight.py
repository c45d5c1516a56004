"""What the Control API sees of whether a deploy would work, each thing broken by itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from fleet_control.preflight import Outcome, Point
from tests.lambda_fn.conftest import ApiAnswer, Ask, TurnedNow
from tests.lambda_fn.events import AGENT_1, BEGAN, CHAT_1, PERSONS, function_url
from tests.lambda_fn.role import TABLE, LambdaRole
from tests.lambda_fn.small_github import TOKEN, SmallGitHub, run_of
from tests.lambda_fn.test_held_lock import NOW, WHO, lock, note

PREFLIGHT = function_url({"action": "preflight"}, CHAT_1)
REGISTRY = json.dumps({f"clawdinator-{n}": {"host": f"clawdinator-{n}"} for n in (1, 2)}).encode()
SEEN = {
    *(Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
    *(Point.HOST_FILES, Point.TABLE, Point.FREEZE, Point.LOCK),
}


@pytest.fixture
def github(github: SmallGitHub) -> SmallGitHub:
    github.registry, github.remaining = REGISTRY, 4_990
    return github


@dataclass(frozen=True)
class Locked:
    """A state that is locked."""

    environ: dict[str, str]
    now: TurnedNow


@pytest.fixture
def locked(locks: LambdaRole, environ: dict[str, str], now: TurnedNow) -> Locked:
    lock(locks)
    return Locked(environ, now)


def of(answer: ApiAnswer) -> dict[str, dict[str, str]]:
    assert answer.status == 200
    return {one["name"]: one for one in answer.body["checks"]}


def with_outcome(answer: ApiAnswer, outcome: Outcome) -> set[str]:
    return {name for name, one in of(answer).items() if one["outcome"] == outcome}


def said(message: str, status: int, **headers: str) -> web.Response:
    return web.json_response({"message": message}, status=status, headers=headers)


async def test_all_is_well_and_no_run_began(
    ask: Ask, github: SmallGitHub, locks: LambdaRole
) -> None:
    github.ends = (
        f"{datetime.fromtimestamp(BEGAN, UTC) + timedelta(days=100, hours=1):%Y-%m-%d %H:%M:%S} UTC"
    )

    answer = await ask(PREFLIGHT)

    assert with_outcome(answer, Outcome.OK) == SEEN
    assert answer.body["signer"] == "chat:clawdinator-1"
    found = of(answer)
    assert found[Point.QUOTA]["told"] == "4990 of 5000 calls an hour are left."
    assert found[Point.GITHUB_TOKEN]["told"] == f"It ends on {github.ends[:10]}, in 100 days."
    assert found[Point.HOST_FILES]["told"] == "`main` has one for each of 2 instances."
    assert {one["advice"] for one in found.values()} == {""}
    assert (github.runs, github.dispatched) == ([], [])
    (tried,) = (one.body for one in github.asked if one.method == "POST")
    assert tried == {"ref": "main", "inputs": {"preflight": "true"}}


async def test_of_many_host_files_five_are_named(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.registry = json.dumps({f"claw-{n}": {"host": f"claw-{n}"} for n in range(7)}).encode()
    told = of(await ask(PREFLIGHT))[Point.HOST_FILES]["told"]
    assert told.count("`nix/hosts/") == 5
    assert told.endswith("are not on `main` (7 in all).")


def _break_token(github: SmallGitHub) -> None:
    github.token = "another"


def _disable(github: SmallGitHub) -> None:
    github.state = "disabled_manually"


def _lose_a_file(github: SmallGitHub) -> None:
    github.host_files = ("clawdinator-1.nix",)


@pytest.mark.parametrize(
    ("breaks", "point", "told", "advice"),
    [
        (_break_token, Point.GITHUB_TOKEN, "Bad credentials", "clawbot secrets github"),
        (_disable, Point.WORKFLOW, "disabled_manually", "gh workflow enable fleet-deploy.yml"),
        (_lose_a_file, Point.HOST_FILES, "`nix/hosts/clawdinator-2.nix` is not", "instance add"),
    ],
)
async def test_one_thing_is_wrong(
    ask: Ask,
    github: SmallGitHub,
    table: LambdaRole,
    breaks: Callable[[SmallGitHub], None],
    point: Point,
    told: str,
    advice: str,
) -> None:
    breaks(github)
    answer = await ask(PREFLIGHT)
    assert with_outcome(answer, Outcome.WRONG) == {point}
    assert told in of(answer)[point]["told"]
    assert advice in of(answer)[point]["advice"]
    assert github.dispatched == []


# What GitHub answers to the look at the workflow, and to the trial.
NO_RIGHT = "Resource not accessible by personal access token"
NO_TRIGGER = "Workflow does not have 'workflow_dispatch' trigger"
DISABLED = "Cannot trigger a 'workflow_dispatch' on a disabled workflow"


@pytest.mark.parametrize(
    ("path", "status", "message", "wrong"),
    [
        ("", 404, "Not Found", Point.WORKFLOW),
        ("", 301, "Moved Permanently", Point.WORKFLOW),
        ("", 403, NO_RIGHT, Point.GITHUB_TOKEN),
        ("", 502, "Server Error", Point.GITHUB),
        ("", 429, "You have exceeded a secondary rate limit", Point.QUOTA),
        ("", 403, "API rate limit exceeded", Point.QUOTA),
        ("/dispatches", 403, NO_RIGHT, Point.DISPATCH),
        ("/dispatches", 404, "Not Found", Point.DISPATCH),
        ("/dispatches", 422, "No ref found for: main", Point.DISPATCH),
        ("/dispatches", 422, NO_TRIGGER, Point.DISPATCH),
        ("/dispatches", 422, DISABLED, None),
        ("/dispatches", 500, "Server Error", None),
        ("/dispatches", 200, "", Point.DISPATCH),
        ("/contents/nix/instances.json", 404, "Not Found", Point.REGISTRY),
        ("/contents/nix/instances.json", 403, NO_RIGHT, Point.GITHUB_TOKEN),
        ("/contents/nix/hosts", 404, "Not Found", Point.HOST_FILES),
    ],
)
async def test_what_github_refuses_is_told_of_one_point_and_what_it_hides_is_unseen(
    ask: Ask,
    github: SmallGitHub,
    table: LambdaRole,
    path: str,
    status: int,
    message: str,
    wrong: Point | None,
) -> None:
    own = path if path.startswith("/contents") else f"/workflows/fleet-deploy.yml{path}"
    github.refuses[own] = (status, message)

    answer = await ask(PREFLIGHT)

    assert with_outcome(answer, Outcome.WRONG) == ({wrong} if wrong else set())
    for name in with_outcome(answer, Outcome.UNSEEN):
        assert of(answer)[name]["advice"]
    if not path:
        assert Point.DISPATCH in with_outcome(answer, Outcome.UNSEEN)
    if wrong is None:
        assert Point.DISPATCH in with_outcome(answer, Outcome.UNSEEN)


@pytest.mark.parametrize(
    ("ends", "outcome", "told"),
    [
        (timedelta(days=14, minutes=1), Outcome.OK, "in 14 days."),
        (timedelta(days=14, minutes=-1), Outcome.OK, "renew it with `clawbot secrets github`."),
        (timedelta(minutes=-1), Outcome.WRONG, "It ended on "),
    ],
)
async def test_a_token_that_ends_within_two_weeks_says_so(
    ask: Ask,
    github: SmallGitHub,
    table: LambdaRole,
    ends: timedelta,
    outcome: Outcome,
    told: str,
) -> None:
    end = datetime.fromtimestamp(BEGAN, UTC) + ends
    for form in (f"{end:%Y-%m-%d %H:%M:%S} UTC", f"{end:%Y-%m-%d %H:%M:%S} +0000"):
        github.ends = form
        check = of(await ask(PREFLIGHT))[Point.GITHUB_TOKEN]
        assert check["outcome"] == outcome
        assert told in check["told"]
    assert ("renew" in check["told"]) is (ends < timedelta(days=14) and outcome is Outcome.OK)


async def test_a_token_without_an_end_is_no_fault(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    check = of(await ask(PREFLIGHT))[Point.GITHUB_TOKEN]
    assert check["told"] == "GitHub takes it, and names no day on which it ends."


async def test_a_github_that_hangs_is_wrong_alone_within_the_asks_time(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.hangs = True
    answer = await ask(PREFLIGHT, budget=0.8)
    assert with_outcome(answer, Outcome.WRONG) == {Point.GITHUB}
    assert of(answer)[Point.TABLE]["outcome"] == Outcome.OK


async def test_what_has_no_form_of_githubs_is_unseen(
    ask: Ask, github: SmallGitHub, table: LambdaRole, caplog: pytest.LogCaptureFixture
) -> None:
    github.host_files = ({"no": "name"},)  # type: ignore[assignment]  # of another form
    github.registry = b'["a list"]'
    answer = await ask(PREFLIGHT)
    assert with_outcome(answer, Outcome.WRONG) == set()
    assert of(answer)[Point.HOST_FILES]["outcome"] == Outcome.UNSEEN
    assert TOKEN not in caplog.text


async def test_a_table_that_is_away_or_not_named_is_wrong(
    ask: Ask, github: SmallGitHub, table: LambdaRole, environ: dict[str, str]
) -> None:
    table.admin.delete_table(TableName=TABLE)
    answer = await ask(PREFLIGHT)
    assert with_outcome(answer, Outcome.WRONG) == {Point.TABLE}
    assert "says no: ResourceNotFoundException" in of(answer)[Point.TABLE]["told"]

    del environ["CONTROL_TABLE"]
    answer = await ask(PREFLIGHT)
    assert with_outcome(answer, Outcome.WRONG) == {Point.TABLE}
    assert "CONTROL_TABLE is not set" in of(answer)[Point.TABLE]["told"]


@pytest.mark.parametrize(
    ("status", "ahead", "outcome", "told"),
    [
        ("in_progress", 0, Outcome.OK, "It is held by run 17, which is at work."),
        ("completed", 3600 + 500, Outcome.WRONG, "It was left by run 17, and the next run breaks"),
        ("completed", 3600 + 700, Outcome.OK, "It was left by run 17; the next run breaks it."),
        ("deleted", 3600 + 700, Outcome.OK, "It was left by run 17; the next run breaks it."),
        ("", 0, Outcome.WRONG, f"`{WHO}` holds it, and no run is known to have"),
    ],
)
async def test_a_lock(
    ask: Ask,
    github: SmallGitHub,
    locked: Locked,
    status: str,
    ahead: float,
    outcome: Outcome,
    told: str,
) -> None:
    if status:
        github.runs = [run_of(PERSONS, 17, status=status)] if status != "deleted" else []
        note(locked.environ)
    locked.now.ahead = NOW + ahead - BEGAN

    check = of(await ask(PREFLIGHT))[Point.LOCK]

    assert (check["outcome"], check["told"][: len(told)]) == (outcome, told)
    assert ("`/fleet unlock`" in check["advice"]) is (outcome is Outcome.WRONG)


async def test_a_lock_that_can_not_be_read_is_unseen(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    check = of(await ask(PREFLIGHT))[Point.LOCK]
    assert (check["outcome"], check["told"], check["advice"]) == (
        "unseen",
        "The Control API can't read it in OpenTofu's table.",
        "Apply `tofu/control` again. See `A stuck lock` in docs/runbook.md.",
    )


async def test_a_freeze_is_wrong_until_it_is_lifted(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    by = {"requested_by": "discord:80351110224678912 sam"}
    freeze = {"action": "freeze", "seconds": 600, "reason": "a demo", **by}
    assert (await ask(function_url(freeze, CHAT_1))).status == 200
    answer = await ask(PREFLIGHT)
    assert with_outcome(answer, Outcome.WRONG) == {Point.FREEZE}
    assert of(answer)[Point.FREEZE]["told"].startswith(
        "The fleet is frozen by sam in Discord until"
    )
    assert "/fleet unfreeze" in of(answer)[Point.FREEZE]["advice"]

    await ask(function_url({"action": "unfreeze", **by}, CHAT_1))
    assert with_outcome(await ask(PREFLIGHT), Outcome.WRONG) == set()


async def test_a_quota_that_is_kept_for_others_is_told_and_asks_no_more(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    github.remaining = 100
    await ask(PREFLIGHT)
    asked = len(github.asked)
    answer = await ask(PREFLIGHT)
    assert len(github.asked) == asked
    assert with_outcome(answer, Outcome.WRONG) == {Point.QUOTA}


async def test_an_agent_may_look_four_times_a_minute(
    ask: Ask, github: SmallGitHub, table: LambdaRole
) -> None:
    by_agent = function_url({"action": "preflight"}, AGENT_1)
    answers = [await ask(by_agent) for _ in range(5)]
    assert [one.body.get("code") for one in answers] == [None] * 4 + ["github_busy"]
    assert answers[0].body["signer"] == "agent:clawdinator-1"


async def test_it_takes_no_other_key(ask: Ask) -> None:
    body: dict[str, Any] = {"action": "preflight", "target": "all"}
    answer = await ask(function_url(body, CHAT_1))
    assert answer.code == (400, "bad_request")
