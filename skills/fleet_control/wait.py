"""Wait for a run to end, saying each change once."""

from collections.abc import Callable, Iterator, Sequence

from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.duplicate import deploy_of
from fleet_control.error import ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Run

# One that waits for its turn is asked about less often: GitHub counts the calls.
WAITING_TAKES_TIMES = 3
TROUBLES_BORNE = 10


async def until_finished(
    api: ControlApi,
    run_id: int,
    clock: Clock,
    say: Callable[[str], None],
    *,
    poll: float = 10.0,
    within: float = float("inf"),
) -> Run:
    """The finished run, or the deploy of the same ask where that is another one. `poll` and
    `within` are seconds.

    OutcomeUnknown when it has not ended `within`, or can't be seen any more; ControlApiRefused
    where there is no such run, or this key may not see it.
    """
    until = clock.now() + within
    while True:
        run, deploy = await _ended(api, run_id, clock, say, poll, until)
        if deploy.id == run.id:
            return run
        say(f"run {run.id} was the same ask as run {deploy.id}, which is the deploy")
        run_id = deploy.id


async def _ended(
    api: ControlApi,
    run_id: int,
    clock: Clock,
    say: Callable[[str], None],
    poll: float,
    until: float,
) -> tuple[Run, Run]:
    """The finished run, and the deploy of its ask."""
    said: set[str] = set()
    troubles: list[float] = []
    while True:
        pause = poll
        try:
            run = await api.run(run_id)
            deploy = await deploy_of(api, run)
        except ControlApiError as error:
            troubles.append(clock.now())
            pause = max(poll, _borne(error, run_id, troubles))
        else:
            troubles.clear()
            for line in lines(run):
                if line not in said:
                    said.add(line)
                    say(line)
            if run.finished:
                return run, deploy
            pause = poll if run.status == "in_progress" else poll * WAITING_TAKES_TIMES
        if clock.now() + pause > until:
            raise OutcomeUnknown(
                f"Run {run_id} has not ended in the time given; how it ends is not known yet."
            )
        await clock.sleep(pause)


def lines(run: Run) -> Iterator[str]:
    """What can be seen of a run, a line for each thing that can change."""
    yield f"run {run.id}: {run.conclusion or run.status}"
    for job in run.jobs:
        if job.status != "queued":
            yield f"{job.name}: {job.conclusion or job.status}"


def _borne(error: ControlApiError, run_id: int, troubles: Sequence[float]) -> float:
    """How long to wait after this trouble, the last of those that came in a row at these moments;
    it is raised where waiting will not help."""
    if isinstance(error, ControlApiRefused):
        if error.code == "unknown_run" and troubles[-1] - troubles[0] < LISTED_WITHIN_SECONDS:
            return 0.0
        if error.status < 500 and error.code != "github_busy":
            raise error
    if len(troubles) >= TROUBLES_BORNE:
        raise OutcomeUnknown(
            f"I lost sight of run {run_id}: {error} How it ends is not known."
        ) from error
    return (error.retry_after or 0.0) if isinstance(error, ControlApiRefused) else 0.0
