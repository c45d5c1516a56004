"""The words of a line as a person meant them, whatever their keyboard or a copied line made of it.

A full-width slash, a hard space and a long hyphen are what they look like; what can't be seen is
nothing; quotes, brackets, markup and a sentence's marks round a word are no part of it. What begins
a line that somebody else said (`>`, and `|` before a host's last words) is a word: it is no order.
"""

import re
import unicodedata

COMMAND = "/fleet"
# An accent that stands for a quote, and hyphens that keyboards make of one.
_MEANT = str.maketrans("´‐‑‒–—―−", "'-------")  # noqa: RUF001  (these very ones)
_ROUND = "`'\"“”„‟‘’‚‛«»‹›*_~()[]{},.;:!"  # noqa: RUF001  (these very ones)

_FILLED_IN = re.compile("<[^<>]+>")


def plain(text: str) -> str:
    """The text without what nobody can see, a byte order mark too, and in plain letters."""
    spelled = unicodedata.normalize("NFKC", text.translate(_MEANT))
    return "".join(letter for letter in spelled if unicodedata.category(letter) != "Cf")


def read(text: str) -> tuple[str, ...]:
    """Its words; where none is left there are none."""
    # A slash alone was parted from its command.
    return tuple(word for word in map(_bare, plain(text).split()) if word.strip("/"))


def _bare(word: str) -> str:
    word = word.strip(_ROUND)
    # As the help has it round what is to be filled in.
    return word[1:-1] if _FILLED_IN.fullmatch(word) else word


def is_command(word: str) -> bool:
    """Whether it is `/fleet`; a telephone's keyboard begins it with a capital."""
    return word.lower() == COMMAND


def after_a_name(text: str) -> tuple[tuple[str, ...], bool]:
    """What is asked for once the bot was named, and whether by `/fleet`: people leave that out."""
    said = read(text)
    if not said:
        return (), False
    first, asked = said[0].lstrip("/"), said[1:]
    return (asked if is_command(f"/{first}") else (first, *asked)), is_command(said[0])
