"""A deploy that is asked about first: who may answer, until when, once, and what a yes would move.

The adapters draw the question and say which answer came; whether it counts is decided here.
"""

import logging
from dataclasses import replace

from clawbot import wording
from clawbot.ask import Ask
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.predecessor import Predecessor
from clawbot.replies import Notice, Question, Reply, asking, refused
from fleet_control.caller import ALL
from fleet_control.clock import Clock
from fleet_control.error import FleetError
from fleet_control.fleet import Fleet
from fleet_control.policy import Condition, Refused
from fleet_control.status import FleetStatus

ANSWER_WITHIN_SECONDS = 120.0

log = logging.getLogger(__name__)

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

    def __init__(self, fleet: Fleet, once: Once, predecessor: Predecessor, clock: Clock) -> None:
        self._fleet = fleet
        self._once = once
        self._predecessor = predecessor
        self._clock = clock

    async def question(self, ask: Ask, target: str, version: str, why: str) -> Question:
        """What to ask before a deploy; `why` is what makes it worth asking.

        Of all hosts only while they can be seen: FleetError otherwise.
        """
        named = [why, f"With {wording.version(version)}." if version else ""]
        now = self._clock.now()
        moved: tuple[tuple[str, ...], ...] = ((), (), ())
        try:
            status = await self._fleet.status()
        except FleetError as error:
            if target == ALL:
                raise
            named.append(str(error))
        else:
            named += [wording.registry_age(status, now), wording.as_of_now(version, status, now)]
            moved = _moved(target, status, self._fleet.carrier)
        replaced, created, removed = moved
        return Question(
            target=target,
            version=version,
            asker=ask.account,
            asked=ask.asked,
            expires=now + ANSWER_WITHIN_SECONDS,
            why=" ".join(filter(None, named)),
            replaced=replaced,
            created=created,
            removed=removed,
        )

    async def answered(
        self, question: Question, ask: Ask, reply: LivingReply, *, yes: bool
    ) -> Reply:
        """What took the question's place in `reply`: the deploy to begin now, or why there is none.

        `ask` is the one that answers. The first answer counts, and counts from before it is judged.
        A yes that breaks meanwhile is forgotten, and the error goes on: where the question still
        stands, it can be answered again.
        """
        if ask.account != question.asker:
            await reply.whisper(_NOT_ASKER)
            return _NOT_ASKER
        # The deploy is the one that was asked for, not the press that confirms it.
        ask = replace(ask, asked=question.asked)
        if not self._once.first(*ask.key, as_="yes" if yes else "no"):
            late = _SAID_NO if self._once.was(*ask.key) == "no" else _SAID_YES
            await reply.whisper(late)
            return late
        if not yes:
            became: Reply = _left(question.target)
            await reply.show(became)
            return became
        if await self._predecessor.asked(ask):
            await reply.whisper(_SAID_YES)
            return _SAID_YES
        try:
            became = await self._judged(question, ask)
            await reply.show(became)
        except BaseException:
            self._once.forget(*ask.key)
            raise
        return became

    async def _judged(self, question: Question, ask: Ask) -> Reply:
        if self._clock.now() > question.expires:
            return Notice(("That question is over. Ask again.",))
        verdict = await self._fleet.judge(ask.caller, question.target, question.version)
        if isinstance(verdict, Refused):
            log.info("fleet.refused code=%s by=%s", verdict.code, ask.account)
            return refused(verdict.message, verdict.code)
        return asking(question.target, question.version, ask.account)


def _left(target: str) -> Notice:
    return Notice((f"Nothing was deployed: `{target}` was left as it is.",))


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
