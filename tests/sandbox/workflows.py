"""Small workflow files, and a GitHub of one of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from clawbot.sandbox.actions import played
from clawbot.sandbox.github import NEW_API, GitHub
from clawbot.sandbox.repository import Repository
from clawbot.sandbox.run_context import RunnerOptions
from clawbot.sandbox.runner import Runner
from fleet_control.clock import SystemClock

HEAD = """
name: small
run-name: "${{ inputs.target }} for ${{ inputs.who || 'nobody' }}"
on:
  workflow_dispatch:
    inputs:
      target: {required: true, type: string}
      who: {type: string}
permissions: {}
concurrency: {group: small, cancel-in-progress: false, queue: max}
env:
  TARGET: ${{ inputs.target }}
jobs:
"""
ONE_JOB = (
    HEAD
    + """
  only:
    runs-on: ubuntu-24.04
    permissions: {contents: read, actions: read}
    steps:
      - name: Say it
        run: echo "target is $TARGET"
"""
)
TOKEN = "github_pat_sandbox"
REPO = "openclaw/clawdinators"


class Client:
    """GitHub's API as somebody with a token calls it."""

    def __init__(self, github: GitHub, session: aiohttp.ClientSession) -> None:
        self.github = github
        self.session = session

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        known = {"Authorization": f"Bearer {TOKEN}", "X-GitHub-Api-Version": NEW_API}
        async with self.session.request(
            method,
            f"{self.github.url}/repos/{REPO}{path}",
            json=body,
            headers=known | dict(headers or {}),
            allow_redirects=False,
        ) as answer:
            is_json = answer.content_type.endswith("json")
            return answer.status, await answer.json() if is_json else await answer.text()

    async def dispatch(self, **inputs: str) -> int:
        status, body = await self.call(
            "POST",
            "/actions/workflows/small.yml/dispatches",
            {"ref": "main", "inputs": {"target": "all", **inputs}},
        )
        assert status == 200, body
        return int(body["workflow_run_id"])

    async def ended(self, run_id: int) -> Any:
        run = self.github.runner.find(run_id)
        assert run is not None
        await run.ended.wait()
        return (await self.call("GET", f"/actions/runs/{run_id}"))[1]

    async def jobs(self, run_id: int) -> dict[str, Any]:
        _, body = await self.call("GET", f"/actions/runs/{run_id}/jobs")
        return {job["name"]: job for job in body["jobs"]}

    def log(self, run_id: int) -> str:
        run = self.github.runner.find(run_id)
        assert run is not None
        return "\n".join(line for job in run.jobs for line in job.log)


@asynccontextmanager
async def github_of(file: str, folder: Path, *, fail_fast: bool = True) -> AsyncIterator[Client]:
    """A GitHub whose repository holds this workflow and a registry."""
    workflow = folder / "small.yml"
    workflow.write_text(file)
    registry = folder / "instances.json"
    registry.write_text("{}")
    checkout = folder / "checkout"
    (checkout / "nix").mkdir(parents=True)
    repository = Repository(checkout, registry)
    options = RunnerOptions(
        workflow=workflow,
        repo=REPO,
        folder=folder / "runs",
        variables={"AWS_REGION": "eu-central-1"},
        environ={"OURS": "yes"},
        path=("/usr/local/bin", "/usr/bin", "/bin"),
        actions=played(repository, ("echo",), {"AWS_ACCESS_KEY_ID": "AK"}, checkout),
        fail_fast=fail_fast,
    )
    github = GitHub(Runner(options, repository, SystemClock()), TOKEN)
    await github.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(github, session)
    finally:
        await github.stop()
