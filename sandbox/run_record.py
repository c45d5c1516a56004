"""A run, its jobs and their steps, as GitHub's REST API shows them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sandbox.workflow_file import MatrixEntry, WorkflowFile


class Actor(NamedTuple):
    """The GitHub account that starts a run."""

    login: str
    id: int

    def __str__(self) -> str:
        """The account as the run's variables name it."""
        return f"{self.login}:{self.id}"


# Whose the Lambda's token is; a person who may press the button; and what a job's own token is.
CONTROL_API = Actor("fleet-control[bot]", 190_000_001)
PERSON = Actor("sam", 583_231)
ANY_WORKFLOW = Actor("github-actions[bot]", 41_898_282)


class RunStatus(StrEnum):
    """PENDING waits for its concurrency group, QUEUED for a runner."""

    PENDING = "pending"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class _Record:
    """Status, conclusion and times, which runs, jobs and steps have; times in Unix seconds."""

    status: RunStatus = RunStatus.QUEUED
    conclusion: Conclusion | None = None
    started: float | None = None
    completed: float | None = None

    def begin(self, now: float) -> None:
        self.status, self.started = RunStatus.IN_PROGRESS, now

    def end(self, conclusion: Conclusion, now: float) -> None:
        self.status, self.conclusion, self.completed = RunStatus.COMPLETED, conclusion, now

    @property
    def ended(self) -> bool:
        return self.status is RunStatus.COMPLETED

    def _shown(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "conclusion": self.conclusion,
            "started_at": moment(self.started),
            "completed_at": moment(self.completed),
        }


@dataclass(kw_only=True)
class StepRecord(_Record):
    name: str

    def shown(self, number: int) -> dict[str, Any]:
        return {"name": self.name, "number": number, **self._shown()}


@dataclass(kw_only=True)
class JobRecord(_Record):
    """One job; `key` is its name in the file, `entry` its part of a matrix."""

    id: int
    key: str
    name: str
    attempt: int
    created: float
    entry: MatrixEntry = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def shown(self, run: "RunRecord", origin: "RunOrigin") -> dict[str, Any]:
        return {
            "id": self.id,
            "node_id": node_id("CR", self.id),
            "url": origin.url(f"actions/jobs/{self.id}"),
            "run_id": run.id,
            "run_url": origin.url(f"actions/runs/{run.id}"),
            "run_attempt": self.attempt,
            "check_run_url": origin.url(f"check-runs/{self.id}"),
            "html_url": f"{origin.page(run.id)}/job/{self.id}",
            "name": self.name,
            "workflow_name": run.file.name,
            "head_branch": origin.branch,
            "head_sha": run.head_sha,
            "created_at": moment(self.created),
            **self._shown(),
            # GitHub fills it in while the job still waits.
            "started_at": moment(self.started or self.created),
            "steps": [step.shown(number) for number, step in enumerate(self.steps, 1)],
            "labels": ["ubuntu-24.04"],
            # No runner has one that waits, or was never begun.
            "runner_id": 1 if self.started else None,
            "runner_name": "GitHub Actions 1" if self.started else None,
            "runner_group_id": 0 if self.started else None,
            "runner_group_name": "GitHub Actions" if self.started else None,
        }


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """The repository, branch and workflow file that a run is of; `api` is the API's address, and
    `web` that of the pages."""

    api: str
    web: str
    repo: str
    file: str
    branch: str

    @property
    def path(self) -> str:
        return f".github/workflows/{self.file}"

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def page(self, run_id: int) -> str:
        """The address of the run's web page."""
        return f"{self.web}/{self.repo}/actions/runs/{run_id}"

    def url(self, path: str) -> str:
        """The address of something of the repository's in the API."""
        return f"{self.api}/repos/{self.repo}/{path}"


@dataclass(kw_only=True)
class RunRecord(_Record):
    """One run, with all of its attempts' jobs; how it stands is how the newest stands.

    Attributes:
        file: the workflow file as it was when the run was asked for.
        triggered: when the newest attempt was asked for. It is GitHub's `run_started_at`, however
            long the run then waits.
        again: the jobs that a re-run runs, by id; empty for all.
        nulls: which fields are shown as null, where GitHub's description allows it.
    """

    id: int
    number: int
    title: str
    file: WorkflowFile
    inputs: Mapping[str, str]
    head_sha: str
    actor: Actor
    created: float
    triggered: float
    updated: float
    attempt: int = 1
    again: frozenset[int] = frozenset()
    nulls: frozenset[str] = frozenset()
    jobs: list[JobRecord] = field(default_factory=list)

    def latest_jobs(self) -> list[JobRecord]:
        """Each job as it ended last, or is now."""
        newest = {(job.key, job.name): job for job in self.jobs}
        return list(newest.values())

    def shown(self, origin: RunOrigin) -> dict[str, Any]:
        url = origin.url(f"actions/runs/{self.id}")
        kind = "Bot" if self.actor.login.endswith("[bot]") else "User"
        actor = {**self.actor._asdict(), "type": kind}
        whole = {
            "id": self.id,
            "node_id": node_id("WFR", self.id),
            "name": self.file.name,
            "display_title": self.title,
            "run_number": self.number,
            "run_attempt": self.attempt,
            "event": "workflow_dispatch",
            "path": origin.path,
            "head_branch": origin.branch,
            "head_sha": self.head_sha,
            "status": self.status,
            "conclusion": self.conclusion,
            "url": url,
            "html_url": origin.page(self.id),
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "cancel_url": f"{url}/cancel",
            "created_at": moment(self.created),
            "run_started_at": moment(self.triggered),
            "updated_at": moment(self.updated),
            "actor": actor,
            "triggering_actor": actor,
            "workflow_id": 1,
            "workflow_url": origin.url("actions/workflows/1"),
            "check_suite_id": self.id,
            "check_suite_node_id": node_id("CS", self.id),
            "check_suite_url": origin.url(f"check-suites/{self.id}"),
            "artifacts_url": f"{url}/artifacts",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": None,
            "pull_requests": [],
            "referenced_workflows": [],
            "head_commit": self._head_commit(),
            "repository": _repository(origin),
            "head_repository": _repository(origin),
        }
        return {key: None if key in self.nulls else value for key, value in whole.items()}

    def _head_commit(self) -> dict[str, Any]:
        who = {"name": self.actor.login, "email": "somebody@example.com"}
        return {
            "id": self.head_sha,
            "tree_id": self.head_sha,
            "message": "Anybody may have written this",
            "timestamp": moment(self.created),
            "author": who,
            "committer": who,
        }


def node_id(kind: str, number: int) -> str:
    """GitHub's other kind of id, which its GraphQL API goes by."""
    return f"{kind}_{base64.b64encode(str(number).encode()).decode()}"


def _repository(origin: RunOrigin) -> dict[str, Any]:
    owner, _, name = origin.repo.partition("/")
    return {
        "id": 1,
        "node_id": node_id("R", 1),
        "name": name,
        "full_name": origin.repo,
        "private": True,
        "owner": {"login": owner, "id": 1, "type": "Organization"},
        "html_url": f"{origin.web}/{origin.repo}",
        "url": f"{origin.api}/repos/{origin.repo}",
    }
