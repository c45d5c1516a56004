"""A run, its jobs and their logs, as GitHub's REST API shows them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class StepRecord:
    name: str
    status: str = "queued"
    conclusion: str | None = None

    def shown(self, number: int) -> dict[str, Any]:
        return {
            "name": self.name,
            "number": number,
            "status": self.status,
            "conclusion": self.conclusion,
        }


@dataclass
class JobRecord:
    """One job; `key` is its name in the file, `matrix` its entry where it has one."""

    id: int
    key: str
    name: str
    attempt: int
    matrix: dict[str, Any] = field(default_factory=dict)
    status: str = "queued"
    conclusion: str | None = None
    started: float | None = None
    completed: float | None = None
    steps: list[StepRecord] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def shown(self, run: "RunRecord") -> dict[str, Any]:
        return {
            "id": self.id,
            "run_id": run.id,
            "run_attempt": self.attempt,
            "name": self.name,
            "status": self.status,
            "conclusion": self.conclusion,
            "started_at": moment(self.started),
            "completed_at": moment(self.completed),
            "html_url": f"{run.html_url}/job/{self.id}",
            "steps": [step.shown(number) for number, step in enumerate(self.steps, 1)],
        }


@dataclass
class RunRecord:
    """One run; `started`, `updated`, `created` in Unix seconds."""

    id: int
    number: int
    title: str
    inputs: dict[str, str]
    head_sha: str
    html_url: str
    created: float
    updated: float
    started: float
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    jobs: list[JobRecord] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False

    def latest_jobs(self) -> list[JobRecord]:
        """Each job's newest attempt."""
        newest: dict[str, JobRecord] = {}
        for job in self.jobs:
            newest[f"{job.key} {job.name}"] = job
        return list(newest.values())

    def shown(self, api: str, repo: str, file: str, branch: str) -> dict[str, Any]:
        url = f"{api}/repos/{repo}/actions/runs/{self.id}"
        actor = {"login": "fleet-control[bot]", "id": 41898282, "type": "Bot"}
        return {
            "id": self.id,
            "name": file.removesuffix(".yml"),
            "display_title": self.title,
            "run_number": self.number,
            "run_attempt": self.attempt,
            "event": "workflow_dispatch",
            "path": f".github/workflows/{file}",
            "workflow_id": 161335,
            "head_branch": branch,
            "head_sha": self.head_sha,
            "status": self.status,
            "conclusion": self.conclusion,
            "url": url,
            "html_url": self.html_url,
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "created_at": moment(self.created),
            "run_started_at": moment(self.started),
            "updated_at": moment(self.updated),
            "actor": actor,
            "triggering_actor": actor,
        }
