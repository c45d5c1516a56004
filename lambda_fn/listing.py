"""What GitHub lists: the jobs of a run, and the runs that wait for their turn."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fleet_control.ledger import Job, Run, Step


class Listed(NamedTuple):
    """A job of a run. `begun`: whether it ever had a runner or a step."""

    id: int
    job: Job
    begun: bool


class Line(NamedTuple):
    """What waits or runs: how many of each, and the newest of them that were asked for."""

    waiting: int
    running: int
    runs: list[Run]

    def before(self, run_id: int | None) -> int:
        """How many come before this run, which may be listed already, or before a new one."""
        later = sum(run.id >= run_id for run in self.runs) if run_id else 0
        return max(0, self.waiting + self.running - later)


def read_listed(raw: Mapping[str, Any]) -> Listed:
    """From GitHub's own words."""
    steps = tuple(Step._make(map(step.get, Step._fields)) for step in raw.get("steps") or ())
    job = Job._make(map(raw.get, Job._fields))._replace(steps=steps)
    return Listed(raw["id"], job, bool(steps or raw.get("runner_id")))
