"""Each /fleet command once, for every platform: who asks, and in which words, becomes a reply."""

import logging
from collections.abc import Awaitable
from dataclasses import replace

from clawbot import wording
from clawbot.ask import Ask, Chat
from clawbot.dispatch import Dispatcher
from clawbot.page import cut
from clawbot.progress import lost
from clawbot.replies import (
    ANSWER_WITHIN_SECONDS,
    ASKED_ALREADY,
    HELP,
    UNKNOWN_COMMAND,
    Deploying,
    Notice,
    Question,
    Reply,
    StatusReport,
    asking,
    broken,
    refused,
    usage,
)
from fleet_control.caller import ALL, Human, Unknown
from fleet_control.clock import Clock
from fleet_control.error import ControlApiRefused, FleetError
from fleet_control.fleet import Fleet
from fleet_control.policy import Condition, Refused, Usage
from fleet_control.status import FleetStatus

log = logging.getLogger(__name__)


class Commands:
    """The bot's whole repertoire. Every reply it returns has been shown in the chat already."""

    def __init__(self, fleet: Fleet, dispatcher: Dispatcher, clock: Clock) -> None:
        self._fleet = fleet
        self._dispatcher = dispatcher
        self._clock = clock

    async def answer(self, ask: Ask, chat: Chat) -> Reply:
        """Answer one ask, and stay until its reply is final or a question."""
        _note(ask, " ".join(ask.words))
        try:
            if isinstance(ask.caller, Unknown):
                # The policy's first row, whatever they ask: a status, too, has addresses in it.
                return await self._deploy(ask, chat, "", "")
            return await self._answer(ask, chat)
        except Exception as error:  # noqa: BLE001  (here what is broken is told in words)
            reply = broken(_words(error))
            await _if_possible(chat.send(reply))
            return reply

    async def confirm(self, question: Question, ask: Ask, chat: Chat, reply_id: str) -> Reply:
        """A yes to `question`, whose reply becomes the deploy's. Everything is judged again.

        The first answer counts, and counts from before it is judged. One that breaks before its
        deploy is asked for is forgotten once that is told: where the question still stands, it
        can be answered again.
        """
        _note(ask, f"yes to deploy {question.target} {question.version}".rstrip())
        if ask.account != question.asker:
            return await _say(chat, _not_asker())
        # The deploy is the one that was asked for, not the click that confirmed it.
        ask = replace(ask, asked=question.asked)
        if not self._dispatcher.claim(ask):
            return await _say(chat, self._counted(ask))
        begun: Reply | None = None
        try:
            begun = await self._confirmed(question, ask, chat, reply_id)
        except Exception as error:  # noqa: BLE001  (as above)
            reply = broken(_words(error))
            await _if_possible(chat.edit(reply_id, reply))
            return reply
        finally:
            if begun is None:
                self._dispatcher.release(ask)
        if isinstance(begun, Deploying):
            return await self._dispatch(ask, chat, begun, reply_id)
        return begun

    async def decline(self, question: Question, ask: Ask, chat: Chat, reply_id: str) -> Reply:
        """A no to `question`: nothing is deployed, unless a yes came first."""
        _note(ask, f"no to deploy {question.target} {question.version}".rstrip())
        if ask.account != question.asker:
            return await _say(chat, _not_asker())
        ask = replace(ask, asked=question.asked)
        if not self._dispatcher.decline(ask):
            return await _say(chat, self._counted(ask))
        reply = Notice((f"Nothing was deployed: `{question.target}` was left as it is.",))
        await chat.edit(reply_id, reply)
        return reply

    async def cancel(self, run_id: int, ask: Ask, chat: Chat) -> Reply:
        """Stop a deploy that has not started, for any operator; its own reply will tell how."""
        _note(ask, f"cancel run {run_id}")
        if not (isinstance(ask.caller, Human) and ask.caller.operator):
            return await _say(chat, refused("Only operators may cancel a deploy.", "not_operator"))
        try:
            words = await self._fleet.api.cancel(run_id, ask.requested_by)
        except ControlApiRefused as error:
            return await _say(chat, refused(str(error), error.code))
        except FleetError as error:
            return await _say(chat, broken(_words(error)))
        return await _say(chat, Notice((words,)))

    async def _answer(self, ask: Ask, chat: Chat) -> Reply:
        # A telephone's keyboard begins a line with a capital.
        match (*(word.lower() for word in ask.words[:1]), *ask.words[1:]):
            case ("status",):
                return await _say(chat, StatusReport(await self._fleet.status()))
            case ("status", page) if page.isdecimal():
                status = await self._fleet.status()
                return await _say(chat, StatusReport(status, int(page[:6]) - 1))
            case ("deploy", *words) if len(words) <= 2:
                target, version = (*words, "", "")[:2]
                return await self._deploy(ask, chat, target, version)
            case () | ("help",):
                return await _say(chat, HELP)
            case ("deploy" | "status" | "help", *_):
                wrong = "That is too many words."
            case (word, *_):
                wrong = f"I don't know `{cut(word, 40)}`."
                return await _say(chat, Notice((wrong, *HELP.lines), code=UNKNOWN_COMMAND))
        return await _say(chat, Notice((wrong, *HELP.lines)))

    async def _deploy(self, ask: Ask, chat: Chat, target: str, version: str) -> Reply:
        verdict = await self._fleet.judge(ask.caller, target, version)
        match verdict:
            case Usage(ids):
                return await _say(chat, usage(ids))
            case Refused():
                return await _say(chat, _no(verdict, ask))
        if verdict.confirm:
            return await _say(chat, await self._question(ask, target, version, verdict.confirm))
        if not self._dispatcher.claim(ask):
            return await _say(chat, refused(ASKED_ALREADY, "duplicate"))
        begun = replace(asking(target, version, ask.account), note=verdict.doubt)
        return await self._dispatch(ask, chat, begun, await chat.send(begun))

    async def _confirmed(self, question: Question, ask: Ask, chat: Chat, reply_id: str) -> Reply:
        """What takes the question's place: a deploy that is about to be asked for, or why not."""
        reply: Reply = asking(question.target, question.version, ask.account)
        if self._clock.now() > question.expires:
            reply = Notice(("That question is over. Ask again.",))
        else:
            verdict = await self._fleet.judge(ask.caller, question.target, question.version)
            if isinstance(verdict, Refused):
                reply = _no(verdict, ask)
        await chat.edit(reply_id, reply)
        return reply

    def _counted(self, ask: Ask) -> Notice:
        """Which answer came first, for whoever gave a second one."""
        return _SAID_NO if self._dispatcher.declined(ask) else _SAID_YES

    async def _dispatch(self, ask: Ask, chat: Chat, begun: Deploying, reply_id: str) -> Reply:
        try:
            return await self._dispatcher.deploy(
                ask, begun, reply_id, lambda reply: chat.edit(reply_id, reply)
            )
        except Exception as error:  # noqa: BLE001  (as above; the reply that stands must not stay)
            ended = replace(begun, progress=lost(begun.progress, _words(error)))
            await _if_possible(chat.edit(reply_id, ended))
            return ended

    async def _question(self, ask: Ask, target: str, version: str, why: str) -> Question:
        status = await self._fleet.status()
        replaced, created, removed = _moved(target, status, self._fleet.carrier)
        what = version and f"With {wording.version(version)}."
        now = self._clock.now()
        age = wording.registry_age(status, now)
        becomes = wording.as_of_now(version, status, now)
        return Question(
            target=target,
            version=version,
            asker=ask.account,
            asked=ask.asked,
            expires=now + ANSWER_WITHIN_SECONDS,
            why=" ".join(part for part in (why, what, age, becomes) if part),
            replaced=replaced,
            created=created,
            removed=removed,
        )


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


def _note(ask: Ask, what: str) -> None:
    """The audit trail: one line for each thing somebody asks, whatever comes of it."""
    log.info("fleet.asked by=%s caller=%r what=%r", ask.account, ask.caller, cut(what, 80))


def _no(verdict: Refused, ask: Ask) -> Notice:
    log.info("fleet.refused code=%s by=%s", verdict.code, ask.account)
    return refused(verdict.message, verdict.code)


async def _say(chat: Chat, reply: Reply) -> Reply:
    await chat.send(reply)
    return reply


def _not_asker() -> Notice:
    return refused("Only the one who asked may answer that.", "not_asker")


_SAID_YES = refused(
    "That was answered already, with a yes; its own reply tells how it goes.", "duplicate"
)
_SAID_NO = refused(
    "That was answered already, with a no: nothing is deployed. Ask again if you want it.",
    "duplicate",
)


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
