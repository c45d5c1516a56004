"""What each command is answered with, and what it begins."""

import asyncio
from dataclasses import replace

from clawbot import freezing, halt
from clawbot.ask import Ask
from clawbot.commands import HELP, usage
from clawbot.confirmation import Confirmation
from clawbot.deploy import Deploys
from clawbot.ledger_view import LedgerView
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.operations import Operations
from clawbot.parsing import Unreadable, acts, in_words
from clawbot.predecessor import Predecessor
from clawbot.preflight import BotPreflight
from clawbot.replies import (
    ASKED_ALREADY,
    Notice,
    Question,
    Reply,
    StatusReport,
    asking,
    refused,
)
from clawbot.requests import (
    Cancel,
    Deploy,
    FreezeFor,
    Help,
    History,
    OperatorsRequest,
    Preflight,
    Request,
    Resume,
    Rollback,
    ShowRun,
    Status,
    Stop,
    Unfreeze,
    Unlock,
)
from clawbot.speaker import DOUBTED
from fleet_control.caller import Unknown
from fleet_control.fleet import Fleet
from fleet_control.phrases import held
from fleet_control.policy import Refused, Usage, may_operate

# Why a press is asked about where nothing else is worth asking.
SHALL_I = "Shall I?"


class Commands:
    """Answers each command.

    Every reply it returns has been shown in the chat already, but for that to an ask which an
    earlier process of this bot took: the reply that there is tells of it.
    """

    def __init__(
        self,
        fleet: Fleet,
        deploys: Deploys,
        confirmation: Confirmation,
        operations: Operations,
        once: Once,
        predecessor: Predecessor,
        preflight: BotPreflight,
        ledger: LedgerView,
    ) -> None:
        self._fleet = fleet
        self._deploys = deploys
        self._confirmation = confirmation
        self._operations = operations
        self._once = once
        self._predecessor = predecessor
        self._preflight = preflight
        self._ledger = ledger

    async def answer(self, ask: Ask, request: Request | Unreadable, reply: LivingReply) -> Reply:
        """Answer one ask, and stay until its reply is final or a question."""
        ask.audit(in_words(request))
        try:
            return await self._answer(ask, request, reply)
        except Exception as error:  # noqa: BLE001  (here what is broken is told in words)
            return await reply.broke(error, ask.request_id)

    async def stop(self, run: int, ask: Ask, reply: LivingReply) -> Reply:
        """What a button's stop of this run is answered; its own reply will tell how it ends."""
        ask.audit(f"stop run {run}")
        if no := self._no(ask) or (DOUBTED if ask.doubted else None):
            return await reply.answer(no)
        return await reply.answer(await halt.stop_run(self._fleet.api, run, ask))

    def _no(self, ask: Ask) -> Notice | None:
        """Why this one may not do what is for operators only, where that is so."""
        no = may_operate(ask.caller, operators_set=self._fleet.operators_set)
        if no is None:
            return None
        ask.refused(no.code)
        return refused(no.message, no.code)

    async def _answer(  # noqa: PLR0911  (one for each command)
        self, ask: Ask, request: Request | Unreadable, reply: LivingReply
    ) -> Reply:
        if isinstance(ask.caller, Unknown):
            # The policy's first row, whatever they ask: a status, too, has addresses in it.
            return await self._deploy(ask, Deploy(), reply)
        if ask.doubted and acts(request):
            return await reply.answer(DOUBTED)
        match request:
            case Status(page):
                status, holds = await asyncio.gather(self._fleet.hosts(), self._fleet.holds())
                return await reply.answer(StatusReport(status, page - 1, held(holds)))
            case Deploy():
                return await self._deploy(ask, request, reply)
            case Help():
                return await reply.answer(HELP)
            case Unreadable(why=why):
                return await reply.answer(why)
            case History(target, page):
                return await reply.answer(await self._ledger.history(target, page))
            case ShowRun(run):
                return await self._ledger.run(run, reply)
            case Preflight():
                return await self._preflight.answer(reply)
            case _:
                return await self._operate(ask, request, reply)

    async def _operate(self, ask: Ask, request: OperatorsRequest, reply: LivingReply) -> Reply:
        """What is no deploy, and for operators only."""
        if no := self._no(ask):
            return await reply.answer(no)
        return await reply.answer(await self._operated(ask, request))

    async def _operated(self, ask: Ask, request: OperatorsRequest) -> Notice | Question:
        match request:
            case Rollback() | Resume() | Unlock():
                return await self._operations.question(ask, request)
            case Stop():
                return await halt.stop(self._fleet.api, ask)
            case Cancel(run):
                return await self._cancel(ask, run)
            case FreezeFor(duration, reason):
                return await freezing.begin(self._fleet, ask, duration, reason)
            case Unfreeze():
                return await freezing.lift(self._fleet, ask)

    async def _cancel(self, ask: Ask, run: int) -> Notice:
        # Heard twice, what names none would cancel a second one.
        if not self._once.first(*ask.key):
            return refused(ASKED_ALREADY, "duplicate")
        if run:
            return await halt.cancel(self._fleet.api, run, ask)
        again = self._predecessor.may_have_heard(ask)
        return await halt.cancel_the_one(self._fleet.api, ask, again=again)

    async def _deploy(self, ask: Ask, wanted: Deploy, reply: LivingReply) -> Reply:
        target, image_or_commit = wanted.target, wanted.image_or_commit
        if target and not ask.pressed and await self._predecessor.asked(ask):
            return refused(ASKED_ALREADY, "duplicate")
        verdict = await self._fleet.judge(ask.caller, target, image_or_commit)
        match verdict:
            case Usage(ids):
                return await reply.answer(usage(ids))
            case Refused(code, message):
                ask.refused(code)
                return await reply.answer(refused(message, code))
        if why := verdict.confirm or (SHALL_I if ask.pressed else ""):
            question = await self._confirmation.question(
                ask, target, image_or_commit, why, override=verdict.override
            )
            return await reply.answer(question)
        if not self._once.first(*ask.key):
            return await reply.answer(refused(ASKED_ALREADY, "duplicate"))
        begun = replace(asking(target, image_or_commit, ask.account), note=verdict.doubt)
        await reply.show(begun)
        return await self._deploys.begin(ask, begun, reply)
