"""The stand-in answers as GitHub's REST API does."""

import base64
from pathlib import Path
from typing import Any

import pytest

from fleet_control import ledger
from sandbox.github_guard import OLD_API
from tests.clock import TurnedClock
from tests.sandbox.witness import Witness
from tests.sandbox.workflows import DISPATCH, ONE_JOB, REPO, RUNS, github_of, steps

OLD = {"X-GitHub-Api-Version": OLD_API}
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


async def test_a_run_may_be_listed_later_than_it_can_be_asked_for(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with github_of(ONE_JOB, tmp_path, clock=clock) as github:
        github.github.list_late(12.0)
        run_id = await github.dispatch()
        seen = []
        for seconds in (0.0, 11.9, 0.1):
            await clock.turn(seconds)
            seen.append((await github.call("GET", RUNS))[1]["total_count"])

        assert (await github.run(run_id))["id"] == run_id
    assert seen == [0, 0, 1]


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
    witness = Witness(tmp_path)
    async with github_of(steps(f"run: echo up > {witness.pipe}; sleep 1000"), tmp_path) as github:
        run_id = await github.dispatch()
        await witness.hears()
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
