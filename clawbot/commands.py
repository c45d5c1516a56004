"""Each /fleet command, declared once for every platform.

A new one is a request, its entry in `COMMANDS` and its case in `answers`: the platforms register
it, complete its options and write its help from there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from clawbot.replies import Notice
from clawbot.requests import (
    Cancel,
    Deploy,
    FreezeFor,
    Help,
    History,
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
from fleet_control.run_title import is_run_id

UNITS: Mapping[str, int] = {"m": 60, "h": 3600, "d": 24 * 3600}
DURATION = re.compile(r"([1-9]\d{0,4})([mhd])")


class Who(StrEnum):
    """For whom a command is; the policy judges each time whether this one may."""

    EVERYONE = "everyone"
    OPERATORS = "operators"


class OptionKind(StrEnum):
    """What an option is."""

    NUMBER = "number"
    TARGET = "target"
    IMAGE = "image"
    RUN = "run"
    DURATION = "duration"
    TEXT = "text"
    """All the words that are left."""

    @property
    def is_number(self) -> bool:
        return self in (OptionKind.NUMBER, OptionKind.RUN)

    @property
    def is_offered(self) -> bool:
        """Whether there are some to choose from."""
        return self in (OptionKind.TARGET, OptionKind.IMAGE, OptionKind.RUN)


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
        match self.kind:
            case OptionKind.NUMBER:
                return int(word[:6]) if word.isdecimal() else None
            case OptionKind.RUN:
                return int(word) if is_run_id(word) else None
            case OptionKind.DURATION:
                return duration(word)
            case _:
                return word


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
                "as that image or commit instead of the newest",
                OptionKind.IMAGE,
            ),
        ),
    ),
    Command(
        "rollback",
        "go back to what a host, or each of `all`, ran before its last successful deploy",
        Who.OPERATORS,
        Rollback,
        (Option("target", "an instance's id, or `all`", OptionKind.TARGET, required=True),),
    ),
    Command(
        "resume",
        "take up a roll that stopped, from where it stopped",
        Who.OPERATORS,
        Resume,
        (Option("run", "the id of the run that stopped", OptionKind.RUN, required=True),),
    ),
    Command("stop", "end the roll that runs after the host that it is at", Who.OPERATORS, Stop),
    Command(
        "cancel",
        "cancel the deploy that waits",
        Who.OPERATORS,
        Cancel,
        (Option("run", "the one of this id, where several wait", OptionKind.RUN),),
    ),
    Command(
        "freeze",
        "refuse deploys for four hours",
        Who.OPERATORS,
        FreezeFor,
        (
            Option(
                "duration",
                "for as long as you say, such as `2h`; 7 days at most",
                OptionKind.DURATION,
            ),
            Option("reason", "and tell everybody why", OptionKind.TEXT),
        ),
    ),
    Command("unfreeze", "allow deploys again", Who.OPERATORS, Unfreeze),
    Command("unlock", "break the lock on the state that a lost run left", Who.OPERATORS, Unlock),
    Command(
        "history",
        "the last deploys, and what they changed",
        Who.EVERYONE,
        History,
        (
            Option("target", "only those of one instance, or of `all`", OptionKind.TARGET),
            Option("page", "another page", OptionKind.NUMBER),
        ),
    ),
    Command(
        "run",
        "one deploy, kept up to date while it runs",
        Who.EVERYONE,
        ShowRun,
        (Option("run", "the run's id", OptionKind.RUN, required=True),),
    ),
    Command("preflight", "whether a deploy would work", Who.EVERYONE, Preflight),
    Command("help", "what can be asked", Who.EVERYONE, Help),
)
HELP = Notice(tuple(line for command in COMMANDS for line in command.lines))


def command_of(request: Request) -> Command:
    return next(one for one in COMMANDS if one.request is type(request))


def duration(word: str) -> int | None:
    """A duration as typed, in seconds."""
    found = DURATION.fullmatch(word.lower())
    return int(found[1]) * UNITS[found[2]] if found else None


def usage(ids: tuple[str, ...], request: Deploy | Rollback | None = None) -> Notice:
    """How to ask for a deploy or a rollback, with the ids that could be named."""
    named = ", ".join(f"`{id_}`" for id_ in ids[:20])
    more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
    known = f"Targets: `all`, {named}{more}." if ids else "I can't see the registry just now."
    asked = command_of(request or Deploy())
    return Notice((f"Say which: `/fleet {asked.syntax}`.", known), ids=ids, ids_of=asked.name)
