"""What an operator gave as a secret's value: what is taken of it, and what is doubtful in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import FleetSecret, Kind
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


def read(secret: FleetSecret, data: bytes) -> SecretValue:
    """The value in `data`; ProvisionError where it is none, without quoting it.

    Of a single line the line ends around it are left out. Several lines are kept byte for byte.
    """
    text = _text(secret, data)
    line = text.strip("\r\n")
    several = "\n" in line or "\r" in line
    if secret.kind is Kind.TOKEN and several:
        raise ProvisionError(_no_token(secret))
    value = text if several else line
    doubts, bare = _bare(value, of_a_token=secret.kind is Kind.TOKEN)
    if not bare:
        raise ProvisionError(_empty(secret))
    notes = () if secret.kind is Kind.TOKEN else tuple(_notes(value))
    return SecretValue(value, _said(text, value), notes, " and ".join(doubts), bare)


def checked(secret: FleetSecret, text: str) -> bytes:
    """A value as it is written; ProvisionError where no platform has such a token."""
    if secret.kind is Kind.TOKEN and not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ProvisionError(_no_token(secret))
    if secret.kind is Kind.TOKEN and unquoted(text) is not None:
        raise ProvisionError(f"{secret.name} must be without quotes.")
    return text.encode()


def _text(secret: FleetSecret, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if text.startswith(_BYTE_ORDER_MARK):
        raise ProvisionError(
            f"{secret.name} begins with a byte order mark: save it as UTF-8 without one."
        )
    if not text.strip() or "\0" in text:
        raise ProvisionError(_empty(secret))
    return text


def _empty(secret: FleetSecret) -> str:
    if secret.kind is Kind.TOKEN:
        return _no_token(secret)
    return f"{secret.name} must be text in UTF-8, a line or more."


def _no_token(secret: FleetSecret) -> str:
    return f"{secret.name} must be one line of printable characters without spaces."


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
