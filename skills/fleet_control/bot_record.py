"""What bots' earlier deploys of an instance came to, by which the policy limits their next."""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import host_jobs, was_stopped
from fleet_control.ledger import WAITING, Job, Operation, Run, seconds
from fleet_control.policy import (
    FAILURES_BEFORE_A_PERSON,
    MINUTES_BETWEEN_BOT_DEPLOYS,
    BotDeploy,
    Facts,
)

_SUCCESS = "success"


class DeployOutcome(Enum):
    """What a run came to for one instance.

    Attributes:
        NOTHING: its host's own job never began: the run stopped in `plan`, waited until the end, or
            was stopped by a person before this host.
        FAILED: that job failed, ran out of time, or was cancelled once it had begun.
    """

    NOTHING = auto()
    UNDER_WAY = auto()
    SUCCEEDED = auto()
    FAILED = auto()


class BotRecord(NamedTuple):
    """What the ledger tells of an instance's deploys by bots, as far as the policy asks.

    Attributes:
        last: the newest of them that came to its host.
        failures: how many surely failed since anybody's last success; counted no further than need
            be.
        open: a bot's run whose jobs have to be known before more can be told, if there is one.
        doubt: a person's, which may have ended the row of failures.
        unseen: whether more than these would have to be known, and nobody looks so far.
    """

    last: BotDeploy | None = None
    failures: int = 0
    open: Run | None = None
    doubt: Run | None = None
    unseen: bool = False

    def told(self, facts: Facts) -> Facts:
        return facts._replace(
            last_bot_deploy=self.last, bot_failures=self.failures, bot_deploys_unseen=self.unseen
        )


def record(
    id_: str, runs: Iterable[Run], now: float, jobs: Mapping[int, Iterable[Job]]
) -> BotRecord:
    """From the newest run back; `jobs` are those that are known, by their run's id.

    A person's run can only end a row of failures. So it is in doubt only where its jobs alone could
    tell, and where bots failed often enough without it or a bot's run is open. One that failed ends
    none: nothing is in order again.
    """
    last, failures, sure, doubt, settled = None, 0, 0, None, False
    since = now - 60 * MINUTES_BETWEEN_BOT_DEPLOYS
    for run in sorted(runs, key=lambda run: run.id, reverse=True):
        # All that is left to find is the last deploy by a bot, if that counts.
        if settled and (last or not run.caller or seconds(run.updated) <= since):
            continue
        how = _outcome(id_, run, jobs.get(run.id))
        if how is None and run.caller:
            return BotRecord(last, sure, run, doubt)
        doubt = doubt or (run if how is None else None)
        if run.caller and how is not DeployOutcome.NOTHING:
            last = last or BotDeploy(run.caller, _ended(id_, run, jobs.get(run.id, ())))
            failed = how is DeployOutcome.FAILED and not settled
            failures, sure = failures + failed, sure + (failed and not doubt)
        settled = settled or how is DeployOutcome.SUCCEEDED or failures == FAILURES_BEFORE_A_PERSON
    return BotRecord(last, sure, doubt=doubt if failures == FAILURES_BEFORE_A_PERSON else None)


def _outcome(id_: str, run: Run, jobs: Iterable[Job] | None) -> DeployOutcome | None:
    """What the run came to for this instance; None where only its jobs can tell."""
    succeeded = run.conclusion == _SUCCESS
    # The title of one that a person began on GitHub names no target, that of a resume no host.
    of_it = run.target in (id_, ALL) or run.operation == Operation.RESUME
    if not (of_it or (succeeded and not run.target)):
        return DeployOutcome.NOTHING
    # A rollback of all leaves out what has nothing to go back to.
    if succeeded and (run.target == id_ or (run.operation, run.target) == (Operation.DEPLOY, ALL)):
        return DeployOutcome.SUCCEEDED
    if run.status in WAITING and run.attempt == 1:
        return DeployOutcome.NOTHING
    return None if jobs is None else _of_jobs(_own(id_, jobs))


def _own(id_: str, jobs: Iterable[Job]) -> list[Job]:
    """The jobs of its host: one, and those of re-runs, which do nothing. One without a name may be
    its own, too. Where a person stopped the roll before it, that is nobody's failure."""
    return [
        job
        for job in host_jobs(jobs)
        if (job.name.startswith(f"{id_}: ") or not job.name) and not was_stopped(job)
    ]


def _of_jobs(own: list[Job]) -> DeployOutcome:
    if not own:
        return DeployOutcome.NOTHING
    if any(job.conclusion == _SUCCESS for job in own):
        return DeployOutcome.SUCCEEDED
    if any(job.conclusion is None for job in own):
        return DeployOutcome.UNDER_WAY
    return DeployOutcome.FAILED


def _ended(id_: str, run: Run, jobs: Iterable[Job]) -> float:
    """When its host's job ended, the first one: a re-run changes the run's own time."""
    ends = (job.completed_at for job in _own(id_, jobs))
    return min((seconds(end) for end in ends if end), default=seconds(run.updated))
