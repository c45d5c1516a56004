"""What is asked for, read from words or from options that were picked, and spelled in words."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from clawbot.commands import (
    COMMANDS,
    HELP,
    UNITS,
    Command,
    Option,
    OptionKind,
    Who,
    command_of,
)
from clawbot.replies import UNKNOWN_COMMAND, Notice
from clawbot.requests import Help, Request
from fleet_control.line import code

# Stands before a duration where one is said in words.
_FOR = "for"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Words that ask for nothing we know: `said` is what they were, `why` answers them."""

    said: str
    why: Notice


def parse(words: tuple[str, ...]) -> Request | Unreadable:
    """What is asked for by the words after `/fleet`."""
    if not words:
        return Help()
    # A telephone's keyboard begins a line with a capital.
    name, given = words[0].lower(), words[1:]
    command = next((one for one in COMMANDS if one.name == name), None)
    if command is None:
        return _unreadable((name, *given), f"I don't know {code(name)}.")
    return read(command, given)


def read(command: Command, given: tuple[str, ...]) -> Request | Unreadable:
    """What that command is asked with these words, in the order of its options."""
    values: dict[str, Any] = {}
    left = given
    for option in command.options:
        word, left = _taken(option, left)
        if word is not None:
            if (value := option.read(word)) is None:
                return _misread(command, option, word, given)
            values[option.name] = value
    if left:
        return _unreadable((command.name, *given), "That is too many words.", command)
    return command.request(**values)


_MEANT = {
    OptionKind.NUMBER: "The page is a number, which {} is not.",
    OptionKind.RUN: "A run is named by its id, a number, which {} is not.",
    OptionKind.DURATION: "A duration is said as in `90m`, `2h` or `3d`, which {} is not.",
}


def chosen(command: Command, given: Mapping[str, str]) -> Request | Unreadable:
    """The same of options that are named, without those that are empty."""
    values: dict[str, Any] = {}
    for option in command.options:
        if word := given.get(option.name, ""):
            if option.kind is OptionKind.DURATION:
                word = word.lower().removeprefix(_FOR).strip()
            if (value := option.read(word)) is None:
                return _misread(command, option, word, tuple(given.values()))
            values[option.name] = value
    return command.request(**values)


def _misread(command: Command, option: Option, word: str, given: tuple[str, ...]) -> Unreadable:
    wrong = _MEANT[option.kind].format(code(word))
    return _unreadable((command.name, *given), wrong, command)


def _taken(option: Option, left: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The word that is this option's, if one is, and the words after it."""
    if not left:
        return None, left
    if option.kind is OptionKind.TEXT:
        return " ".join(left), ()
    if option.kind is OptionKind.TARGET and not option.required and left[0].isdecimal():
        return None, left  # a page's number, which needs no target before it
    if option.kind is not OptionKind.DURATION:
        return left[0], left[1:]
    if left[0].lower() == _FOR and len(left) > 1:
        return left[1], left[2:]
    # What begins with a digit is meant for one: `1w` is no reason to freeze for the usual time.
    return (left[0], left[1:]) if left[0][0].isdecimal() else (None, left)


def _unreadable(words: tuple[str, ...], wrong: str, meant: Command | None = None) -> Unreadable:
    """What was wrong, and how that command is asked; every command where none was meant."""
    help_ = tuple(meant.lines) if meant else HELP.lines
    why = Notice((wrong, *help_), code="" if meant else UNKNOWN_COMMAND)
    return Unreadable(" ".join(words), why)


def typed(request: Request | Unreadable) -> tuple[str, ...]:
    """The words that ask for it, without those that change nothing."""
    if isinstance(request, Unreadable):
        return (request.said,)
    command = command_of(request)
    given = zip(command.options, astuple(request), astuple(command.request()), strict=True)
    return (
        command.name,
        *(
            word
            for option, value, default in given
            if value != default
            for word in _spelled(option, value)
        ),
    )


def _spelled(option: Option, value: str | int) -> tuple[str, ...]:
    if option.kind is not OptionKind.DURATION:
        return (str(value),)
    unit = next(one for one in ("d", "h", "m") if int(value) % UNITS[one] == 0)
    return (_FOR, f"{int(value) // UNITS[unit]}{unit}")


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
