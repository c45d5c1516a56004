"""Each /fleet command once, for every platform: declared, read from what was said, and answered.

A new one is a request, its entry in `COMMANDS` and its case in `Commands`: the platforms register
it, complete its options and write its help from there.
"""

import logging
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import Any

from clawbot.ask import Ask
from clawbot.confirmation import Confirmation
from clawbot.deploy import Deploys
from clawbot.living_reply import LivingReply
from clawbot.once import Once
from clawbot.predecessor import Predecessor
from clawbot.replies import (
    ASKED_ALREADY,
    UNKNOWN_COMMAND,
    Notice,
    Reply,
    StatusReport,
    asking,
    refused,
)
from clawbot.speaker import DOUBTED
from fleet_control.caller import Unknown
from fleet_control.fleet import Fleet
from fleet_control.line import code
from fleet_control.policy import Refused, Usage

# Why a press is asked about where nothing else is worth asking.
SHALL_I = "Shall I?"

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


class OptionKind(StrEnum):
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
    kind: OptionKind
    required: bool = False

    @property
    def spoken(self) -> str:
        return self.name.replace("_", " ")

    def read(self, word: str) -> str | int | None:
        """Its value as typed, None where that is none; six digits are more than there are pages."""
        if self.kind is not OptionKind.NUMBER:
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
        (Option("page", "another page, where there are more", OptionKind.NUMBER),),
    ),
    Command(
        "deploy",
        "replace one host by its id, or `all`, with the newest image",
        Who.OPERATORS,
        Deploy,
        (
            Option("target", "an instance's id, or `all`", OptionKind.TARGET, required=True),
            Option(
                "image_or_commit",
                "a rollback, to that image or commit instead of the newest",
                OptionKind.IMAGE,
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
        return _unreadable(words, f"I don't know {code(name)}.", UNKNOWN_COMMAND)
    if len(given) > len(command.options):
        return _unreadable(words, "That is too many words.")
    values: dict[str, Any] = {}
    for option, word in zip(command.options, given, strict=False):
        values[option.name] = option.read(word)
        if values[option.name] is None:
            told = f"The {option.spoken} is a number, which {code(word)} is not."
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


def in_words(request: Request | Unreadable) -> str:
    """The same in one line, for the audit trail."""
    return " ".join(typed(request))


def is_asked(words: tuple[str, ...]) -> bool:
    """Whether these ask for something, though no `/fleet` stands before them."""
    return bool(words) and not isinstance(parse(words), Unreadable)


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
    """Answers each command.

    Every reply it returns has been shown in the chat already, but for that to an ask which an
    earlier process of this bot took: the reply that there is tells of it.
    """

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

    async def answer(self, ask: Ask, request: Request | Unreadable, reply: LivingReply) -> Reply:
        """Answer one ask, and stay until its reply is final or a question."""
        ask.audit(in_words(request))
        try:
            return await self._answer(ask, request, reply)
        except Exception as error:  # noqa: BLE001  (here what is broken is told in words)
            return await reply.broke(error)

    async def _answer(self, ask: Ask, request: Request | Unreadable, reply: LivingReply) -> Reply:
        if isinstance(ask.caller, Unknown):
            # The policy's first row, whatever they ask: a status, too, has addresses in it.
            return await self._deploy(ask, Deploy(), reply)
        if ask.doubted and acts(request):
            return await reply.answer(DOUBTED)
        match request:
            case Status(page):
                status = await self._fleet.hosts()
                return await reply.answer(StatusReport(status, page - 1))
            case Deploy():
                return await self._deploy(ask, request, reply)
            case Help():
                return await reply.answer(HELP)
            case Unreadable(why=why):
                return await reply.answer(why)

    async def _deploy(self, ask: Ask, wanted: Deploy, reply: LivingReply) -> Reply:
        target, image_or_commit = wanted.target, wanted.image_or_commit
        if target and not ask.pressed and await self._predecessor.asked(ask):
            return refused(ASKED_ALREADY, "duplicate")
        verdict = await self._fleet.judge(ask.caller, target, image_or_commit)
        match verdict:
            case Usage(ids):
                return await reply.answer(usage(ids))
            case Refused(code, message):
                log.info("fleet.refused code=%s by=%s", code, ask.account)
                return await reply.answer(refused(message, code))
        if why := verdict.confirm or (SHALL_I if ask.pressed else ""):
            question = await self._confirmation.question(ask, target, image_or_commit, why)
            return await reply.answer(question)
        if not self._once.first(*ask.key):
            return await reply.answer(refused(ASKED_ALREADY, "duplicate"))
        begun = replace(asking(target, image_or_commit, ask.account), note=verdict.doubt)
        await reply.show(begun)
        return await self._deploys.begin(ask, begun, reply)
