"""The stand-in answers as GitHub's REST API does, and keeps its order of runs."""

import asyncio
import base64
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clawbot.sandbox.github_guard import OLD_API
from fleet_control import ledger
from tests.clock import TurnedClock
from tests.sandbox.workflows import DISPATCH, ONE_JOB, REPO, RUNS, TOKEN, github_of, steps

OLD = {"X-GitHub-Api-Version": OLD_API}
ASKED: dict[str, Any] = {"ref": "main", "inputs": {"target": "x"}}


# Dispatch


async def test_a_dispatch_says_which_run_it_began(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        _, answer = await github.call("POST", DISPATCH, ASKED)
        run = await github.ended(answer["workflow_run_id"])

    assert answer == {
        "workflow_run_id": run["id"],
        "run_url": run["url"],
        "html_url": run["html_url"],
    }


async def test_before_2026_a_dispatch_says_it_only_where_asked(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        silent = await github.call("POST", DISPATCH, ASKED, OLD)
        status, told = await github.call(
            "POST", DISPATCH, {**ASKED, "return_run_details": True}, OLD
        )

    assert silent == (204, "")
    assert (status, sorted(told)) == (200, ["html_url", "run_url", "workflow_run_id"])


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
        assert github.github.runs == []


async def test_inputs_travel_as_texts_and_have_their_defaults(tmp_path: Path) -> None:
    file = ONE_JOB.replace("who: {", "who: {default: sam, ").replace("{required: true, ", "{")
    async with github_of(file, tmp_path) as github:
        inputs = {"target": True}
        _, one = await github.call("POST", DISPATCH, {"ref": "refs/heads/main", "inputs": inputs})
        run = await github.ended(one["workflow_run_id"])

    assert run["display_title"] == "true for sam"


async def test_a_file_that_is_not_valid_fails_at_the_start(tmp_path: Path) -> None:
    async with github_of(ONE_JOB.replace("runs-on", "runs-off"), tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.run(run_id)
        jobs = await github.jobs(run_id)
        again, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun")

        assert "I don't know `jobs.only.runs-off`" in github.record(run_id).problem
    assert (run["status"], run["conclusion"], jobs) == ("completed", "startup_failure", {})
    assert run["display_title"] == ".github/workflows/small.yml"
    assert again == 403


async def test_a_failure_at_the_start_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async with github_of(ONE_JOB.replace("runs-on", "runs-off"), tmp_path) as github:
        await github.dispatch()
        (tmp_path / "small.yml").write_text(ONE_JOB)

        assert (await github.outcome())[0] == "success"


# Who may


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


async def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        headers = {"X-GitHub-Api-Version": "2020-01-01"}
        status, _ = await github.call("GET", RUNS, headers=headers)

    assert status == 400


ASKING = """
import json, os, urllib.error, urllib.request
def ask(method, path):
    request = urllib.request.Request(
        os.environ["GITHUB_API_URL"] + "/repos/" + os.environ["GITHUB_REPOSITORY"] + path,
        method=method, headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
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
            "    permissions: {actions: read}",
            [
                "200",
                "403 Resource not accessible by integration",
                "403 Resource not accessible by integration",
            ],
        ),
        (
            "    permissions: {contents: read}",
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
    async with github_of(steps(step, job=permissions), tmp_path) as github:
        assert await github.outcome() == ("success", said)
        assert github.github.runner.tokens == {}


# Trouble on demand


async def test_an_answer_says_how_much_is_left(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        await github.call("GET", RUNS)

    assert github.answered["X-RateLimit-Remaining"] == "4999"
    assert github.answered["X-GitHub-Api-Version-Selected"] == "2026-03-10"


async def test_a_rate_limit_comes_when_it_is_wished(tmp_path: Path) -> None:
    clock = TurnedClock(1_000_000.0)
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.limit_next(60)
        github.github.limit_next(7, secondary=True)
        first, told = await github.call("GET", RUNS)
        left = github.answered["X-RateLimit-Remaining"], github.answered["X-RateLimit-Reset"]
        second, _ = await github.call("GET", RUNS)
        after = github.answered["Retry-After"]
        third, _ = await github.call("GET", RUNS)

    assert (first, left) == (403, ("0", "1000060"))
    assert told["message"].startswith("API rate limit exceeded")
    assert (second, after, third) == (403, "7", 200)


async def test_a_refusal_comes_when_it_is_wished(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.refuse_next(502, {"X-Odd": "1"}, b"<html>")
        github.github.refuse_next(500)
        first = await github.call("POST", DISPATCH, ASKED)
        odd = github.answered["X-Odd"]
        second, _ = await github.call("GET", RUNS)

        assert github.github.runs == []
    assert (first, odd, second) == ((502, "<html>"), "1", 500)


@pytest.mark.parametrize("after_accepting", [True, False])
async def test_a_dispatch_can_hang_with_or_without_a_run(
    after_accepting: bool, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hang_next(after_accepting=after_accepting)
        hanging = asyncio.create_task(github.call("POST", DISPATCH, ASKED))
        await github.github.hung()
        _, after = await github.call("GET", RUNS)

        assert not hanging.done()
        assert len(after["workflow_runs"]) == int(after_accepting)
        await github.github.stop()
        with suppress(aiohttp.ClientError):
            await hanging


# The list of runs


async def test_a_run_has_githubs_form(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch(target="claw-1", who="sam")
        run = await github.ended(run_id)
        url = f"{github.github.url}/repos/{REPO}/actions/runs/{run_id}"
        async with github.session.get(run["html_url"]) as page:
            shown = await page.text()

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
        "html_url": f"{github.github.url}/{REPO}/actions/runs/{run_id}",
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "cancel_url": f"{url}/cancel",
    }.items() <= run.items()
    assert len(run["head_sha"]) == 40
    assert run["actor"] == run["triggering_actor"]
    assert ledger.read_run(run).finished
    assert "claw-1 for sam\ncompleted success" in shown


async def test_runs_are_listed_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        runs = [await github.dispatch() for _ in range(3)]
        path = f"{RUNS}?event=workflow_dispatch&branch=main"
        _, first = await github.call("GET", f"{path}&per_page=2")
        _, second = await github.call("GET", f"{path}&per_page=2&page=2")
        _, all_of_them = await github.call("GET", "/actions/runs")

    assert runs == sorted(runs)
    assert [run["id"] for run in first["workflow_runs"]] == [runs[2], runs[1]]
    assert [run["id"] for run in second["workflow_runs"]] == [runs[0]]
    assert first["total_count"] == all_of_them["total_count"] == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=queued", 1),
        ("status=pending", 1),
        ("status=success", 0),
        ("event=push", 0),
        ("branch=other", 0),
        ("actor=fleet-control[bot]", 2),
        ("actor=sam", 0),
        ("created=%3E%3D2026-09-21T13:33:20Z", 2),
        ("created=%3E2026-09-21T13:33:20Z", 0),
        ("created=%3E%3D2026-09-21", 2),
        ("created=2026-09-21", 2),
        ("created=2026-09-22", 0),
        ("created=2026-09-01..2026-09-22", 2),
        ("created=%3C2026-09-21", 0),
        ("created=%3E%3D2999-01-01T00:00:00Z", 0),
        ("per_page=x&page=0", 2),
    ],
)
async def test_runs_are_filtered(query: str, found: int, tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path, clock=TurnedClock(1_789_997_600.0)) as github:
        github.github.hold()
        await github.dispatch()
        await github.dispatch()
        _, answer = await github.call("GET", f"{RUNS}?{query}")

    assert answer["total_count"] == found


# One at a time


async def test_one_run_at_a_time_and_the_others_wait_in_order(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.hold()
        runs = [await github.dispatch(who=str(number)) for number in range(3)]
        waiting = [(await github.run(run_id))["status"] for run_id in runs]
        order: list[int] = []
        watching = [asyncio.create_task(_noted(github.github, run, order)) for run in runs]
        github.github.release()
        await asyncio.gather(*watching)
        triggered = [(await github.run(run))["run_started_at"] for run in runs]

    assert waiting == ["queued", "pending", "pending"]
    assert runs == order
    assert len(set(triggered)) == 1, "GitHub's time of start is that of the trigger"


async def _noted(github: Any, run_id: int, order: list[int]) -> None:
    await github.finished(run_id)
    order.append(run_id)


async def test_the_next_begins_only_when_the_one_before_it_has_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    async with github_of(steps(f"run: cat {pipe}"), tmp_path) as github:
        first, second = await github.dispatch(), await github.dispatch()
        await github.github.started(first)
        between = (await github.run(second))["status"]
        await asyncio.to_thread(pipe.write_text, "go on")
        await github.github.started(second)
        before = (await github.run(first))["status"]
        await asyncio.to_thread(pipe.write_text, "go on")
        await github.ended(second)

    assert (between, before) == ("pending", "completed")


async def test_unless_told_github_drops_the_older_of_two_that_wait(tmp_path: Path) -> None:
    file = ONE_JOB.replace(", queue: max", "")
    async with github_of(file, tmp_path) as github:
        github.github.hold()
        runs = [await github.dispatch() for _ in range(3)]
        github.github.release()
        conclusions = [(await github.ended(run))["conclusion"] for run in runs]

    assert conclusions == ["success", "cancelled", "success"]


async def test_a_hundred_wait_and_not_one_more(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        runs = [await github.dispatch() for _ in range(102)]
        shown = [await github.run(run) for run in (runs[100], runs[101])]

    assert [run["status"] for run in shown] == ["pending", "completed"]
    assert shown[1]["conclusion"] == "cancelled"


async def test_a_file_may_ask_to_cancel_what_runs(tmp_path: Path) -> None:
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    file = steps(f"run: if [ $TARGET = slow ]; then echo up > {pipe}; sleep 1000; fi")
    file = file.replace("cancel-in-progress: false, queue: max", "cancel-in-progress: true")
    async with github_of(file, tmp_path) as github:
        slow = await github.dispatch(target="slow")
        await asyncio.to_thread(pipe.read_text)
        quick = await github.dispatch()
        conclusions = [(await github.ended(run))["conclusion"] for run in (slow, quick)]

    assert conclusions == ["cancelled", "success"]


@pytest.mark.parametrize(
    "concurrency", ["", "concurrency: '${{ inputs.target }} only'"], ids=["none", "other groups"]
)
async def test_runs_of_other_groups_run_side_by_side(concurrency: str, tmp_path: Path) -> None:
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    step = f"run: if [ $TARGET = a ]; then cat {pipe}; else echo met > {pipe}; fi"
    file = steps(step).replace(
        "concurrency: {group: small, cancel-in-progress: false, queue: max}", concurrency
    )
    async with github_of(file, tmp_path) as github:
        runs = [await github.dispatch(target=target) for target in "ab"]

        assert [(await github.ended(run))["conclusion"] for run in runs] == ["success"] * 2


# Cancel and run again


async def test_a_run_that_waits_can_be_cancelled_and_one_that_ended_cannot(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        first, second, third = [await github.dispatch() for _ in range(3)]
        statuses = [
            (await github.call("POST", f"/actions/runs/{run}/cancel"))[0] for run in (second, first)
        ]
        runs = [await github.run(run) for run in (first, second)]
        again, refusal = await github.call("POST", f"/actions/runs/{first}/cancel")
        github.github.release()

        assert (await github.ended(third))["conclusion"] == "success"
        assert await github.jobs(first) == {}
    assert statuses == [202, 202]
    assert [run["conclusion"] for run in runs] == ["cancelled", "cancelled"]
    assert (again, refusal["message"]) == (409, "Cannot cancel a workflow run that is completed.")


async def test_a_rerun_is_another_attempt_of_the_same_run(tmp_path: Path) -> None:
    clock = TurnedClock()
    file = ONE_JOB.replace("target is $TARGET", "attempt $GITHUB_RUN_ATTEMPT")
    async with github_of(file, tmp_path, clock=clock) as github:
        run_id = await github.dispatch()
        first = await github.ended(run_id)
        await clock.turn(60)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun")
        second = await github.ended(run_id)
        _, all_jobs = await github.call("GET", f"/actions/runs/{run_id}/jobs?filter=all")
        (latest,) = (await github.jobs(run_id)).values()

        assert github.said(run_id) == ["attempt 1", "attempt 2"]
    assert (status, first["run_attempt"], second["run_attempt"]) == (201, 1, 2)
    assert first["created_at"] == second["created_at"] < second["run_started_at"]
    assert [job["run_attempt"] for job in all_jobs["jobs"]] == [1, 2]
    assert latest["run_attempt"] == 2


async def test_only_what_has_ended_runs_again(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        status, refusal = await github.call("POST", f"/actions/runs/{run_id}/rerun")

    assert (status, refusal["message"]) == (403, "This workflow is already running")


THREE = (
    ONE_JOB
    + """
  after:
    needs: only
    runs-on: ubuntu-24.04
    steps:
      - run: echo after; [ $TARGET != fail ]
  last:
    needs: after
    runs-on: ubuntu-24.04
    steps:
      - run: echo last $GITHUB_RUN_ATTEMPT
"""
)


async def test_one_job_runs_again_with_those_that_need_it(tmp_path: Path) -> None:
    async with github_of(THREE, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        job = (await github.jobs(run_id))["after"]
        await github.call("POST", f"/actions/jobs/{job['id']}/rerun")
        await github.ended(run_id)

        assert github.said(run_id) == ["target is all", "after", "last 1", "after", "last 2"]
        assert {name: one["run_attempt"] for name, one in (await github.jobs(run_id)).items()} == {
            "only": 1,
            "after": 2,
            "last": 2,
        }


async def test_failed_jobs_run_again(tmp_path: Path) -> None:
    async with github_of(THREE, tmp_path) as github:
        run_id = await github.dispatch(target="fail")
        await github.ended(run_id)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun-failed-jobs")
        await github.ended(run_id)

        assert [job.name for job in github.record(run_id).jobs if job.attempt == 2] == [
            "after",
            "last",
        ]
    assert status == 201


async def test_a_rerun_waits_in_line_like_any_other(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        first = await github.dispatch()
        await github.ended(first)
        github.github.hold()
        await github.dispatch()
        await github.call("POST", f"/actions/runs/{first}/rerun")

        assert (await github.run(first))["status"] == "pending"


# Logs and contents


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
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    async with github_of(steps(f"run: echo up > {pipe}; sleep 1000"), tmp_path) as github:
        run_id = await github.dispatch()
        await asyncio.to_thread(pipe.read_text)
        (job,) = (await github.jobs(run_id)).values()
        status, _ = await github.call("GET", f"/actions/jobs/{job['id']}/logs")
        _, one = await github.call("GET", f"/actions/jobs/{job['id']}")

    assert (status, one["status"]) == (404, "in_progress")


async def test_the_registry_is_served_as_it_is_now(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        commit = (await github.ended(run_id))["head_sha"]
        (tmp_path / "instances.json").write_text('{"a": 1}')
        _, shown = await github.call("GET", "/contents/nix/instances.json?ref=main")
        raw = await github.call(
            "GET", "/contents/nix/instances.json", headers={"Accept": "application/vnd.github.raw"}
        )
        _, then = await github.call("GET", f"/contents/nix/instances.json?ref={commit}")
        _, other = await github.call("GET", "/contents/there")
        (tmp_path / "instances.json").unlink()
        gone, _ = await github.call("GET", "/contents/nix/instances.json")
        run_after, _ = await github.call("POST", DISPATCH, ASKED)

    assert base64.b64decode(shown["content"]) == b'{"a": 1}'
    assert shown["sha"] == "4a036f56bb619924ec4189bd84ed716c766971ae"
    assert raw == (200, '{"a": 1}')
    assert base64.b64decode(then["content"]) == b"{}"
    assert base64.b64decode(other["content"]) == b"a file of the repository"
    assert (gone, run_after) == (404, 200)


async def test_of_a_large_file_the_content_is_left_out(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        (tmp_path / "instances.json").write_bytes(b" " * (1024 * 1024 + 1))
        _, shown = await github.call("GET", "/contents/nix/instances.json")

    assert (shown["content"], shown["encoding"], shown["size"]) == ("", "none", 1024 * 1024 + 1)


async def test_what_was_asked_is_counted(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        await github.call("GET", RUNS)

        assert github.github.asked == {"dispatch": 1, "run": 1, "runs": 1}


async def test_nobody_waits_for_a_run_that_is_not_there(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        with pytest.raises(LookupError, match="no run 7"):
            await github.github.finished(7)
