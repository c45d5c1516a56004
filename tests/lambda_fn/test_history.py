"""The history: which runs are of it, with which jobs, within which measure."""

from typing import Any

import pytest
from aiohttp import web

from clawbot.run_progress import progress
from fleet_control.caller import ALL
from fleet_control.deploy_jobs import MOVING_STEP, UNTOUCHED_STEP, began, reached, was_stopped
from fleet_control.host_change import HostChange, changes
from fleet_control.ledger import Entry, Job, Operation, Run, Step
from fleet_control.run_row import read_job, read_run
from lambda_fn.github_cache import GitHubCache
from tests.lambda_fn.conftest import ApiAnswer, Ask, TurnedNow
from tests.lambda_fn.events import AGENT_1, CHAT_1, fleet_key, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

OLD, NEW = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
ENDED: dict[str, Any] = {"status": "completed", "conclusion": "success"}


def host(job_id: int, id_: str, ran: str = "1234567", **fields: Any) -> dict[str, Any]:
    names = (
        *("Set up job", f"It ran {ran}", "Check out what was planned"),
        *(MOVING_STEP, "Stopped by discord:1 sam", UNTOUCHED_STEP),
    )
    steps = [{"name": name, "number": n, **ENDED} for n, name in enumerate(names)]
    return job(job_id, f"{id_}: {OLD} -> {NEW} @7654321", **{**ENDED, "steps": steps, **fields})


def history(target: str = "", page: int = 1, signer: str = CHAT_1) -> dict[str, Any]:
    return function_url({"action": "history", "target": target, "page": page}, signer)


def ledger(github: SmallGitHub, *entries: Entry, **fields: Any) -> None:
    """Runs of these asks that are over, the first of them the newest."""
    github.runs = [
        run_of(entry, 1000 - number, **{**ENDED, **fields}) for number, entry in enumerate(entries)
    ]


def ids(answer: ApiAnswer) -> list[int]:
    assert answer.status == 200, answer.body
    return [run["id"] for run in answer.body["runs"]]


def looked(github: SmallGitHub) -> int:
    return sum(path.endswith("/jobs") for path in github.paths())


def told(run: dict[str, Any]) -> Run:
    jobs = [
        Job(**{**one, "steps": tuple(Step(**step) for step in one["steps"])}) for one in run["jobs"]
    ]
    return Run(**{**run, "jobs": tuple(jobs)})


@pytest.mark.parametrize("signer", [CHAT_1, AGENT_1])
async def test_a_run_is_told_with_what_it_changed_of_each_host(
    ask: Ask, github: SmallGitHub, signer: str
) -> None:
    ledger(github, Entry(target="all", operation="rollback", override="freeze"))
    waits = host(4, "c", status="queued", conclusion=None, steps=[])
    github.jobs[1000] = [
        job(1, "plan", **ENDED),
        host(2, "a"),
        host(3, "b", "nothing known"),
        waits,
    ]

    (run,) = (await ask(history(signer=signer))).body["runs"]

    assert (run["operation"], run["override"], run["target"]) == ("rollback", "freeze", "all")
    assert list(changes(told(run))) == [
        HostChange("a", OLD, "1234567", NEW, "7654321", True, True, True),
        HostChange("b", OLD, "", NEW, "7654321", True, True, True),
        HostChange("c", OLD, "", NEW, "7654321", False, False),
    ]


async def test_eight_are_a_page_and_only_their_jobs_are_asked_for(
    ask: Ask, github: SmallGitHub
) -> None:
    ledger(github, *(Entry(target="a") for _ in range(120)))

    first = await ask(history())
    asked = looked(github)
    last = await ask(history(page=13))
    beyond = await ask(history(page=100))

    assert ids(first) == list(range(1000, 992, -1))
    assert (asked, looked(github)) == (8, 12)
    assert ids(last) == ids(beyond) == [904, 903, 902, 901]
    assert [(one.body["page"], one.body["pages"]) for one in (first, last, beyond)] == [
        (1, 13),
        (13, 13),
        (13, 13),
    ]


async def test_no_run_at_all_is_one_empty_page(ask: Ask, github: SmallGitHub) -> None:
    answer = await ask(history("a"))

    assert {**answer.body, "ok": True} == {
        "ok": True,
        "runs": [],
        "page": 1,
        "pages": 1,
        "unlooked": 0,
        "unseen": [],
        "why": "",
    }


async def test_what_has_ended_is_looked_at_once_and_another_attempt_anew(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    ledger(github, Entry(target="a"), Entry(target="b"))
    github.runs[0] |= {"status": "in_progress", "conclusion": None}
    github.jobs = {1000: [host(1, "a")], 999: [host(2, "b")]}
    first = await ask(history())
    now.ahead = 10
    again = await ask(history())
    asked = looked(github)
    github.runs[1]["run_attempt"] = 2
    now.ahead = 20
    await ask(history())

    assert first.body == again.body
    assert (asked, looked(github)) == (3, 5)


async def test_jobs_that_are_not_over_yet_are_not_kept_though_the_run_is(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    ledger(github, Entry(target="a"))
    github.jobs[1000] = [host(1, "a", status="in_progress", conclusion=None)]
    await ask(history())
    github.jobs[1000] = [host(1, "a")]
    now.ahead = 10

    (run,) = (await ask(history())).body["runs"]

    assert [one.done for one in changes(told(run))] == [True]


A, B, D = Entry(target="a"), Entry(target="b"), Entry(target="d")
EVERY = Entry(target=ALL)
BACK = Entry(target=ALL, operation=Operation.ROLLBACK)
RESUMED = Entry(target="7", operation=Operation.RESUME)
UNLOCKED = Entry(target="deadbeef", operation=Operation.UNLOCK)
BUTTON = {"display_title": "fleet-deploy"}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("", [1000, 999, 998, 997, 996, 995, 994, 993]),
        ("a", [1000, 998, 997, 996, 994, 993]),
        ("b", [999, 998, 997, 996]),
        (ALL, [998, 997, 996, 993]),
        ("deadbeef", [998, 997, 996]),
        ("7", [998, 997, 996]),
        ("c", [998, 997, 996]),
    ],
)
async def test_of_a_target_are_its_own_those_of_all_those_taken_up_and_what_brought_it_along(
    ask: Ask, github: SmallGitHub, target: str, found: list[int]
) -> None:
    ledger(github, A, B, EVERY, BACK, RESUMED, UNLOCKED, D, B)
    github.runs[7] |= BUTTON
    github.jobs = {
        994: [host(1, "d"), host(2, "a")],
        993: [host(3, "a"), job(4, "finish", **ENDED)],
    }

    answer = await ask(history(target))

    assert ids(answer) == found
    assert (answer.body["unlooked"], answer.body["unseen"]) == (0, [])


async def test_of_more_others_than_twelve_it_is_said_that_they_were_not_looked_at(
    ask: Ask, github: SmallGitHub
) -> None:
    ledger(github, *(B for _ in range(30)))
    github.jobs[989] = [host(1, "b"), host(2, "a")]
    github.jobs[988] = [host(3, "b"), host(4, "a")]
    seen = []
    for _ in range(4):
        answer = await ask(history("a"))
        seen.append((ids(answer), answer.body["unlooked"], looked(github)))

    both = [989, 988]
    assert seen == [([989], 18, 12), (both, 6, 24), (both, 0, 30), (both, 0, 30)]


async def test_where_github_asks_to_wait_the_rest_is_told_and_why(
    ask: Ask, github: SmallGitHub
) -> None:
    ledger(github, A, A, B)
    github.jobs[1000] = [host(1, "a")]
    await ask(history(page=2))  # the list is there; of the page all three were asked for
    ended = GitHubCache()
    await ask(function_url({"action": "runs", "limit": 100}, CHAT_1), another_process=ended)
    busy = web.json_response({"message": "slow"}, status=429, headers={"retry-after": "7"})
    github.refusals.append(busy)

    answer = await ask(history("a"), another_process=ended)

    assert ids(answer) == [1000, 999]
    assert answer.body["unlooked"] == 1
    assert answer.body["why"] == "GitHub asks us to wait 7 s: slow"


async def test_jobs_of_no_form_are_unseen_and_the_others_are_told(
    ask: Ask, github: SmallGitHub
) -> None:
    ledger(github, A, A)
    github.jobs = {1000: [{"name": "no id"}], 999: [host(1, "a")]}

    answer = await ask(history())

    assert answer.body["unseen"] == [1000]
    assert [len(run["jobs"]) for run in answer.body["runs"]] == [0, 1]


async def test_time_that_is_over_leaves_the_list(ask: Ask, github: SmallGitHub) -> None:
    ledger(github, A, A)

    def hang(path: str) -> None:
        github.hangs = path.endswith("/jobs")

    github.hears = hang

    answer = await ask(history(), budget=0.8)

    assert ids(answer) == [1000, 999]
    assert answer.body["unseen"] == [1000, 999]
    assert "GitHub can't be reached" in answer.body["why"]


async def test_looking_at_others_takes_three_seconds_and_all_of_it_six_and_a_half(
    ask: Ask, github: SmallGitHub, now: TurnedNow
) -> None:
    ledger(github, *[A] * 8, *[B] * 12)

    def takes_a_second(path: str) -> None:
        now.ahead += path.endswith("/jobs")

    github.hears = takes_a_second

    answer = await ask(history("a"))

    assert answer.body["unlooked"] == 12 - 2  # the third second was one too many
    assert answer.body["unseen"] == [997, 996, 995, 994, 993]
    assert 6.5 <= now.ahead < 8.5


async def test_an_agent_gives_way_as_githubs_quota_shrinks(ask: Ask, github: SmallGitHub) -> None:
    ledger(github, A)
    github.remaining = 900
    await ask(function_url({"action": "registry"}, CHAT_1))

    assert (await ask(history(signer=AGENT_1))).code == (429, "github_busy")
    assert ids(await ask(history(signer=fleet_key("chat", "clawdinator-1")))) == [1000]


@pytest.mark.parametrize(("conclusion", "told"), [("success", 8), ("cancelled", 4)])
async def test_a_page_of_whole_fleets_fits_in_what_a_client_reads(
    ask: Ask, github: SmallGitHub, conclusion: str, told: int
) -> None:
    """A matrix holds 256; the longest name of a job has 89 characters."""
    ledger(github, *(EVERY for _ in range(8)))
    for run in range(993, 1001):
        github.jobs[run] = [host(n, f"{n:032}", conclusion=conclusion) for n in range(250)]

    answer = await ask(history())

    assert len(github.jobs[1000][0]["name"]) == 89
    assert [len(run["jobs"]) for run in answer.body["runs"]] == [250] * told + [0] * (8 - told)
    assert len(answer.body["unseen"]) == 8 - told
    assert len(str(answer.body)) < 1024 * 1024


@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled", "skipped"])
@pytest.mark.parametrize("failed", [9, 3, 4])
@pytest.mark.parametrize("ran", [0, 1, 2, 4, 6])
async def test_what_is_left_of_a_job_tells_the_same(
    ask: Ask, github: SmallGitHub, ran: int, conclusion: str, failed: int
) -> None:
    ledger(github, A)
    whole = host(1, "a", conclusion=conclusion)
    for step in whole["steps"][ran:]:
        step["conclusion"] = "skipped"
    for step in whole["steps"][failed : failed + 1]:
        step["conclusion"] = "failure"
    github.jobs[1000] = [whole]

    (run,) = (await ask(history())).body["runs"]

    found, asked = told(run), read_run(github.runs[0])._replace(jobs=(read_job(whole).job,))
    assert list(changes(found)) == list(changes(asked))
    for tells in (began, was_stopped, reached):
        assert tells(found.jobs[0]) == tells(asked.jobs[0])
    assert progress(found) == progress(asked)


@pytest.mark.parametrize(
    "wrong", [{"target": "../x"}, {"page": 0}, {"page": 101}, {"page": "1"}, {"limit": 3}]
)
async def test_what_is_asked_has_its_form(ask: Ask, wrong: dict[str, Any]) -> None:
    answer = await ask(function_url({"action": "history", **wrong}, CHAT_1))

    assert answer.code == (400, "bad_request")


def test_jobs_that_are_kept_are_bounded_and_the_oldest_makes_room() -> None:
    cache = GitHubCache()
    runs = [read_run(run_of(A, number)) for number in range(205)]
    for run in runs:
        cache.keep_jobs(run, ())

    assert [run.id for run in runs if cache.jobs(run) is None] == [0, 1, 2, 3, 4]
