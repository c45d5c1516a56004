"""About when a deploy's turn comes, and when it is over, by what the last deploys took.

Pure. It counts from what GitHub showed, and never from now: a moment stays where it is until
something happens, and may have gone by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import NamedTuple

from fleet_control.caller import ALL
from fleet_control.deploy_jobs import FINISH, PLAN
from fleet_control.host_change import HOST_JOB
from fleet_control.ledger import WAITING, Job, Operation, Run, seconds

# Of whichever jobs these are, a run that has one is about to end otherwise than those before.
_ILL = ("failure", "timed_out", "cancelled")
_OF_ONE_HOST = (Operation.DEPLOY, Operation.ROLLBACK)


class Expected(NamedTuple):
    """About when a deploy's turn comes and when it is over, Unix seconds; 0 where that can't be
    said."""

    begins: float = 0.0
    ends: float = 0.0


@dataclass(frozen=True, slots=True)
class Usual:
    """What deploys usually take: medians, in seconds, each from the end of what was before it.

    Attributes:
        plan: until the hosts are known.
        host: one host; `hosts` has those that were among them, by their ids.
        finish: what a deploy of all does after its hosts; 0 where none of them was one.
    """

    plan: float
    host: float
    hosts: Mapping[str, float]
    finish: float


@dataclass(frozen=True, slots=True)
class PastDeploys:
    """What is known of the last deploys that succeeded.

    Attributes:
        usual: what deploys of any kind take that replace hosts; None where there was none.
        of_kind: the same of those of one operation, by that.
        fleet: the hosts of the last deploy of all; empty where that is not known.
    """

    usual: Usual | None = None
    of_kind: Mapping[str, Usual] = field(default_factory=dict)
    fleet: tuple[str, ...] = ()

    def like(self, operation: str) -> Usual | None:
        """What one of this kind takes, or of any where there was none of it."""
        return None if operation == Operation.UNLOCK else self.of_kind.get(operation, self.usual)


class Waiting(NamedTuple):
    """A deploy whose turn has not come, as far as it is known before GitHub lists it."""

    id: int
    target: str
    operation: str = ""
    created: str = ""
    jobs: tuple[Job, ...] = ()


class _Took(NamedTuple):
    """What one deploy took, in seconds, as `Usual` has it."""

    plan: float
    hosts: Mapping[str, float]
    finish: float | None


def past_deploys(runs: Iterable[Run]) -> PastDeploys:
    """Of these runs with their jobs, newest first, those that succeeded and replaced hosts."""
    took = [(run, one) for run in runs if (one := _took(run)) is not None]
    kinds: defaultdict[str, list[_Took]] = defaultdict(list)
    for run, one in took:
        kinds[run.operation].append(one)
    return PastDeploys(
        usual=_usual([one for _, one in took]) if took else None,
        of_kind={kind: _usual(known) for kind, known in kinds.items()},
        fleet=next((tuple(one.hosts) for run, one in took if run.target == ALL), ()),
    )


def expected(run: Run, listed: Iterable[Run], past: PastDeploys) -> Expected:
    """What may be said of this run; of one that waits by what is `listed`: itself, the runs before
    it, and those that ended."""
    if run.finished or run.status == "waiting":
        return Expected()
    if _begun(run):
        return Expected(ends=_end(run, past) or 0.0)
    listed = tuple(listed)
    # A list that lacks the run itself may lack those before it, too.
    known = any(one.id == run.id for one in listed)
    return in_queue(run, listed, past) if known else Expected()


def in_queue(run: Run | Waiting, listed: Iterable[Run], past: PastDeploys) -> Expected:
    """The same of one whose turn has not come."""
    before = sorted((one for one in listed if one.id < run.id), key=lambda one: one.id)
    ahead = [one for one in before if not one.finished]
    if not ahead:
        # Its turn has come as soon as GitHub has a runner for it.
        return Expected(ends=_sum(_turn(run, before), _left(run, past)) or 0.0)
    if any(one.status == "waiting" for one in ahead):
        return Expected()
    first, *others = ahead
    begins = _sum(_free(first, before, past), *(_left(one, past) for one in others))
    return Expected(begins or 0.0, _sum(begins, _left(run, past)) or 0.0)


def _free(first: Run, before: Iterable[Run], past: PastDeploys) -> float | None:
    """When the first of the queue is over; a list tells no jobs of one that runs."""
    if _begun(first):
        return _end(first, past)
    return _sum(_turn(first, before), _left(first, past))


def _sum(*parts: float | None) -> float | None:
    """None where one of them is not known."""
    known = [one for one in parts if one is not None]
    return sum(known) if len(known) == len(parts) else None


def _took(run: Run) -> _Took | None:
    """None where it is no deploy that went through in one go, or GitHub does not say when."""
    if run.conclusion != "success" or run.attempt > 1:
        return None
    times = [
        (seconds(one.completed_at), seconds(one.started_at), one)
        for one in run.jobs
        if one.conclusion == "success" and one.completed_at and one.started_at
    ]
    plan, hosts, finish = 0.0, dict[str, float](), None
    before = min((started for _, started, _ in times), default=inf)
    for ended, _, job in sorted(times, key=lambda one: one[0]):
        lasted, before = max(0.0, ended - before), ended
        if job.name == PLAN:
            plan = lasted
        elif job.name == FINISH:
            finish = lasted
        elif host := HOST_JOB.fullmatch(job.name):
            hosts[host["id"]] = lasted
    return _Took(plan, hosts, finish) if hosts else None


def _usual(took: Sequence[_Took]) -> Usual:
    by_id: defaultdict[str, list[float]] = defaultdict(list)
    for one in took:
        for id_, lasted in one.hosts.items():
            by_id[id_].append(lasted)
    finishes = [one.finish for one in took if one.finish is not None]
    return Usual(
        plan=median(one.plan for one in took),
        host=median(lasted for known in by_id.values() for lasted in known),
        hosts={id_: median(known) for id_, known in by_id.items()},
        finish=median(finishes) if finishes else 0.0,
    )


def _begun(run: Run) -> list[Job]:
    """Its jobs that run or are over."""
    return [one for one in run.jobs if one.status not in WAITING]


def _end(run: Run, past: PastDeploys) -> float | None:
    """When one that runs is over: what is left of it, from what happened last."""
    begun = _begun(run)
    if any(one.conclusion in _ILL for one in begun):
        return None
    moments = [one.completed_at or one.started_at for one in begun]
    last = max((seconds(one) for one in moments if one), default=None)
    return _sum(last, _left(run, past))


def _turn(run: Run | Waiting, before: Iterable[Run]) -> float | None:
    """When the turn came of the first that waits: once it was asked for, and the last one before
    it, of those that all ended, was over. GitHub's own start of a run says only the former."""
    ended = [seconds(one.updated) for one in before if one.id < run.id]
    return max([seconds(run.created), *ended]) if run.created else None


def _left(run: Run | Waiting, past: PastDeploys) -> float | None:
    """How many seconds a deploy still takes, by its jobs that are not done; None where too little
    is known of it."""
    usual, ids = past.like(run.operation), _ids_left(run, past)
    if usual is None or ids is None:
        return None
    ended = {one.name: one.finished for one in run.jobs}
    plan = 0.0 if ended.get(PLAN) else usual.plan
    cleans = FINISH in ended or (run.target == ALL and run.operation == Operation.DEPLOY)
    finish = usual.finish if cleans and not ended.get(FINISH) else 0.0
    return plan + sum(usual.hosts.get(id_, usual.host) for id_ in ids) + finish


def _ids_left(run: Run | Waiting, past: PastDeploys) -> tuple[str, ...] | None:
    """The hosts that are not done; before they are settled, those that its target tells."""
    named = [(job, found["id"]) for job in run.jobs if (found := HOST_JOB.fullmatch(job.name))]
    if named:
        return tuple(id_ for job, id_ in named if not job.finished)
    if run.target == ALL:
        return past.fleet or None
    return (run.target,) if run.target and run.operation in _OF_ONE_HOST else None
