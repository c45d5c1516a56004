"""What an operator gave as a secret's value: what is taken of it, and what is doubtful in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import Kind
from fleet_control.settings import unquoted

_BYTE_ORDER_MARK = "\ufeff"
_VARIABLE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SecretValue:
    """A secret's value.

    Attributes:
        text: as it is kept.
        said: what that is, in words.
        notes: what else to tell, a sentence each.
        doubt: how it stands there, where it is hardly meant so, as in "in quotes"; empty if well.
        bare: the text without that.
    """

    text: str
    said: str
    notes: tuple[str, ...] = ()
    doubt: str = ""
    bare: str = ""

    def without_doubt(self) -> Self:
        """What stands inside the quotes and the like."""
        said = f"{_size(self.bare)}, without what stood around it"
        return replace(self, text=self.bare, said=said, doubt="", notes=())


def read(name: str, kind: Kind, data: bytes) -> SecretValue:
    """The value in `data`; ProvisionError where it is none, without quoting it.

    Of a single line the line ends around it are left out. Several lines are kept byte for byte.
    """
    text = _text(name, kind, data)
    line = text.strip("\r\n")
    several = "\n" in line or "\r" in line
    if kind is Kind.TOKEN and several:
        raise ProvisionError(_right(name, kind))
    value = text if several else line
    doubts, bare = _bare(value, of_a_token=kind is Kind.TOKEN)
    if not bare:
        raise ProvisionError(_right(name, kind))
    notes = () if kind is Kind.TOKEN else tuple(_notes(value))
    return SecretValue(value, _said(text, value), notes, " and ".join(doubts), bare)


def checked(name: str, kind: Kind, text: str) -> bytes:
    """A value as it is written; ProvisionError where no platform has such a token."""
    if kind is Kind.TOKEN and not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ProvisionError(_right(name, kind))
    return text.encode()


def _text(name: str, kind: Kind, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if text.startswith(_BYTE_ORDER_MARK):
        raise ProvisionError(f"{name} begins with a byte order mark: save it as UTF-8 without one.")
    if not text.strip() or "\0" in text:
        raise ProvisionError(_right(name, kind))
    return text


def _right(name: str, kind: Kind) -> str:
    if kind is Kind.TOKEN:
        return f"{name} must be one line of printable characters without spaces."
    return f"{name} must be text in UTF-8, a line or more."


def _bare(value: str, *, of_a_token: bool) -> tuple[list[str], str]:
    """How it stands there, if not by itself, and the value that is meant."""
    doubts: list[str] = []
    bare = value
    while True:
        stripped = bare.strip()
        variable = _VARIABLE.fullmatch(stripped) if of_a_token else None
        if (inner := unquoted(stripped)) is not None:
            doubts.append("in quotes")
            bare = inner
        elif variable and variable[2].strip("="):
            doubts.append(f"behind the name of a variable ({variable[1]}=)")
            bare = variable[2]
        elif stripped != bare and "\n" not in bare:
            doubts.append("between spaces")
            bare = stripped
        else:
            return list(dict.fromkeys(doubts)), bare


def _notes(value: str) -> Iterator[str]:
    found = [_VARIABLE.fullmatch(line.rstrip()) for line in value.splitlines()]
    variables = [line for line in found if line and line[2].strip("=")]
    if len(found) == 1 and variables:
        yield f"It is the line of a variable ({variables[0][1]}=), and kept as that."
    quoted = [line[1] for line in variables if unquoted(line[2]) is not None]
    if quoted:
        names = ", ".join(quoted)
        yield f"The quotes around the value of {names} are kept: whoever reads it takes them off."


def _said(text: str, value: str) -> str:
    if len(value.splitlines()) > 1:
        ends = ", with Windows' line ends (CRLF)" if "\r\n" in value else ""
        return f"{_size(value)}, as they are{ends}"
    return _size(value) + (", without the line end after it" if text != value else "")


def _size(value: str) -> str:
    lines, size = len(value.splitlines()), len(value)
    characters = f"{size} character{'s' if size > 1 else ''}"
    return f"{lines} lines of {characters} in all" if lines > 1 else f"one line of {characters}"
