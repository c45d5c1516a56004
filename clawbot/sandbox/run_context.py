"""What a run knows: GitHub's contexts, a runner's environment, and a matrix's entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clawbot.sandbox.expression import WorkflowError, whole
from clawbot.sandbox.job_runner import Action
from clawbot.sandbox.run_record import JobRecord, RunRecord
from clawbot.sandbox.workflow_file import Job, WorkflowFile

MOST_JOBS_IN_A_MATRIX = 256


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """What the runs get from outside their file.

    Attributes:
        workflow: the file.
        repo: ``owner/name``.
        variables: the repository's ``vars``.
        environ, path: what a machine of ours has; every step gets it.
        fail_fast: whether a serial matrix stops at its first failure; not every runner does.
    """

    workflow: Path
    repo: str
    folder: Path
    variables: Mapping[str, str]
    environ: Mapping[str, str]
    path: tuple[str, ...]
    actions: Mapping[str, Action]
    fail_fast: bool = True


def known(
    options: RunnerOptions, branch: str, run: RunRecord, file: WorkflowFile, job: Job
) -> dict[str, Any]:
    """The contexts that a job's expressions may name; it fills `matrix` and `steps`."""
    return {
        "github": {
            "ref": f"refs/heads/{branch}",
            "ref_name": branch,
            "sha": run.head_sha,
            "repository": options.repo,
            "run_id": str(run.id),
            "run_attempt": str(run.attempt),
            "event_name": "workflow_dispatch",
        },
        "inputs": run.inputs,
        "vars": dict(options.variables),
        "env": dict(file.env),
        "needs": {need: _result(run, need) for need in job.needs},
        "matrix": {},
        "steps": {},
    }


def environ(
    options: RunnerOptions, branch: str, api_url: str, run: RunRecord, record: JobRecord
) -> dict[str, str]:
    """GitHub's own variables for every step of a job."""
    workflow = f".github/workflows/{options.workflow.name}"
    ref = f"refs/heads/{branch}"
    return {
        "GITHUB_API_URL": api_url,
        "GITHUB_SERVER_URL": api_url,
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_JOB": record.key,
        "GITHUB_REF": ref,
        "GITHUB_REF_NAME": branch,
        "GITHUB_REPOSITORY": options.repo,
        "GITHUB_RUN_ATTEMPT": str(run.attempt),
        "GITHUB_RUN_ID": str(run.id),
        "GITHUB_RUN_NUMBER": str(run.number),
        "GITHUB_SHA": run.head_sha,
        "GITHUB_WORKFLOW": options.workflow.stem,
        "GITHUB_WORKFLOW_REF": f"{options.repo}/{workflow}@{ref}",
    }


def needed(file: WorkflowFile, key: str) -> set[str]:
    """Every job that `key` waits for, directly or not."""
    direct = set(file.jobs[key].needs)
    return direct | {one for need in direct for one in needed(file, need)}


def matrix(job: Job, contexts: dict[str, Any]) -> list[dict[str, Any]]:
    if job.strategy is None:
        return [{}]
    entries = whole(job.strategy.matrix.include, contexts)
    if not isinstance(entries, list) or not entries:
        raise WorkflowError("a matrix must be a list of at least one entry")
    if len(entries) > MOST_JOBS_IN_A_MATRIX:
        raise WorkflowError(
            f"a matrix holds {MOST_JOBS_IN_A_MATRIX} jobs at most, not {len(entries)}"
        )
    return entries


def _result(run: RunRecord, key: str) -> dict[str, Any]:
    jobs = [job for job in run.latest_jobs() if job.key == key]
    conclusions = {job.conclusion for job in jobs}
    worst = ("cancelled", "failure", "skipped", "success")
    outputs = {name: text for job in jobs for name, text in job.outputs.items()}
    result = next((one for one in worst if one in conclusions), "skipped")
    return {"result": result, "outputs": outputs}
