"""Small workflow files, and a GitHub of one of them."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from fleet_control.clock import Clock, SystemClock
from sandbox.actions import CHECKOUT, ActionStandIn, played
from sandbox.github import API_VERSION, GitHubApi
from sandbox.repository import Repository
from sandbox.run_record import RunRecord
from sandbox.runner import Runner
from sandbox.runner_context import RunnerContext

HEAD = """
name: small
run-name: "${{ inputs.target || '-' }} for ${{ inputs.who || '-' }}"
on:
  workflow_dispatch:
    inputs:
      target: {required: true, type: string}
      who: {type: string}
permissions: {}
concurrency: {group: small, cancel-in-progress: false, queue: max}
env:
  TARGET: ${{ inputs.target }}
  WHO: ${{ inputs.who }}
jobs:
"""


def job(key: str, *texts: str, **keys: str) -> str:
    """A job with these steps; `keys` are more of it, or others than usual."""
    usual = {
        "name": key,
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": "60",
        "environment": "fleet",
        "permissions": "{contents: read, actions: read}",
    }
    given = {name.replace("_", "-"): text for name, text in keys.items()}
    lines = [f"  {key}:", *(f"    {name}: {text}" for name, text in (usual | given).items())]
    lines.append("    steps:")
    for number, text in enumerate(texts):
        lines.append(f"      - name: step {number}")
        lines += [f"        {line}" for line in text.strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


def steps(*texts: str, **keys: str) -> str:
    """A workflow of one job."""
    return HEAD + job("only", *texts, **keys)


ONE_JOB = steps('run: echo "target is $TARGET"')
ROLL = '[{"id":"a"},{"id":"b"},{"id":"c"}]'
PLAN = f"""
id: roll
run: |
  echo 'roll={ROLL}' >> "$GITHUB_OUTPUT"
  echo "who=$WHO" >> "$GITHUB_OUTPUT"
"""
HOST = """
run: |
  echo "host $ID"
  echo "did $ID" >> "$GITHUB_STEP_SUMMARY"
  if [ "$ID" = "$TARGET" ]; then exit 3; fi
env:
  ID: ${{ matrix.id }}
"""
PLANNED = "{roll: '${{ steps.roll.outputs.roll }}', who: '${{ steps.roll.outputs.who }}'}"
SERIAL = """
      fail-fast: true
      max-parallel: 1
      matrix:
        include: ${{ fromJSON(needs.plan.outputs.roll) }}"""
IF_SAM = {"if": "needs.plan.outputs.who == 'sam'"}
MATRIX = "".join(
    (
        HEAD,
        job("plan", PLAN, outputs=PLANNED),
        job("host", HOST, name="${{ matrix.id }}", needs="plan", strategy=SERIAL),
        job("finish", "run: echo finished", needs="[plan, host]", **IF_SAM),
    )
)
TOKEN = "github_pat_sandbox"
REPO = "openclaw/clawdinators"
FILE = "small.yml"
DISPATCH = f"/actions/workflows/{FILE}/dispatches"
RUNS = f"/actions/workflows/{FILE}/runs"


class ApiClient:
    """GitHub's API as somebody with a token calls it."""

    def __init__(self, github: GitHubApi, session: aiohttp.ClientSession, folder: Path) -> None:
        self.github = github
        self.session = session
        self.folder = folder
        self.answered: Mapping[str, str] = {}

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body; the headers of the answer are in `answered`."""
        known = {"Authorization": f"Bearer {TOKEN}", "X-GitHub-Api-Version": API_VERSION}
        async with self.session.request(
            method,
            f"{self.github.url}/repos/{REPO}{path}",
            json=body,
            headers=known | dict(headers or {}),
            allow_redirects=False,
        ) as answer:
            self.answered = answer.headers
            is_json = answer.content_type.endswith("json") and "raw" not in answer.content_type
            return answer.status, await answer.json() if is_json else await answer.text()

    async def dispatch(self, **inputs: str) -> int:
        body = {"ref": "main", "inputs": {"target": "all", **inputs}}
        status, answer = await self.call("POST", DISPATCH, body)
        assert status == 200, answer
        return int(answer["workflow_run_id"])

    async def run(self, run_id: int) -> Any:
        return (await self.call("GET", f"/actions/runs/{run_id}"))[1]

    async def ended(self, run_id: int) -> Any:
        """The run as GitHub shows it, once it has ended."""
        await self.github.finished(run_id)
        return await self.run(run_id)

    async def jobs(self, run_id: int, which: str = "latest") -> dict[str, Any]:
        _, body = await self.call("GET", f"/actions/runs/{run_id}/jobs?filter={which}&per_page=100")
        return {job["name"]: job for job in body["jobs"]}

    async def conclusions(self, run_id: int) -> dict[str, str]:
        return {name: job["conclusion"] for name, job in (await self.jobs(run_id)).items()}

    def record(self, run_id: int) -> RunRecord:
        run = self.github.runner.find(run_id)
        assert run is not None
        return run

    def log(self, run_id: int) -> list[str]:
        """Every job's lines, without their moments."""
        run = self.record(run_id)
        return [line.partition(" ")[2] for job in run.jobs for line in job.log]

    def said(self, run_id: int) -> list[str]:
        """What the steps themselves wrote, not what GitHub writes before it."""
        said, within = [], False
        for line in self.log(run_id):
            if line.startswith("##[group]"):
                within = True
            elif line == "##[endgroup]":
                within = False
            elif not within:
                said.append(line)
        return said

    async def outcome(self, **inputs: str) -> tuple[str, list[str]]:
        """Dispatch, wait for the end: the conclusion, and what was said."""
        run_id = await self.dispatch(**inputs)
        run = await self.github.finished(run_id)
        return str(run.conclusion), self.said(run_id)


@asynccontextmanager
async def github_of(
    file: str, folder: Path, clock: Clock | None = None, checkout: ActionStandIn | None = None
) -> AsyncIterator[ApiClient]:
    """A GitHub whose repository holds this workflow and a registry.

    `checkout` plays that action in place of the usual.
    """
    workflow = folder / FILE
    workflow.write_text(file)
    registry = folder / "instances.json"
    registry.write_text("{}")
    source = folder / "checkout"
    (source / "nix").mkdir(parents=True)
    (source / "there").write_text("a file of the repository")
    repository = Repository(source, registry, folder / "repository")
    actions = played(repository, ("echo", "engine"), {"AWS_SECRET_ACCESS_KEY": "sk-123"}, source)
    context = RunnerContext(
        workflow=workflow,
        repo=REPO,
        repository=repository,
        folder=folder / "runs",
        variables={"AWS_REGION": "eu-central-1"},
        environ={"OURS": "yes"},
        path=(str(Path(sys.executable).parent), *os.defpath.split(os.pathsep)),
        actions=actions | ({CHECKOUT: checkout} if checkout else {}),
        clock=clock or SystemClock(),
    )
    github = GitHubApi(Runner(context), TOKEN)
    await github.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield ApiClient(github, session, folder)
    finally:
        await github.stop()
    assert not (folder / "runs").exists()
