"""Wait for a run to end, saying each change once."""

from collections.abc import Callable, Iterator, Sequence

from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.duplicate import deploy_of
from fleet_control.error import ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Run
from fleet_control.phrases import state

# One that waits for its turn is asked about less often: GitHub counts the calls.
WAITING_TAKES_TIMES = 3
# And so is one that goes on as it was.
_UNCHANGED = 3
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
    until = clock.monotonic() + within
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
    unchanged = 0
    while True:
        pause = poll
        try:
            run = await api.run(run_id)
            deploy = await deploy_of(api, run)
        except ControlApiError as error:
            troubles.append(clock.monotonic())
            pause = max(poll, _borne(error, run_id, troubles))
        else:
            troubles.clear()
            news = [line for line in lines(run) if line not in said]
            said.update(news)
            for line in news:
                say(line)
            if run.finished:
                return run, deploy
            unchanged = 0 if news else unchanged + 1
            waits = run.status != "in_progress"
            pause = poll * (WAITING_TAKES_TIMES if waits else slowed(unchanged))
        if clock.monotonic() + pause > until:
            raise OutcomeUnknown(
                f"Run {run_id} has not ended in the time given; how it ends is not known yet."
            )
        await clock.sleep(pause)


def slowed(unchanged: int) -> int:
    """How many times as long as usual to wait for the next look, after so many in a row that showed
    nothing new: a host that starts takes minutes."""
    return min(WAITING_TAKES_TIMES, 1 + unchanged // _UNCHANGED)


def lines(run: Run) -> Iterator[str]:
    """What can be seen of a run, a line for each thing that can change."""
    yield f"run {run.id}: {state(run.status, run.conclusion)}"
    for job in run.jobs:
        if job.status != "queued":
            yield f"{job.name}: {state(job.status, job.conclusion)}"


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
