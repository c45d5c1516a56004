"""What the Control API says of revisions: the branch's newest, and what a run's hosts become."""

import json
from typing import Any

import pytest
from aiohttp import web

from fleet_control.seed import PATHS
from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import CHAT_1, PERSONS, by_person, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

REGISTRY = function_url({"action": "registry"}, CHAT_1)
RUN = function_url({"action": "run", "run_id": 7, "revisions": True}, CHAT_1)
SHAPELESS = '{"data": {"repository": {"object": {"history": {"nodes": [{"oid": 7}]}}}}}'
WHEN = "2026-11-24T10:00:00Z"
# As GitHub tells modes: numbers.
FILE, PROGRAM = 0o100644, 0o100755


def commit(number: int, *parents: int, **tree: str) -> dict[str, Any]:
    """Named by its number; `tree` are git's names for what is at its root."""
    return {
        "oid": name(number),
        "messageHeadline": f"Change {number}",
        "committedDate": WHEN,
        "parents": {"nodes": [{"oid": name(parent)} for parent in parents[:1]]},
        "tree": {
            "entries": [{"name": path, "mode": FILE, "oid": oid} for path, oid in tree.items()]
        },
    }


def name(number: int) -> str:
    return f"{number:07x}" + "0" * 33


def revision(number: int) -> dict[str, str]:
    return {"commit": name(number), "subject": f"Change {number}", "committed": WHEN}


async def revisions(ask: Ask) -> object:
    return (await ask(REGISTRY)).body["revisions"]


async def test_a_revision_changes_what_a_seed_holds(ask: Ask, github: SmallGitHub) -> None:
    github.commits = [
        commit(5, 4, nix="b", docs="y"),  # documentation alone
        commit(4, 3, nix="b", docs="x"),  # a branch with commit 9 was merged
        commit(9, 2, nix="c", docs="x"),
        commit(3, 2, docs="x"),  # what was there is gone
        commit(2, 1, nix="a", docs="x"),
        commit(1, nix="a"),
    ]

    assert await revisions(ask) == [revision(4), revision(3), revision(1)]


async def test_each_path_of_a_seed_makes_a_revision(ask: Ask, github: SmallGitHub) -> None:
    for path in PATHS:
        github.commits = [commit(2, 1, **{path: "b"}), commit(1, **{path: "a"})]
        assert "/" not in path

    assert await revisions(ask) == [revision(2), revision(1)]


async def test_a_mode_that_changes_makes_a_revision(ask: Ask, github: SmallGitHub) -> None:
    github.commits = [commit(2, 1, LICENSE="a"), commit(1, LICENSE="a")]
    github.commits[0]["tree"]["entries"][0]["mode"] = PROGRAM

    assert await revisions(ask) == [revision(2), revision(1)]


async def test_where_the_list_ends_nothing_is_said_of_the_commit_before(
    ask: Ask, github: SmallGitHub
) -> None:
    last = 51
    github.commits = [commit(n, n - 1, nix=str(n)) for n in range(last, 0, -1)]

    assert await revisions(ask) == [revision(n) for n in range(last, 2, -1)]


async def test_the_branch_is_looked_at_once_a_minute_and_counts_for_no_deploy(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    seen = []
    github.commits = [commit(1)]
    for ahead in (0, 50, 61):
        now.ahead = ahead
        await ask(REGISTRY)
        seen.append(len(github.asked) - len(github.rest))

    assert (seen, github.counted) == ([1, 1, 2], 1)


async def test_a_registry_is_told_without_revisions_where_there_are_none_to_be_had(
    ask: Ask, github: SmallGitHub
) -> None:
    for answer in ('{"data": null, "errors": [{"message": "no"}]}', "[]", "<html>", SHAPELESS):
        await ask(REGISTRY)  # its file is kept; what was said of the branch is not
        github.refusals.append(web.Response(text=answer))
        kept = await ask(REGISTRY)
        assert not github.refusals
        assert (kept.status, kept.body["registry"], kept.body["revisions"]) == (200, "{}", [])


async def test_a_run_tells_what_its_hosts_become(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(1, "plan", "completed"), job(2, "a-1: none -> ami-0 @0000003", "queued")]
    github.commits = [commit(3, 2)]

    told = (await ask(RUN)).body["run"]["made_of"]
    now.ahead = 86400
    again = (await ask(RUN)).body["run"]["made_of"]

    assert told == again == revision(3)
    (asked,) = (one.body["variables"] for one in github.asked if one not in github.rest)
    assert (asked["at"], asked["count"]) == ("0000003", 1)


async def test_of_a_commit_that_github_does_not_show_a_run_tells_the_digits(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(2, "a-1: none -> ami-0 @0000003", "queued")]

    told = (await ask(RUN)).body["run"]["made_of"]

    assert told == {"commit": "0000003", "subject": "", "committed": ""}


async def test_a_branch_that_is_called_like_a_commit_is_not_taken_for_it(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(2, "a-1: none -> ami-0 @0000003", "queued")]
    found = json.dumps({"data": {"repository": {"object": {"history": {"nodes": [commit(4)]}}}}})
    await ask(RUN)  # what is not to be had is not kept; the run and its jobs are
    github.refusals.append(web.Response(text=found))

    assert (await ask(RUN)).body["run"]["made_of"]["subject"] == ""
    assert not github.refusals


async def test_of_hosts_that_become_different_revisions_a_run_tells_none_for_all(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    names = ("a-1: none -> ami-0 @0000003", "a-2: none -> ami-0 @0000004")
    github.jobs[7] = [job(2, names[0], "queued"), job(3, names[1], "queued")]
    github.commits = [commit(3, 2)]

    assert (await ask(RUN)).body["run"]["made_of"] is None
    assert github.asked == github.rest


async def test_a_run_that_is_planned_becomes_nothing_yet(ask: Ask, github: SmallGitHub) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(1, "plan", "in_progress")]

    assert (await ask(RUN)).body["run"]["made_of"] is None
    assert github.asked == github.rest


async def test_a_bot_of_before_is_told_no_field_that_it_could_not_read(
    ask: Ask, github: SmallGitHub
) -> None:
    asked = PERSONS._replace(ami_override="", revision="0123456")
    github.runs = [run_of(asked, 7)]
    lists = [{"action": "runs"}, {"action": "runs", "revisions": True}]

    before, now = [(await ask(function_url(one, CHAT_1))).body["runs"][0] for one in lists]

    assert before.keys() | {"revision", "made_of"} == now.keys()
    assert before.keys() < now.keys()
    assert now["revision"] == "0123456"


async def test_a_deploy_asks_nothing_of_it(ask: Ask, github: SmallGitHub) -> None:
    await ask(function_url(by_person(), CHAT_1))

    assert github.asked == github.rest


@pytest.mark.parametrize(("seconds", "told"), [(1.0, [revision(1)]), (3.0, [])])
async def test_an_answer_waits_for_these_words_two_seconds_and_no_longer(
    ask: Ask, github: SmallGitHub, now: TurnedNow, seconds: float, told: list[dict[str, str]]
) -> None:
    def hears(path: str) -> None:
        now.ahead += seconds * (path == "/graphql")

    github.commits, github.hears = [commit(1)], hears

    assert await revisions(ask) == told


async def test_whoever_does_not_ask_what_a_run_makes_costs_no_look_at_it(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [run_of(PERSONS, 7, status="in_progress")]
    github.jobs[7] = [job(2, "a-1: none -> ami-0 @0000003", "queued")]
    github.commits = [commit(3, 2)]

    await ask(function_url({"action": "run", "run_id": 7}, CHAT_1))

    assert github.asked == github.rest
