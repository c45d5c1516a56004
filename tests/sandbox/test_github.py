"""The stand-in answers as GitHub's REST API does, and to whoever may ask."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fleet_control import ledger
from fleet_control.run_row import read_run
from lambda_fn.github import GitHubClient
from lambda_fn.github_cache import GitHubCache
from lambda_fn.http_client import Budget
from lambda_fn.revisions import revisions
from lambda_fn.settings import read_settings
from sandbox.github_graphql import answered
from sandbox.repository import PAST
from tests.clock import TurnedClock
from tests.sandbox.script_pipe import ScriptPipe
from tests.sandbox.workflows import (
    DISPATCH,
    ONE_JOB,
    REPO,
    RUNS,
    TOKEN,
    ApiClient,
    github_of,
    steps,
)

ASKED: dict[str, Any] = {"ref": "main", "inputs": {"target": "x"}}


async def test_a_dispatch_says_which_run_it_began(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        _, answer = await github.call("POST", DISPATCH, ASKED)
        run = await github.ended(answer["workflow_run_id"])

    assert answer == {
        "workflow_run_id": run["id"],
        "run_url": run["url"],
        "html_url": run["html_url"],
    }


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"ref": "main", "inputs": {"target": "a", "x": "y"}},
            422,
            'Unexpected inputs provided: ["x"]',
        ),
        ({"ref": "main", "inputs": {}}, 422, "Required input 'target' not provided"),
        ({"ref": "main"}, 422, "Required input 'target' not provided"),
        ({"ref": "main", "inputs": {"target": ""}}, 422, "Required input 'target' not provided"),
        ({"ref": "other", "inputs": {"target": "a"}}, 422, "No ref found for: other"),
        ({"inputs": {"target": "a"}}, 422, 'Invalid request.\n\n"ref" wasn\'t supplied.'),
        (
            {**ASKED, "return_run_details": True},
            422,
            'Invalid request.\n\n"return_run_details" is not a permitted key.',
        ),
        ({"ref": "main", "inputs": [1]}, 422, None),
        ([], 400, "Body should be a JSON object"),
    ],
)
async def test_a_wrong_dispatch_is_refused_in_githubs_words(
    body: object, status: int, message: str | None, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        answer = await github.call("POST", DISPATCH, body)

        assert answer[0] == status
        assert message in (None, answer[1]["message"])
        assert github.github.runner.runs == []


async def test_inputs_travel_as_texts(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        inputs = {"target": True}
        _, one = await github.call("POST", DISPATCH, {"ref": "refs/heads/main", "inputs": inputs})
        run = await github.ended(one["workflow_run_id"])

    assert run["display_title"] == "true for -"


async def test_a_file_that_is_not_understood_starts_nothing(tmp_path: Path) -> None:
    async with github_of(ONE_JOB.replace("runs-on", "runs-off"), tmp_path) as github:
        status, answer = await github.call("POST", DISPATCH, ASKED)
        runs = len(github.github.runner.runs)
        (tmp_path / "small.yml").write_text(ONE_JOB)

        assert (await github.outcome())[0] == "success"
    assert (status, runs) == (422, 0)
    assert answer["message"].startswith("Invalid Argument - failed to parse workflow: small.yml: ")
    assert "I don't know `runs-off`" in answer["message"]


async def test_a_run_has_githubs_form(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch(target="claw-1", who="sam")
        run = await github.ended(run_id)
        url = f"{github.github.url}/repos/{REPO}/actions/runs/{run_id}"
        async with github.session.get(run["html_url"]) as page:
            shown = await page.text()
        pages = github.github.runner.context.page_url

    assert pages not in ("", github.github.url)
    assert {
        "id": run_id,
        "name": "small",
        "display_title": "claw-1 for sam",
        "run_number": 1,
        "run_attempt": 1,
        "event": "workflow_dispatch",
        "path": ".github/workflows/small.yml",
        "head_branch": "main",
        "status": "completed",
        "conclusion": "success",
        "url": url,
        "html_url": f"{pages}/{REPO}/actions/runs/{run_id}",
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "cancel_url": f"{url}/cancel",
        "pull_requests": [],
    }.items() <= run.items()
    assert run["head_commit"]["id"] == run["head_sha"]
    assert run["node_id"].startswith("WFR_")
    assert run["repository"]["full_name"] == REPO
    assert len(run["head_sha"]) == 40
    assert run["actor"] == run["triggering_actor"]
    assert read_run(run).finished
    assert "claw-1 for sam\ncompleted success" in shown


async def test_a_job_tells_its_runner_once_it_has_one(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        (job,) = (await github.jobs(run_id)).values()
        record = github.github.runner.runs[0].jobs[0]
        record.started = None
        (waiting,) = (await github.jobs(run_id)).values()

    assert job["labels"] == ["ubuntu-24.04"]
    assert (job["runner_id"], job["runner_name"]) == (1, "GitHub Actions 1")
    assert {waiting[f"runner_{key}"] for key in ("id", "name", "group_id", "group_name")} == {None}


async def test_a_run_shows_null_what_it_is_told_to(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        github.github.runner.runs[0].nulls = frozenset({"status", "head_commit"})
        _, run = await github.call("GET", f"/actions/runs/{run_id}")

    assert [key for key, value in run.items() if value is None] == [
        "status",
        "previous_attempt_url",
        "head_commit",
    ]


async def test_runs_are_listed_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        runs = [await github.dispatch() for _ in range(3)]
        path = f"{RUNS}?event=workflow_dispatch&branch=main"
        _, first = await github.call("GET", f"{path}&per_page=2")
        _, second = await github.call("GET", f"{path}&per_page=2&page=2")

    assert runs == sorted(runs)
    assert [run["id"] for run in first["workflow_runs"]] == [runs[2], runs[1]]
    assert [run["id"] for run in second["workflow_runs"]] == [runs[0]]
    assert first["total_count"] == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("event=workflow_dispatch", 2),
        ("event=push", 0),
        ("branch=other", 0),
        ("created=%3E%3D2026-09-21T13:33:20Z", 2),
        ("created=%3E%3D2026-09-21T13:33:21Z", 0),
        ("created=2026-09-21T13:33:20Z..2026-09-21T13:33:20Z", 2),
        ("created=2026-09-21T13:33:00Z..2026-09-21T13:33:19Z", 0),
        ("created=2026-09-21T13:33:21Z..2026-09-21T13:34:00Z", 0),
        ("status=pending&per_page=1", 1),
        ("status=waiting", 0),
        ("status=completed", 0),
    ],
)
async def test_runs_are_filtered(query: str, found: int, tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path, clock=TurnedClock(1_789_997_600.0)) as github:
        await github.dispatch()
        await github.dispatch()
        _, answer = await github.call("GET", f"{RUNS}?{query}")

    assert answer["total_count"] == found


def left(github: ApiClient) -> int:
    return int(github.answered["X-RateLimit-Remaining"])


async def test_what_has_not_changed_is_not_told_again_nor_counted(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path, clock=TurnedClock()) as github:
        _, first = await github.call("GET", RUNS)
        mark, counted = github.answered["ETag"], left(github)
        same, nothing = await github.call("GET", RUNS, headers={"If-None-Match": mark})
        still = left(github)
        await github.dispatch()
        changed, second = await github.call("GET", RUNS, headers={"If-None-Match": mark})

    assert (same, nothing, changed) == (304, "", 200)
    assert (first["total_count"], second["total_count"]) == (0, 1)
    assert (counted, still, left(github)) == (4999, 4999, 4997)
    assert github.github.counted == 3


async def test_whose_calls_of_the_hour_are_spent_waits_for_the_next(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.quota.limit = 2
        for _ in range(2):
            await github.call("GET", RUNS)
        status, answer = await github.call("GET", RUNS)
        reset = float(github.answered["X-RateLimit-Reset"])
        stranger, _ = await github.call("GET", RUNS, headers={"Authorization": "Bearer x"})
        await clock.turn(3600)
        again, _ = await github.call("GET", RUNS)

    assert (status, answer["message"], left(github)) == (403, "API rate limit exceeded", 1)
    assert reset == clock.now()
    assert (stranger, again) == (401, 200)


async def test_a_new_run_is_listed_late_where_it_should_be_and_known_by_its_id_at_once(
    tmp_path: Path,
) -> None:
    clock = TurnedClock()
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.runner.context.listed_after = 8.0
        run_id = await github.dispatch()
        await clock.turn(7)
        _, early = await github.call("GET", RUNS)
        await clock.turn(1)
        _, late = await github.call("GET", RUNS)
        run = await github.run(run_id)

    assert (early["total_count"], late["total_count"], run["id"]) == (0, 1, run_id)


@pytest.mark.parametrize("query", ["status=queued,pending", "created=2026-09-21"])
async def test_a_filter_that_is_not_known_is_refused(query: str, tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        status, answer = await github.call("GET", f"{RUNS}?{query}")

    assert (status, answer["message"]) == (422, f"I don't know the filter {query}")


async def test_a_log_lies_on_another_server_that_wants_no_token(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        (job,) = (await github.jobs(run_id)).values()
        status, _ = await github.call("GET", f"/actions/jobs/{job['id']}/logs")
        address = github.answered["Location"]
        async with github.session.get(address) as plain:
            lines = (await plain.text()).splitlines()
        async with github.session.get(address, headers={"Authorization": "Bearer x"}) as refused:
            told_off = refused.status
        async with github.session.get(address.partition("?")[0]) as unsigned:
            without = unsigned.status

    assert status == 302
    assert not address.startswith(github.github.url)
    assert lines[-1].partition(" ")[2] == "target is all"
    assert (told_off, without) == (400, 403)


async def test_there_is_no_log_before_a_job_has_ended(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    async with github_of(steps(f"run: echo up > {witness.pipe}; sleep 1000"), tmp_path) as github:
        run_id = await github.dispatch()
        await witness.hears()
        (job,) = (await github.jobs(run_id)).values()
        status, _ = await github.call("GET", f"/actions/jobs/{job['id']}/logs")

    assert (status, job["status"]) == (404, "in_progress")


async def test_the_registry_is_served_as_it_is_now(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        commit = (await github.ended(run_id))["head_sha"]
        (tmp_path / "instances.json").write_text('{"a": 1}')
        _, shown = await github.call("GET", "/contents/nix/instances.json?ref=main")
        _, then = await github.call("GET", f"/contents/nix/instances.json?ref={commit}")
        _, other = await github.call("GET", "/contents/there")
        (tmp_path / "instances.json").unlink()
        gone, _ = await github.call("GET", "/contents/nix/instances.json")
        run_after, _ = await github.call("POST", DISPATCH, ASKED)

    assert base64.b64decode(shown["content"]) == b'{"a": 1}'
    assert shown["sha"] == "4a036f56bb619924ec4189bd84ed716c766971ae"
    assert base64.b64decode(then["content"]) == b"{}"
    assert base64.b64decode(other["content"]) == b"a file of the repository"
    assert (gone, run_after) == (404, 200)


async def test_of_a_large_file_the_content_is_left_out(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        (tmp_path / "instances.json").write_bytes(b" " * (1024 * 1024 + 1))
        _, shown = await github.call("GET", "/contents/nix/instances.json")

    assert (shown["content"], shown["encoding"], shown["size"]) == ("", "none", 1024 * 1024 + 1)


async def test_nobody_waits_for_a_run_that_is_not_there(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        with pytest.raises(LookupError, match="no run 7"):
            await github.github.finished(7)


@pytest.mark.parametrize(
    ("authorization", "status", "message"),
    [
        ("Bearer x", 401, "Bad credentials"),
        ("", 401, "Requires authentication"),
        (f"token {TOKEN}", 404, "Not Found"),
    ],
)
async def test_a_token_is_looked_at_first(
    authorization: str, status: int, message: str, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        headers = {"Authorization": authorization}
        answer = await github.call("GET", "/actions/runs/1", headers=headers)

    assert (answer[0], answer[1]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/actions/runs/1"),
        ("GET", "/actions/runs/x"),
        ("GET", "/actions/jobs/1"),
        ("GET", "/actions/jobs/1/logs"),
        ("POST", "/actions/runs/1/cancel"),
        ("POST", "/actions/runs/1/rerun"),
        ("POST", "/actions/jobs/1/rerun"),
        ("GET", "/actions/workflows/other.yml/runs"),
        ("POST", "/actions/workflows/other.yml/dispatches"),
        ("GET", DISPATCH),
        ("GET", "/contents/none"),
        ("GET", "/contents/../../etc/passwd"),
    ],
)
async def test_what_is_not_there_is_not_found(method: str, path: str, tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        status, body = await github.call(method, path)

    assert (status, body["message"]) == (404, "Not Found")


async def test_another_version_of_the_api_is_refused(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        headers = {"X-GitHub-Api-Version": "2022-11-28"}
        status, answer = await github.call("GET", RUNS, headers=headers)

    assert status == 400
    assert answer["message"] == "2022-11-28 is not a supported API version; 2026-03-10 is"


ASKING = """
import json, os, urllib.error, urllib.request
def ask(method, path):
    request = urllib.request.Request(
        os.environ["GITHUB_API_URL"] + "/repos/" + os.environ["GITHUB_REPOSITORY"] + path,
        method=method, headers={"X-GitHub-Api-Version": "2026-03-10",
                                "Authorization": "Bearer " + os.environ["TOKEN"]})
    try:
        with urllib.request.urlopen(request) as answer:
            print(answer.status)
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["message"])
run = "/actions/runs/" + os.environ["GITHUB_RUN_ID"]
ask("GET", run)
ask("GET", "/contents/nix/instances.json")
ask("POST", run + "/cancel")
"""


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        (
            "{actions: read}",
            [
                "200",
                "403 Resource not accessible by integration",
                "403 Resource not accessible by integration",
            ],
        ),
        (
            "{contents: read}",
            [
                "403 Resource not accessible by integration",
                "200",
                "403 Resource not accessible by integration",
            ],
        ),
    ],
)
async def test_a_jobs_token_may_what_its_permissions_say_while_it_runs(
    permissions: str, said: list[str], tmp_path: Path
) -> None:
    script = "\n".join(f"  {line}" for line in ASKING.strip().splitlines())
    step = (
        f"run: |\n  python3 - <<'END'\n{script}\n  END\nenv: {{TOKEN: '${{{{ github.token }}}}'}}"
    )
    async with github_of(steps(step, permissions=permissions), tmp_path) as github:
        assert await github.outcome() == ("success", said)
        assert github.github.runner.context.tokens == {}


async def test_graphql_shows_commits_as_the_control_api_asks_for_them(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        repository = github.github.runner.context.repository
        head = repository.merge("A change of hosts")
        said = await asyncio.to_thread(asked_of, github.github.url)
        counted = github.github.counted
        other = {"query": "{ viewer { login } }", "variables": {}}
        refused = json.loads(answered(REPO, repository, other).text or "")

    assert [one.subject for one in said] == ["A change of hosts", *(one for one, _ in PAST[::-1])]
    assert said[0].commit == head
    assert counted == 0
    assert refused["errors"] == [{"message": "I don't know this question"}]


def asked_of(url: str) -> list[ledger.Revision]:
    settings = read_settings(
        {
            "CONTROL_API_TOKEN": "t",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": url,
            "GITHUB_REPO": REPO.removeprefix("/repos/"),
        }
    )
    asking = GitHubClient(settings, lambda _: TOKEN, str, Budget(), GitHubCache(), 0.0)
    return revisions(asking)


async def test_the_workflow_is_shown_and_begins_nothing_while_it_is_disabled(
    tmp_path: Path,
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        workflow = DISPATCH.removesuffix("/dispatches")
        status, shown = await github.call("GET", workflow)
        assert (status, shown["state"]) == (200, "active")

        github.github.runner.context.state = "disabled_manually"

        assert (await github.call("GET", workflow))[1]["state"] == "disabled_manually"
        status, answer = await github.call("POST", DISPATCH, ASKED)
        words = "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
        assert (status, answer["message"]) == (422, words)
        assert github.github.runner.runs == []


async def test_a_folder_is_a_list_of_what_lies_in_it(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        status, listed = await github.call("GET", "/contents/nix?ref=main")
        names = [one["name"] for one in listed]
        assert (status, "instances.json" in names) == (200, True)
        assert (await github.call("GET", "/contents/nix/none"))[0] == 404
