"""Each /fleet command once, for every platform: declared, read from what was said, and answered.

A new one is a request, its entry in `COMMANDS` and its case in `Commands`: the platforms register
it, complete its options and write its help from there.
"""

import logging
from collections.abc import Awaitable, Iterator
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import Any

from clawbot import wording
from clawbot.ask import Ask, Chat
from clawbot.dispatch import Dispatcher
from clawbot.page import cut
from clawbot.progress import lost
from clawbot.replies import (
    ANSWER_WITHIN_SECONDS,
    ASKED_ALREADY,
    UNKNOWN_COMMAND,
    Deploying,
    Notice,
    Question,
    Reply,
    StatusReport,
    asking,
    broken,
    refused,
)
from fleet_control.caller import ALL, Human, Unknown
from fleet_control.clock import Clock
from fleet_control.error import ControlApiRefused, FleetError
from fleet_control.fleet import Fleet
from fleet_control.policy import Condition, Refused, Usage
from fleet_control.status import FleetStatus

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How the fleet is; `page` counts from 1, as people do."""

    page: int = 1


@dataclass(frozen=True, slots=True)
class Deploy:
    """Replace hosts, with the newest image where none is named; no target asks which there are."""

    target: str = ""
    image_or_commit: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be asked."""


Request = Status | Deploy | Help


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Words that ask for nothing we know: `said` is what they were, `why` answers them."""

    said: str
    why: Notice


class Who(StrEnum):
    """For whom a command is; the policy judges each time whether this one may."""

    EVERYONE = "everyone"
    OPERATORS = "operators"


class Kind(StrEnum):
    """What an option is; of all but a number, platforms offer what there is while it is typed."""

    NUMBER = "number"
    TARGET = "target"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a command can be told, by the name of its request's field.

    Attributes:
        help: what it is; of one that is not required also what the command does with it.
        required: whether a form can't be sent without it. Typed without it, the command says how
            it is asked for.
    """

    name: str
    help: str
    kind: Kind
    required: bool = False

    @property
    def spoken(self) -> str:
        return self.name.replace("_", " ")

    def read(self, word: str) -> str | int | None:
        """Its value as typed, None where that is none; six digits are more than there are pages."""
        if self.kind is not Kind.NUMBER:
            return word
        return int(word[:6]) if word.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Command:
    """A command; its options are those of its request, in the order in which they are typed."""

    name: str
    help: str
    who: Who
    request: type[Request]
    options: tuple[Option, ...] = ()

    @property
    def syntax(self) -> str:
        """What is typed after `/fleet`."""
        options = (f"<{one.spoken}>" if one.required else f"[{one.spoken}]" for one in self.options)
        return " ".join((self.name, *options))

    @property
    def lines(self) -> Iterator[str]:
        """The help: what it does by itself, and with each option that may be left out."""
        least = " ".join((self.name, *(f"<{one.spoken}>" for one in self.options if one.required)))
        yield f"`/fleet {least}`: {self.help}"
        for option in self.options:
            if not option.required:
                yield f"`/fleet {least} <{option.spoken}>`: {option.help}"


COMMANDS = (
    Command(
        "status",
        "every instance, its host, and what is wrong",
        Who.EVERYONE,
        Status,
        (Option("page", "another page, where there are more", Kind.NUMBER),),
    ),
    Command(
        "deploy",
        "replace one host by its id, or `all`, with the newest image",
        Who.OPERATORS,
        Deploy,
        (
            Option("target", "an instance's id, or `all`", Kind.TARGET, required=True),
            Option(
                "image_or_commit",
                "a rollback, to that image or commit instead of the newest",
                Kind.IMAGE,
            ),
        ),
    ),
    Command("help", "what can be asked", Who.EVERYONE, Help),
)
HELP = Notice(tuple(line for command in COMMANDS for line in command.lines))


def parse(words: tuple[str, ...]) -> Request | Unreadable:
    """What is asked for by the words after `/fleet`."""
    if not words:
        return Help()
    # A telephone's keyboard begins a line with a capital.
    name, given = words[0].lower(), words[1:]
    words = (name, *given)
    command = next((one for one in COMMANDS if one.name == name), None)
    if command is None:
        return _unreadable(words, f"I don't know `{cut(name, 40)}`.", UNKNOWN_COMMAND)
    if len(given) > len(command.options):
        return _unreadable(words, "That is too many words.")
    values: dict[str, Any] = {}
    for option, word in zip(command.options, given, strict=False):
        values[option.name] = option.read(word)
        if values[option.name] is None:
            told = f"The {option.spoken} is a number, which `{cut(word, 40)}` is not."
            return _unreadable(words, told)
    return command.request(**values)


def _unreadable(words: tuple[str, ...], wrong: str, code: str = "") -> Unreadable:
    return Unreadable(" ".join(words), Notice((wrong, *HELP.lines), code=code))


def command_of(request: Request) -> Command:
    return next(one for one in COMMANDS if one.request is type(request))


def typed(request: Request | Unreadable) -> tuple[str, ...]:
    """The words that ask for it, without those that change nothing."""
    if isinstance(request, Unreadable):
        return (request.said,)
    command = command_of(request)
    given = zip(astuple(request), astuple(command.request()), strict=True)
    return (command.name, *(str(value) for value, default in given if value != default))


def acts(request: Request | Unreadable) -> bool:
    """Whether it is for operators only, and says all that it needs to begin something."""
    if isinstance(request, Unreadable) or command_of(request).who is Who.EVERYONE:
        return False
    options = command_of(request).options
    return all(getattr(request, option.name) for option in options if option.required)


def usage(ids: tuple[str, ...]) -> Notice:
    """How to ask for a deploy, with the ids that could be named."""
    named = ", ".join(f"`{id_}`" for id_ in ids[:20])
    more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
    known = f"Targets: `all`, {named}{more}." if ids else "I can't see the registry just now."
    return Notice((f"Say which: `/fleet {command_of(Deploy()).syntax}`.", known), ids=ids)


class Commands:
    """The bot's whole repertoire. Every reply it returns has been shown in the chat already."""

    def __init__(self, fleet: Fleet, dispatcher: Dispatcher, clock: Clock) -> None:
        self._fleet = fleet
        self._dispatcher = dispatcher
        self._clock = clock

    async def answer(self, ask: Ask, request: Request | Unreadable, chat: Chat) -> Reply:
        """Answer one ask, and stay until its reply is final or a question."""
        _note(ask, " ".join(typed(request)))
        try:
            if isinstance(ask.caller, Unknown):
                # The policy's first row, whatever they ask: a status, too, has addresses in it.
                return await self._deploy(ask, chat, "", "")
            return await self._answer(ask, request, chat)
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

    async def _answer(self, ask: Ask, request: Request | Unreadable, chat: Chat) -> Reply:
        match request:
            case Status(page):
                return await _say(chat, StatusReport(await self._fleet.status(), page - 1))
            case Deploy(target, image_or_commit):
                return await self._deploy(ask, chat, target, image_or_commit)
            case Help():
                return await _say(chat, HELP)
            case Unreadable(why=why):
                return await _say(chat, why)

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
