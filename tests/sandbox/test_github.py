"""The stand-in answers as GitHub's REST API does, and runs jobs as its runners do."""

import asyncio
import base64
import os
from pathlib import Path

import pytest

from clawbot.sandbox.github import OLD_API, rate_limited
from tests.sandbox.workflows import HEAD, ONE_JOB, github_of

DISPATCH = "/actions/workflows/small.yml/dispatches"


async def test_a_dispatch_says_which_run_it_began(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        run_id = await github.dispatch(target="claw-1", who="sam")
        run = await github.ended(run_id)

    assert run["display_title"] == "claw-1 for sam"
    assert (run["status"], run["conclusion"], run["event"]) == (
        "completed",
        "success",
        "workflow_dispatch",
    )
    assert run["path"] == ".github/workflows/small.yml"


async def test_before_2026_a_dispatch_answered_nothing(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        status, _ = await github.call(
            "POST",
            DISPATCH,
            {"ref": "main", "inputs": {"target": "x"}},
            {"X-GitHub-Api-Version": OLD_API},
        )

    assert status == 204


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"ref": "main", "inputs": {"target": "a", "x": "y"}},
            422,
            'Unexpected inputs provided: ["x"]',
        ),
        ({"ref": "main", "inputs": {}}, 422, "Required input 'target' not provided"),
        ({"ref": "other", "inputs": {"target": "a"}}, 422, "No ref found for: other"),
    ],
)
async def test_a_wrong_dispatch_is_refused_in_githubs_words(
    body: object, status: int, message: str, tmp_path: Path
) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        answer = await github.call("POST", DISPATCH, body)

        assert answer[0] == status
        assert answer[1]["message"] == message
        assert github.github.runner.runs == []


async def test_tokens_and_unknown_things_are_refused(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        wrong = await github.call("GET", "/actions/runs/1", headers={"Authorization": "Bearer x"})
        unknown = await github.call("GET", "/actions/runs/1")
        version = await github.call(
            "GET", "/actions/runs/1", headers={"X-GitHub-Api-Version": "2020-01-01"}
        )

    assert (wrong[0], wrong[1]["message"]) == (401, "Bad credentials")
    assert unknown[0] == 404
    assert version[0] == 400


async def test_a_rate_limit_comes_when_it_is_wished(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.refusals.append(rate_limited(7))
        first = await github.call("GET", "/actions/workflows/small.yml/runs")
        second = await github.call("GET", "/actions/workflows/small.yml/runs")

    assert (first[0], second[0]) == (403, 200)


async def test_one_run_at_a_time_and_the_others_wait_in_order(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.runner.hold()
        runs = [await github.dispatch(who=str(number)) for number in range(3)]
        _, waiting = await github.call("GET", f"/actions/runs/{runs[2]}")
        github.github.runner.release()
        ended = [await github.ended(run) for run in runs]
        started = [github.github.runner.find(run) for run in runs]

    assert waiting["status"] == "pending"
    assert [run["conclusion"] for run in ended] == ["success"] * 3
    moments = [run.started for run in started if run]
    assert moments == sorted(moments)


async def test_the_list_of_runs_is_newest_first_and_paged(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.runner.hold()
        runs = [await github.dispatch() for _ in range(3)]
        path = "/actions/workflows/small.yml/runs?event=workflow_dispatch&branch=main"
        _, first = await github.call("GET", f"{path}&per_page=2")
        _, second = await github.call("GET", f"{path}&per_page=2&page=2")
        _, other = await github.call("GET", f"{path}&status=success")
        _, later = await github.call("GET", f"{path}&created=%3E%3D2999-01-01T00:00:00Z")

    assert [run["id"] for run in first["workflow_runs"]] == [runs[2], runs[1]]
    assert [run["id"] for run in second["workflow_runs"]] == [runs[0]]
    assert other["workflow_runs"] == later["workflow_runs"] == []


async def test_a_run_that_waits_can_be_cancelled_and_one_that_ended_cannot(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        github.github.runner.hold()
        run_id = await github.dispatch()
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/cancel")
        run = await github.ended(run_id)
        again, _ = await github.call("POST", f"/actions/runs/{run_id}/cancel")
        github.github.runner.release()

    assert (status, run["conclusion"], again) == (202, "cancelled", 409)


async def test_a_cancel_kills_what_runs(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    file = ONE_JOB.replace('echo "target is $TARGET"', f"echo up > {told}; sleep 600")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await asyncio.to_thread(told.read_text)
        await github.call("POST", f"/actions/runs/{run_id}/cancel")
        ended = await github.ended(run_id)

    assert ended["conclusion"] == "cancelled"


MATRIX = (
    HEAD
    + """
  plan:
    runs-on: x
    outputs:
      roll: ${{ steps.roll.outputs.roll }}
    steps:
      - id: roll
        run: |
          echo 'roll<<END' >> "$GITHUB_OUTPUT"
          echo '[{"id": "a"}, {"id": "b"}, {"id": "c"}]' >> "$GITHUB_OUTPUT"
          echo END >> "$GITHUB_OUTPUT"
  host:
    name: host ${{ matrix.id }}
    needs: plan
    runs-on: x
    strategy:
      max-parallel: 1
      matrix:
        include: ${{ fromJSON(needs.plan.outputs.roll) }}
    steps:
      - name: One
        env:
          ID: ${{ matrix.id }}
        run: |
          echo "host $ID, $OURS"
          echo "did $ID" >> "$GITHUB_STEP_SUMMARY"
          if [ "$ID" = "$TARGET" ]; then echo "::error title=No::$ID is%0Aill"; exit 3; fi
      - name: Two
        run: "true"
  finish:
    needs: [plan, host]
    if: inputs.who == 'sam'
    runs-on: x
    steps:
      - run: "true"
"""
)


async def test_needs_outputs_and_a_matrix_work_as_at_github(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(who="sam")
        run = await github.ended(run_id)
        jobs = await github.jobs(run_id)

    assert run["conclusion"] == "success"
    assert list(jobs) == ["plan", "host a", "host b", "host c", "finish"]
    assert {job["conclusion"] for job in jobs.values()} == {"success"}
    assert [step["name"] for step in jobs["host a"]["steps"]] == ["One", "Two"]
    assert "host b, yes" in github.log(run_id)


async def test_an_if_that_does_not_hold_skips_its_job(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)
        jobs = await github.jobs(run_id)

    assert run["conclusion"] == "success"
    assert jobs["finish"]["conclusion"] == "skipped"


async def test_a_failure_stops_the_serial_matrix_and_what_needs_it(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(target="b", who="sam")
        run = await github.ended(run_id)
        jobs = await github.jobs(run_id)

    assert run["conclusion"] == "failure"
    assert {name: job["conclusion"] for name, job in jobs.items()} == {
        "plan": "success",
        "host a": "success",
        "host b": "failure",
        "host c": "cancelled",
        "finish": "skipped",
    }
    assert [step["conclusion"] for step in jobs["host b"]["steps"]] == ["failure", "skipped"]


async def test_a_runner_that_does_not_fail_fast_goes_on(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path, fail_fast=False) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)
        jobs = await github.jobs(run_id)

    assert jobs["host c"]["conclusion"] == "success"


async def test_a_failed_jobs_log_reads_as_githubs(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(target="b")
        await github.ended(run_id)
        job = (await github.jobs(run_id))["host b"]
        status, _ = await github.call("GET", f"/actions/jobs/{job['id']}/logs")
        url = f"{github.github.url}/stored-logs/{job['id']}"
        async with github.session.get(url) as plain:
            lines = (await plain.text()).splitlines()
        async with github.session.get(url, headers={"Authorization": "Bearer x"}) as refused:
            refused_status = refused.status

    assert status == 302
    assert refused_status == 400
    texts = [line.partition("Z ")[2] for line in lines]
    assert texts[-3:] == ["##[error]b is", "ill", "##[error]Process completed with exit code 3."]


async def test_a_rerun_is_another_attempt_of_the_same_run(tmp_path: Path) -> None:
    file = ONE_JOB.replace("target is $TARGET", "attempt $GITHUB_RUN_ATTEMPT")
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        status, _ = await github.call("POST", f"/actions/runs/{run_id}/rerun")
        run = await github.ended(run_id)

    assert status == 201
    assert run["run_attempt"] == 2
    assert "attempt 2" in github.log(run_id)


async def test_a_rerun_of_one_job_takes_the_others_outputs_as_they_were(tmp_path: Path) -> None:
    async with github_of(MATRIX, tmp_path) as github:
        run_id = await github.dispatch(target="b", who="sam")
        await github.ended(run_id)
        failed = (await github.jobs(run_id))["host b"]
        await github.call("POST", f"/actions/jobs/{failed['id']}/rerun")
        await github.ended(run_id)
        run = github.github.runner.find(run_id)

    assert run is not None
    again = [job.name for job in run.jobs if job.attempt == 2]
    assert again == ["host b", "finish"]


async def test_a_jobs_own_token_is_masked_in_its_log(tmp_path: Path) -> None:
    file = ONE_JOB.replace("actions: read", "id-token: write").replace(
        'run: echo "target is $TARGET"',
        'env:\n          T: ${{ github.token }}\n        run: echo "it is $T"',
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)
        log = github.log(run_id)

    assert "it is ***" in log


async def test_the_registry_is_served_as_it_is_now(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        (tmp_path / "instances.json").write_text('{"a": 1}')
        _, shown = await github.call("GET", "/contents/nix/instances.json?ref=main")
        status, _ = await github.call("GET", "/contents/README.md")
        (tmp_path / "instances.json").unlink()
        gone, _ = await github.call("GET", "/contents/nix/instances.json")

    assert base64.b64decode(shown["content"]) == b'{"a": 1}'
    assert len(shown["sha"]) == 40
    assert (status, gone) == (404, 404)


CHECKOUT = (
    HEAD
    + """
  first:
    runs-on: x
    permissions: {contents: read}
    outputs:
      commit: ${{ steps.c.outputs.commit }}
    steps:
      - id: c
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {ref: main, persist-credentials: false}
      - run: cat nix/instances.json; echo changed > REGISTRY_FILE
  second:
    needs: first
    runs-on: x
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {ref: '${{ needs.first.outputs.commit }}'}
      - run: echo "then $(cat nix/instances.json)"
"""
)


async def test_a_commit_that_was_checked_out_stays_what_it_was(tmp_path: Path) -> None:
    file = CHECKOUT.replace("REGISTRY_FILE", str(tmp_path / "instances.json"))
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)
        log = github.log(run_id)

    assert run["conclusion"] == "success", log
    assert "then {}" in log


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("actions/checkout", "actions/cache"), "I don't play the action `actions/cache`"),
        (("persist-credentials: false", "lfs: true"), "actions/checkout: I don't know `lfs`"),
        (("{contents: read}", "{actions: read}"), "no permission `contents: read`"),
        (("ref: main", "ref: other"), "there is no commit `other`"),
    ],
)
async def test_an_action_that_is_not_known_fails_its_step_with_a_sentence(
    change: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    file = CHECKOUT.replace(*change)
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        run = await github.ended(run_id)
        log = github.log(run_id)

    assert run["conclusion"] == "failure"
    assert sentence in log


async def test_a_file_that_is_not_valid_starts_nothing(tmp_path: Path) -> None:
    async with github_of(ONE_JOB, tmp_path) as github:
        (tmp_path / "small.yml").write_text(ONE_JOB.replace("runs-on", "runs-off"))
        status, body = await github.call(
            "POST", DISPATCH, {"ref": "main", "inputs": {"target": "x"}}
        )

    assert status == 422
    assert "runs-off" in body["message"]
