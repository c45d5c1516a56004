"""A deploy taken back, while it has done nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_fn.failure import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_fn.ask import Cancel
    from lambda_fn.github import GitHub

_NOT_STARTED = ("queued", "pending", "waiting", "requested")


def cancel(ask: Cancel, github: GitHub) -> Mapping[str, object] | Failure:
    """A job that starts between our look and GitHub's is GitHub's to stop; no apply is among the
    first minute's steps."""
    run = github.run(ask.run_id)
    if run.finished:
        return _too_late(ask.run_id, "has ended")
    if any(one.job.status not in _NOT_STARTED for one in github.jobs(ask.run_id)):
        return _too_late(
            ask.run_id, "has started, and stopping it half-way would leave half a deploy"
        )
    if not github.cancel(ask.run_id):
        return _too_late(ask.run_id, "has ended")
    target = f" for {run.target}" if run.target else ""
    return {"message": f"the deploy{target} is being cancelled; nothing was replaced"}


def _too_late(run_id: int, why: str) -> Failure:
    return Failure(Code.ALREADY_RUNNING, f"Run {run_id} {why}.")
