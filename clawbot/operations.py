"""What is beside a deploy and ends in a run: what it would do is derived, asked about, and derived
again at the yes.

A button has no room for all of that, so it carries a few letters of it. Where what is derived at
the yes is not what was asked about, nothing is done.
"""

from collections.abc import Callable, Sequence

from clawbot import proposal
from clawbot.ask import Ask
from clawbot.commands import command_of, usage
from clawbot.once import Once
from clawbot.proposal import Outlook, Proposal
from clawbot.replies import (
    ANSWER_WITHIN_SECONDS,
    Deploying,
    Notice,
    Question,
    asking,
    refused,
)
from clawbot.requests import Resume, Rollback, Unlock
from fleet_control.caller import ALL, Caller
from fleet_control.clock import Clock
from fleet_control.error import ControlApiRefused, FleetError
from fleet_control.fleet import Fleet
from fleet_control.holds import UNKNOWN_ACTION, HeldLock
from fleet_control.ledger import Operation, Run
from fleet_control.policy import Allowed, Refused, Usage, may_operate
from fleet_control.rollback import (
    RUNS_LOOKED_AT,
    NoWayBack,
    RestOfRoll,
    WayBack,
    first,
    moves,
    rest,
    way_back,
)
from fleet_control.run_title import is_lock_id

CHANGED = refused("That changed since I asked, so I did nothing. Ask again.", "changed")
_NOT_FOUND = 404
_TOO_OLD = "Run {} is not among the newest that I can see, so I can't tell what moved since."
UNDER_WAY = refused("That is under way already; another reply tells how it goes.", "duplicate")
_AT_WORK = (
    "Run {} holds the lock on the state and is at work: its end gives it back. `/fleet stop` ends "
    "it after the host that it is at."
)
_NOT_LOCKED = Notice(("The state is not locked: there is nothing to unlock.",))
_LOCK_UNSEEN = refused(
    "I can't see the lock on the state from here. At a desk: `A stuck lock` in docs/runbook.md.",
    "lock_unseen",
)
_TAKEN_UP = "Run {} is taken up already, by run {}."

Asked = Rollback | Resume | Unlock
_WHICH_RUN = Notice(
    (
        f"Say which: `/fleet {command_of(Resume()).syntax}`.",
        "The run's id is in the link of its reply, and in `/fleet history`.",
    )
)


class Operations:
    """Rollback, resume and unlock: the questions about them, and what a yes begins."""

    def __init__(self, fleet: Fleet, once: Once, clock: Clock) -> None:
        self._fleet = fleet
        self._once = once
        self._clock = clock

    async def question(self, ask: Ask, request: Asked) -> Question | Notice:
        """What to ask before it, or why there is nothing to ask; FleetError where what decides that
        can't be seen."""
        operation, target = _named(request)
        if request == Resume():
            return _WHICH_RUN
        found = await self._proposal(ask.caller, operation, target)
        if isinstance(found, Notice):
            if found.code:
                ask.refused(found.code)
            return found
        return Question(
            target=found.target,
            image_or_commit="",
            asker=ask.account,
            asked=ask.asked,
            expires=self._clock.now() + ANSWER_WITHIN_SECONDS,
            why=found.why,
            removed=found.removed,
            hosts=found.hosts,
            operation=operation,
            override=found.override,
            plan=found.plan,
        )

    async def judged(self, question: Question, ask: Ask) -> Deploying | Notice:
        """What begins by a yes to this question, or why nothing does."""
        found = await self._proposal(ask.caller, question.operation, question.target, question)
        if isinstance(found, Notice):
            ask.refused(found.code)
            return found
        if (found.target, found.plan) != (question.target, question.plan):
            ask.refused(CHANGED.code)
            return CHANGED
        return asking(question.target, found.image, ask.account, question.operation, found.override)

    def begin(self, question: Question) -> bool:
        """Whether a yes to this question may begin: the same was asked about, and answered so, in
        no other place just now. The ledger does not tell that at once."""
        return not question.operation or self._once.first(*_key(question))

    def over(self, question: Question) -> None:
        """What began by a yes to this question has ended, or is in the ledger for all to see."""
        self._once.forget(*_key(question))

    async def _proposal(
        self, caller: Caller, operation: str, target: str, answered: Question | None = None
    ) -> Proposal | Notice:
        """What would be done; of an answer, what its question overrides is not asked again."""
        no = may_operate(caller, operators_set=self._fleet.operators_set)
        if no is not None:
            return _refused(no)
        match operation:
            case Operation.ROLLBACK:
                return await self._rollback(caller, target, answered)
            case Operation.RESUME:
                return await self._resume(caller, int(target), answered)
            case _:
                return await self._unlock()

    async def _rollback(
        self, caller: Caller, target: str, answered: Question | None
    ) -> Proposal | Notice:
        verdict = await self._verdict(caller, target, answered)
        if isinstance(verdict, Notice):
            return verdict
        status = await self._fleet.status()
        ids = status.in_turn(target, carrier=self._fleet.carrier) if target == ALL else (target,)
        runs = await self._ledger(lambda runs: all(_has_way(id_, runs) for id_ in ids))
        outlook = Outlook(status, runs, self._clock.now())
        ways = [_way(id_, outlook) for id_ in ids]
        found = proposal.rollback(target, ways, outlook)
        return found if isinstance(found, Notice) else await self._judged(caller, found, answered)

    async def _resume(
        self, caller: Caller, run_id: int, answered: Question | None
    ) -> Proposal | Notice:
        try:
            run = await self._fleet.api.run(run_id)
        except ControlApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return refused(str(error), error.code)
        status = await self._fleet.status()
        runs = await self._ledger(lambda runs: _is_known(run, runs))
        outlook = Outlook(status, runs, self._clock.now())
        left = _rest(run, runs)
        found = left if isinstance(left, Notice) else proposal.resume(run, left, outlook)
        return found if isinstance(found, Notice) else await self._judged(caller, found, answered)

    async def _judged(
        self, caller: Caller, found: Proposal, answered: Question | None
    ) -> Proposal | Notice:
        """By the policy: of these hosts the one that carries us is worth the most words."""
        ids = [id_ for id_, _, _ in found.ways]
        target = self._fleet.carrier if self._fleet.carrier in ids else ids[0]
        verdict = await self._verdict(caller, target, answered)
        return verdict if isinstance(verdict, Notice) else found.judged(verdict)

    async def _unlock(self) -> Proposal | Notice:
        try:
            holds = await self._fleet.api.holds()
        except ControlApiRefused as error:
            if error.code != UNKNOWN_ACTION:
                raise
            return _LOCK_UNSEEN
        if holds.lock is None or not is_lock_id(holds.lock.id):
            return _NOT_LOCKED if holds.lock_seen and not holds.lock else _LOCK_UNSEEN
        if await self._works(holds.lock):
            return refused(_AT_WORK.format(holds.lock.run), "at_work")
        return proposal.unlock(holds.lock, self._clock.now())

    async def _works(self, lock: HeldLock) -> bool:
        """Whether the job that took it has not ended, by GitHub's word."""
        if lock.run is None:
            return False
        try:
            run = await self._fleet.api.run(lock.run)
        except ControlApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        ended = run.finished or any(job.name == lock.job and job.conclusion for job in run.jobs)
        return not ended

    async def _verdict(
        self, caller: Caller, target: str, answered: Question | None
    ) -> Allowed | Notice:
        """The policy's, of what moves this target."""
        verdict = await (
            self._fleet.judge(caller, target, "")
            if answered is None
            else self._fleet.judge_yes(caller, target, "", answered.override, answered.put)
        )
        match verdict:
            case Refused():
                return _refused(verdict)
            case Usage(ids):
                return usage(ids, Rollback())
        return verdict

    async def _ledger(self, enough: Callable[[Sequence[Run]], bool]) -> list[Run]:
        """The newest runs with their jobs, until these are enough, or no more are looked at.

        FleetError where the jobs of one can't be had: what it did may decide.
        """
        runs: list[Run] = []
        page = pages = 1
        while page <= pages and len(runs) < RUNS_LOOKED_AT:
            read = await self._fleet.api.history(page=page)
            if read.unseen:
                raise FleetError(f"I can't see what run {read.unseen[0]} did. {read.why}".rstrip())
            runs += read.runs
            if enough(runs):
                break
            page, pages = page + 1, read.pages
        return runs


def _key(question: Question) -> tuple[str, ...]:
    return ("operation", question.operation, question.target)


def _refused(verdict: Refused) -> Notice:
    return refused(verdict.message, verdict.code)


def _named(request: Asked) -> tuple[Operation, str]:
    match request:
        case Rollback(target):
            return Operation.ROLLBACK, target
        case Resume(run):
            return Operation.RESUME, str(run or "")
        case Unlock():
            return Operation.UNLOCK, ""


def _has_way(id_: str, runs: Sequence[Run]) -> bool:
    return any(one.change.done for one in moves(id_, runs))


def _is_known(run: Run, runs: Sequence[Run]) -> bool:
    """Whether these tell what came after a run, and what it took up."""
    return any(one.id <= run.id for one in runs) and first(run, runs) is not None


def _way(id_: str, outlook: Outlook) -> WayBack | NoWayBack:
    row = outlook.status.row(id_)
    present = row.host.image if row and row.host else ""
    return way_back(id_, outlook.runs, outlook.status.images, present, outlook.now)


def _rest(run: Run, runs: Sequence[Run]) -> RestOfRoll | Notice:
    """What is left of a run's roll, by the newest runs; or why nothing is."""
    if all(one.id > run.id for one in runs):
        return refused(_TOO_OLD.format(run.id), proposal.NOTHING_LEFT)
    later = [one for one in runs if one.id > run.id]
    taken = next((one for one in later if not one.finished and _resumes(one, run)), None)
    if taken is not None:
        return refused(_TAKEN_UP.format(run.id, taken.id), "duplicate")
    left = rest(run, later)
    return left if isinstance(left, RestOfRoll) else refused(left, proposal.NOTHING_LEFT)


def _resumes(one: Run, run: Run) -> bool:
    return one.operation == Operation.RESUME and one.target == str(run.id)
