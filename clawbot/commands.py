"""Each /fleet command once, for every platform: who asks, and in which words, becomes a reply."""

import logging
from collections.abc import Awaitable
from dataclasses import replace

from clawbot.ask import Ask
from clawbot.confirmation import Confirmation
from clawbot.deploy import Deploys
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.page import cut
from clawbot.predecessor import Predecessor
from clawbot.progress import lost
from clawbot.replies import (
    ASKED_ALREADY,
    HELP,
    UNKNOWN_COMMAND,
    Deploying,
    Notice,
    Question,
    Reply,
    StatusReport,
    Tone,
    asking,
    broken,
    refused,
    usage,
)
from fleet_control.caller import Human, Unknown
from fleet_control.error import ControlApiRefused, FleetError
from fleet_control.fleet import Fleet
from fleet_control.policy import Refused, Usage

# Why a press is asked about where nothing else is worth asking.
SHALL_I = "Shall I?"

log = logging.getLogger(__name__)


class Commands:
    """The bot's whole repertoire. Every reply it returns has been shown in the chat already."""

    def __init__(
        self,
        fleet: Fleet,
        deploys: Deploys,
        confirmation: Confirmation,
        once: Once,
        predecessor: Predecessor,
    ) -> None:
        self._fleet = fleet
        self._deploys = deploys
        self._confirmation = confirmation
        self._once = once
        self._predecessor = predecessor

    async def answer(self, ask: Ask, reply: LivingReply) -> Reply:
        """Answer one ask, and stay until its reply is final or a question."""
        _note(ask, " ".join(ask.words))
        try:
            if isinstance(ask.caller, Unknown):
                # The policy's first row, whatever they ask: a status, too, has addresses in it.
                return await self._deploy(ask, reply, "", "")
            return await self._answer(ask, reply)
        except Exception as error:  # noqa: BLE001  (here what is broken is told in words)
            return await _broken(reply, error, ask)

    async def answered(
        self, question: Question, ask: Ask, reply: LivingReply, *, yes: bool
    ) -> Reply:
        """A yes or a no to `question`; `reply` is the question's, and becomes the deploy's."""
        said = "yes" if yes else "no"
        _note(ask, f"{said} to deploy {question.target} {question.version}".rstrip())
        try:
            became = await self._confirmation.answered(question, ask, reply, yes=yes)
        except Exception as error:  # noqa: BLE001  (as above)
            return await _broken(reply, error)
        if isinstance(became, Deploying):
            return await self._begin(replace(ask, asked=question.asked), became, reply)
        return became

    async def cancel(self, run_id: int, ask: Ask, reply: LivingReply) -> Reply:
        """Stop a deploy that has not started, for any operator; its own reply will tell how."""
        _note(ask, f"cancel run {run_id}")
        told = await self._cancel(run_id, ask)
        await reply.whisper(told)
        return told

    async def _cancel(self, run_id: int, ask: Ask) -> Notice:
        if not (isinstance(ask.caller, Human) and ask.caller.operator):
            return refused("Only operators may cancel a deploy.", "not_operator")
        try:
            return Notice((await self._fleet.api.cancel(run_id, ask.requested_by),))
        except ControlApiRefused as error:
            return refused(str(error), error.code)
        except FleetError as error:
            return broken(_words(error))

    async def _answer(self, ask: Ask, reply: LivingReply) -> Reply:
        # A telephone's keyboard begins a line with a capital.
        match (*(word.lower() for word in ask.words[:1]), *ask.words[1:]):
            case ("status",):
                return await _say(ask, reply, StatusReport(await self._fleet.status()))
            case ("status", page) if page.isdecimal():
                status = await self._fleet.status()
                return await _say(ask, reply, StatusReport(status, int(page[:6]) - 1))
            case ("deploy", *words) if len(words) <= 2:
                target, version = (*words, "", "")[:2]
                return await self._deploy(ask, reply, target, version)
            case () | ("help",):
                return await _say(ask, reply, HELP)
            case ("deploy" | "status" | "help", *_):
                wrong = "That is too many words."
            case (word, *_):
                wrong = f"I don't know `{cut(word, 40)}`."
                return await _say(ask, reply, Notice((wrong, *HELP.lines), code=UNKNOWN_COMMAND))
        return await _say(ask, reply, Notice((wrong, *HELP.lines)))

    async def _deploy(self, ask: Ask, reply: LivingReply, target: str, version: str) -> Reply:
        if target and not ask.pressed and await self._predecessor.asked(ask):
            return refused(ASKED_ALREADY, "duplicate")  # told by the reply that there is
        verdict = await self._fleet.judge(ask.caller, target, version)
        match verdict:
            case Usage(ids):
                return await _say(ask, reply, usage(ids))
            case Refused(code, message):
                log.info("fleet.refused code=%s by=%s", code, ask.account)
                return await _say(ask, reply, refused(message, code))
        if why := verdict.confirm or (SHALL_I if ask.pressed else ""):
            question = await self._confirmation.question(ask, target, version, why)
            return await _say(ask, reply, question)
        if not self._once.first(*ask.key):
            return await _say(ask, reply, refused(ASKED_ALREADY, "duplicate"))
        begun = replace(asking(target, version, ask.account), note=verdict.doubt)
        await reply.show(begun)
        return await self._begin(ask, begun, reply)

    async def _begin(self, ask: Ask, begun: Deploying, reply: LivingReply) -> Reply:
        try:
            return await self._deploys.begin(ask, begun, reply)
        except Exception as error:  # noqa: BLE001  (as above; the reply that stands must not stay)
            ended = replace(begun, progress=lost(begun.progress, _words(error)))
            await _if_possible(reply.show(ended))
            return ended


def _note(ask: Ask, what: str) -> None:
    """The audit trail: one line for each thing somebody asks, whatever comes of it."""
    log.info("fleet.asked by=%s caller=%r what=%r", ask.account, ask.caller, cut(what, 80))


async def _say(ask: Ask, reply: LivingReply, what: Reply) -> Reply:
    if ask.pressed and isinstance(what, Notice) and what.tone is not Tone.PLAIN:
        await reply.whisper(what)  # the message with the button is the others' too
    else:
        await reply.show(what)
    return what


async def _broken(reply: LivingReply, error: Exception, ask: Ask | None = None) -> Reply:
    told = broken(_words(error))
    await _if_possible(_say(ask, reply, told) if ask else reply.show(told))
    return told


async def _if_possible(said: Awaitable[object]) -> None:
    """What is broken may be the chat itself."""
    try:
        await said
    except Exception:
        log.exception("fleet.chat_broken")


def _words(error: Exception) -> str:
    """What is broken, for people; the log has it in full."""
    if isinstance(error, FleetError):
        log.warning("fleet.broken why=%s", error)
        return str(error)
    log.error("fleet.broken_inside", exc_info=error)
    return "Something broke in me; my log has it. Look at `/fleet status` before asking again."
