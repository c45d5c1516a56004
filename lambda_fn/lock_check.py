"""Whether the lock on the state lets the next run begin."""

import time
from collections.abc import Mapping
from typing import Any

from fleet_control.preflight import APPLY, Check, Point, ok, unseen, wrong
from lambda_fn.failure import Failure
from lambda_fn.github import GitHubClient

# As `holds` tells of it.
Held = Mapping[str, Mapping[str, Any] | None]


def lock(held: Held, github: GitHubClient) -> Check:
    if "lock" not in held:
        told = "The Control API can't read it in OpenTofu's table."
        return unseen(Point.LOCK, told, f"{APPLY} See `A stuck lock` in docs/runbook.md.")
    one = held["lock"]
    if one is None:
        return ok(Point.LOCK, "Nobody holds it.")
    unlock = "`/fleet unlock` breaks it where nobody is at work any more."
    if not one["run"]:
        return wrong(
            Point.LOCK, f"`{one['who']}` holds it, which is no run.", f"Ask them. {unlock}"
        )
    return _of_a_run(one["run"], one["breakable"], unlock, github)


def _of_a_run(run: int, breakable: float, unlock: str, github: GitHubClient) -> Check:
    """While its run is at work, it keeps no later one from its turn."""
    try:
        if not github.run(run).finished:
            return ok(Point.LOCK, f"It is held by run {run}, which is at work.")
    except Failure as failure:
        return unseen(Point.LOCK, f"It is held by run {run}. {failure}", "Look again in a minute.")
    if breakable <= github.now:
        return ok(Point.LOCK, f"It was left by run {run}; the next run breaks it.")
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(breakable))
    told = f"It was left by run {run}, and the next run breaks it only from {at} on."
    return wrong(Point.LOCK, told, f"Wait until then. {unlock}")
