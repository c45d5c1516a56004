"""Wait for a run to end, saying each change once."""

from collections.abc import Callable, Iterator

from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.duplicate import deploy_of
from fleet_control.error import ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Run
from fleet_control.phrases import job_state, run_state
from fleet_control.sight import Sight

# One that waits for its turn is asked about less often: GitHub counts the calls.
WAITING_TAKES_TIMES = 3
# And so is one that goes on as it was.
_UNCHANGED = 3
# Of looks that show nothing, the last is the first after so long.
LOST_AFTER_SECONDS = 600


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
    news = _News(say)
    sight = Sight(clock)
    unchanged = 0

    async def tell() -> None:
        if sight.trouble:
            news.say(f"run {run_id}: {sight.trouble}")

    while True:
        pause = poll
        try:
            run = await api.run(run_id)
            deploy = await deploy_of(api, run)
        except ControlApiError as error:
            sight.lost(str(error))
            pause = max(poll, _borne(error, run_id, sight))
            await tell()
        else:
            sight.seen()
            changed = [news.say(line) for line in lines(run)]
            if run.finished:
                return run, deploy
            unchanged = 0 if any(changed) else unchanged + 1
            waits = run.status != "in_progress"
            pause = poll * (WAITING_TAKES_TIMES if waits else slowed(unchanged))
        if clock.monotonic() + pause > until:
            if sight.why:  # it may be asked to look an hour later: the time given is still waited
                await sight.sleep(until - clock.monotonic(), tell)
            raise OutcomeUnknown(
                f"Run {run_id} has not ended in the time given; how it ends is not known yet."
            )
        await sight.sleep(pause, tell)


def slowed(unchanged: int) -> int:
    """How many times as long as usual to wait for the next look, after so many in a row that showed
    nothing new: a host that starts takes minutes."""
    return min(WAITING_TAKES_TIMES, 1 + unchanged // _UNCHANGED)


def lines(run: Run) -> Iterator[str]:
    """What can be seen of a run, a line for each thing that can change."""
    yield f"run {run.id}: {run_state(run)}"
    for job in run.jobs:
        if job.status != "queued":
            yield f"{job.name}: {job_state(job)}"


class _News:
    """What was said, so that each line is said once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def say(self, line: str) -> bool:
        """Whether it was not said before."""
        if line in self._said:
            return False
        self._said.add(line)
        self._say(line)
        return True


def _borne(error: ControlApiError, run_id: int, sight: Sight) -> float:
    """How long to wait after this trouble; it is raised where waiting will not help."""
    if isinstance(error, ControlApiRefused):
        if error.code == "unknown_run" and sight.troubled < LISTED_WITHIN_SECONDS:
            return 0.0
        if error.status < 500 and error.code != "github_busy":
            raise error
    if sight.troubled >= LOST_AFTER_SECONDS:
        raise OutcomeUnknown(
            f"I lost sight of run {run_id}: {error} How it ends is not known."
        ) from error
    return (error.retry_after or 0.0) if isinstance(error, ControlApiRefused) else 0.0
