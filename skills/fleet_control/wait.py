"""Wait for a run to end, saying each change once."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from fleet_control.clock import Clock
from fleet_control.control_api import LISTED_WITHIN_SECONDS, ControlApi
from fleet_control.duplicate import deploy_of
from fleet_control.error import ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.estimate import PastDeploys, expected, past_deploys
from fleet_control.host_change import changes
from fleet_control.ledger import Run, asked_by, seconds
from fleet_control.phrases import bar, job_state, run_state
from fleet_control.sight import Sight

# One that waits for its turn is asked about less often: GitHub counts the calls.
WAITING_TAKES_TIMES = 3
# And so is one that goes on as it was.
_UNCHANGED = 3
# Of looks that show nothing, the last is the first after so long.
LOST_AFTER_SECONDS = 600
# Of how many marks a bar is at the most.
BAR = 20


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
    news = _News(say)
    # Nobody waits for it: what is not known yet is said with the next change, and what can't be
    # had is not said.
    past = asyncio.create_task(news.learn(api))
    try:
        while True:
            run, deploy = await _ended(api, run_id, clock, news, poll, until)
            if deploy.id == run.id:
                return run
            say(f"run {run.id} was the same ask as run {deploy.id}, which is the deploy")
            run_id = deploy.id
    finally:
        past.cancel()
        await asyncio.gather(past, return_exceptions=True)


async def _ended(
    api: ControlApi,
    run_id: int,
    clock: Clock,
    news: "_News",
    poll: float,
    until: float,
) -> tuple[Run, Run]:
    """The finished run, and the deploy of its ask."""
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
            news.say(_asked(run))
            changed = [news.say(line) for line in lines(run)]
            news.say_how_far(run)
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


def _asked(run: Run) -> str:
    return f"run {run.id}: asked for by {asked_by(run)}, {_moment(seconds(run.created))}"


def _moment(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"


class _News:
    """What was said, so that each line is said once, and what the last deploys took."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()
        self._past = PastDeploys()

    async def learn(self, api: ControlApi) -> None:
        """What the last deploys took."""
        self._past = past_deploys((await api.history()).runs)

    def say(self, line: str, of: str = "") -> bool:
        """Whether it was not said before; a line `of` something is said once for that."""
        if (of or line) in self._said:
            return False
        self._said.add(of or line)
        self._say(line)
        return True

    def say_how_far(self, run: Run) -> None:
        """Of several hosts how many are done, and about when all of it is over."""
        hosts = [one.done for one in changes(run)]
        how_far = bar(sum(hosts), len(hosts), BAR) if len(hosts) > 1 else ""
        ends = 0.0 if run.finished else expected(run, (), self._past).ends
        end = f"end expected {_moment(ends)}" if ends else ""
        if told := ", ".join(filter(None, (how_far, end))):
            self.say(f"run {run.id}: {told}", of=f"run {run.id} {how_far}")


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
