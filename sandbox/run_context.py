"""The contexts that expressions see: `github`, `needs`, `runner` and the like."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.expression import Scope, Status
from sandbox.run_record import Conclusion, JobRecord, Place, RunRecord
from sandbox.workspace import Workspace

# The worst of a matrix's jobs is what the whole of it comes to.
_WORST_FIRST = (
    Conclusion.FAILURE,
    Conclusion.CANCELLED,
    Conclusion.SKIPPED,
    Conclusion.SUCCESS,
)


def of_event(place: Place, inputs: Mapping[str, str], variables: Mapping[str, str]) -> Scope:
    """What can be seen before there is a run: its title and its concurrency group."""
    return Scope({"github": _github(place, inputs), "inputs": inputs, "vars": variables})


def _github(place: Place, inputs: Mapping[str, str]) -> dict[str, Any]:
    ref = f"refs/heads/{place.branch}"
    return {
        "api_url": place.api,
        "base_ref": "",
        "event": {"inputs": dict(inputs), "ref": ref, "workflow": place.path},
        "event_name": "workflow_dispatch",
        "head_ref": "",
        "ref": ref,
        "ref_name": place.branch,
        "ref_type": "branch",
        "repository": place.repo,
        "repository_owner": place.repo.partition("/")[0],
        "server_url": place.api,
        "workflow_ref": f"{place.repo}/{place.path}@{ref}",
    }


def github(
    place: Place, run: RunRecord, job: str, token: str = "", folder: Path = Path()
) -> dict[str, Any]:
    """The context as a job in that folder sees it; its GITHUB_… variables are made of it."""
    return {
        **_github(place, run.inputs),
        "actor": run.actor.login,
        "actor_id": str(run.actor.id),
        "event_path": str(folder / "temp" / "event.json"),
        "job": job,
        "run_attempt": str(run.attempt),
        "run_id": str(run.id),
        "run_number": str(run.number),
        "sha": run.head_sha,
        "token": token,
        "triggering_actor": run.actor.login,
        "workflow": run.workflow,
        "workflow_sha": run.head_sha,
        "workspace": str(folder / "work"),
    }


def runner(workspace: Workspace) -> dict[str, str]:
    return {
        "arch": "X64",
        "environment": "github-hosted",
        "name": "GitHub Actions 1",
        "os": "Linux",
        "temp": str(workspace.temp),
        "tool_cache": str(workspace.tools),
    }


def strategy(
    index: int, total: int, *, fail_fast: bool, max_parallel: int | None
) -> dict[str, Any]:
    return {
        "fail-fast": fail_fast,
        "job-index": index,
        "job-total": total,
        "max-parallel": max_parallel or total,
    }


def result(jobs: Iterable[JobRecord]) -> Conclusion:
    """What the jobs of one key come to together."""
    conclusions = {job.conclusion for job in jobs}
    return next((one for one in _WORST_FIRST if one in conclusions), Conclusion.SKIPPED)


def needed(jobs: Iterable[JobRecord]) -> dict[str, Any]:
    """One entry of the `needs` context: of a matrix, the last job to set an output sets it."""
    jobs = list(jobs)
    outputs = {name: text for job in jobs for name, text in job.outputs.items()}
    return {"result": str(result(jobs)), "outputs": outputs}


def status(results: Iterable[Conclusion], *, cancelled: bool) -> Status:
    """What a job's `if` may ask of the jobs before it."""
    found = set(results)
    return Status(
        success=not cancelled and found <= {Conclusion.SUCCESS},
        failure=Conclusion.FAILURE in found,
        cancelled=cancelled,
    )
