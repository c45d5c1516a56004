"""A deploy that is asked about first: who may answer, until when, once, and what a yes would move.

The adapters draw the question and say which answer came; whether it counts is decided here.
"""

from dataclasses import replace

from clawbot import wording
from clawbot.ask import Ask
from clawbot.deploy import Deploys
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.operations import UNDER_WAY, Operations
from clawbot.predecessor import Predecessor
from clawbot.replies import (
    ANSWER_WITHIN_SECONDS,
    Deploying,
    Notice,
    Question,
    Reply,
    asking,
    refused,
)
from clawbot.speaker import DOUBTED
from fleet_control import phrases
from fleet_control.caller import ALL
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.fleet import Fleet
from fleet_control.policy import Allowed, Condition, Refused
from fleet_control.status import FleetStatus

_NOT_ASKER = refused("Only the one who asked may answer that.", "not_asker")
_SAID_YES = refused(
    "That was answered already, with a yes; its own reply tells how it goes.", "duplicate"
)
_SAID_NO = refused(
    "That was answered already, with a no: nothing is deployed. Ask again if you want it.",
    "duplicate",
)


class Confirmation:
    """Puts the questions of one bot, and takes their answers. Each is answered once."""

    def __init__(
        self,
        fleet: Fleet,
        operations: Operations,
        deploys: Deploys,
        once: Once,
        predecessor: Predecessor,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._operations = operations
        self._deploys = deploys
        self._once = once
        self._predecessor = predecessor
        self._clock = clock

    async def question(
        self,
        ask: Ask,
        target: str,
        image_or_commit: str,
        why: str,
        override: str = "",
    ) -> Question:
        """What to ask before a deploy; `why` is what makes it worth asking.

        Of all hosts only while they can be seen: FleetError otherwise.
        """
        told = [why, wording.named(image_or_commit)]
        now = self._clock.now()
        moved: tuple[tuple[str, ...], ...] = ((), (), ())
        try:
            status = await self._fleet.status()
        except FleetError as error:
            if target == ALL:
                raise
            told.append(str(error))
        else:
            told.append(phrases.registry_age(status.known, now))
            told.append(wording.as_of_now(image_or_commit, status, now))
            moved = _moved(target, status, self._fleet.carrier)
        replaced, created, removed = moved
        return Question(
            target=target,
            image_or_commit=image_or_commit,
            asker=ask.account,
            asked=ask.asked,
            expires=now + ANSWER_WITHIN_SECONDS,
            override=override,
            why=" ".join(filter(None, told)),
            replaced=replaced,
            created=created,
            removed=removed,
        )

    async def answer(self, question: Question, ask: Ask, reply: LivingReply, *, yes: bool) -> Reply:
        """A yes or a no to `question`, which stands in `reply`; what took its place, or why not.

        `ask` is the one that answers. The first answer counts, and counts from before it is judged.
        A yes that breaks meanwhile is forgotten: the question stands, and can be answered.
        """
        # The deploy is the one that was asked for, not the press that confirms it.
        deploy = replace(ask, asked=question.asked)
        deploy.audit(f"{'yes' if yes else 'no'} to {question.words}")
        objection = self._objection(question, deploy, yes=yes)
        try:
            if objection is not None:
                await reply.whisper(objection)
                return objection
            became = await self._counted(question, deploy, reply, yes=yes)
            if not isinstance(became, Deploying):
                return became
            if not self._operations.begin(question):
                return await reply.show(UNDER_WAY)
        except Exception as error:  # noqa: BLE001  (here what is broken is told in words)
            return await reply.broke(error, deploy.request_id, replaces=objection is None)
        try:
            return await self._deploys.begin(deploy, became, reply)
        finally:
            self._operations.over(question)

    def _objection(self, question: Question, deploy: Ask, *, yes: bool) -> Notice | None:
        """Why this answer does not count; one that does is claimed by that."""
        if deploy.account != question.asker:
            return _NOT_ASKER
        if yes and deploy.doubted:
            return DOUBTED
        if self._once.first(*deploy.key, as_="yes" if yes else "no"):
            return None
        return _SAID_NO if self._once.was(*deploy.key) == "no" else _SAID_YES

    async def _counted(
        self, question: Question, deploy: Ask, reply: LivingReply, *, yes: bool
    ) -> Reply:
        """What takes the question's place."""
        if not yes:
            left = wording.left(question.operation, question.target)
            return await reply.show(Notice((left,)))
        try:
            await reply.heard()
            if await self._predecessor.asked(deploy):
                return _SAID_YES  # told by the reply that there is
            return await reply.show(await self._judged(question, deploy))
        except BaseException:
            self._once.forget(*deploy.key)
            raise

    async def _judged(self, question: Question, ask: Ask) -> Reply:
        if self._clock.now() > question.expires:
            return Notice(("That question is over. Ask again.",))
        if question.operation:
            return await self._operations.judged(question, ask)
        verdict = await self._fleet.judge_yes(
            ask.caller,
            question.target,
            question.image_or_commit,
            question.override,
            question.put,
        )
        if isinstance(verdict, Refused):
            ask.refused(verdict.code)
            return refused(verdict.message, verdict.code)
        override = verdict.override if isinstance(verdict, Allowed) else ""
        return asking(question.target, question.image_or_commit, ask.account, override=override)


def _moved(
    target: str, status: FleetStatus, carrier: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The ids that a deploy of `target` replaces, creates and removes, in the roll's order."""
    turns = status.in_turn(target, carrier=carrier)
    missing = {id_ for id_, is_ in status.conditions.items() if is_ is Condition.MISSING}
    left = tuple(row.id for row in status.rows if row.may_have_left)
    return (
        tuple(id_ for id_ in turns if id_ not in missing),
        tuple(id_ for id_ in turns if id_ in missing),
        left if target == ALL else (),
    )
