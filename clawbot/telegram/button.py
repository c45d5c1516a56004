"""What a button means, in the at most 64 bytes that Telegram lets it carry.

``fleet:<act>:<rest>``. Whoever has our token can send a button of any data under any label, so a
press alone deploys nothing: a choice ends in a question. A yes or a no carries who was asked, until
when, and our mark over these and the words that asked; the words are read again from the message
that asked, so that nobody can be asked for one thing and have said yes to another. A cancel carries
our mark over its run.
"""

from dataclasses import dataclass
from enum import StrEnum

from clawbot.base62 import number, spelled
from clawbot.seal import Seal

PATTERN = r"^fleet:[a-zA-Z]:"


class Act(StrEnum):
    """What a button does. The capital ones answer a question that a button asked."""

    ASK = "a"
    STATUS = "s"
    TARGETS = "t"
    IMAGES = "i"
    DEPLOY = "d"
    CANCEL = "c"
    YES = "y"
    NO = "n"
    YES_TO_BUTTON = "Y"
    NO_TO_BUTTON = "N"


YES = (Act.YES, Act.YES_TO_BUTTON)
ACTING = (*YES, Act.DEPLOY, Act.CANCEL)
ANSWERS = (*YES, Act.NO, Act.NO_TO_BUTTON)


@dataclass(frozen=True, slots=True)
class Press:
    """A button as it was pressed; what its `rest` means depends on the act."""

    act: Act
    rest: tuple[str, ...]

    @property
    def page(self) -> int:
        return int(self.rest[0]) if self.rest and self.rest[0][:6].isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a yes or a no answers.

    Attributes:
        asker: user id of the only one who may press it.
        until: Unix seconds.
        place: the chat, and the message that asked; empty for a button's question.
        words: what was asked for.
    """

    asker: int
    until: int
    place: tuple[str, ...]
    words: tuple[str, ...]


def data(act: Act, *rest: str | int) -> str:
    return ":".join(("fleet", act, *map(str, rest)))


def read(text: str) -> Press | None:
    """The press, or None where it is no button of ours."""
    match text.split(":"):
        case ["fleet", act, *rest] if act in list(Act):
            return Press(Act(act), tuple(rest))
    return None


def sealed(act: Act, asked: Asked, seal: Seal) -> str:
    """The data of a yes or a no."""
    mark = seal.mark(*_parts(act, asked))
    return data(act, spelled(asked.asker), spelled(asked.until), mark)


def opened(
    press: Press, seal: Seal, place: tuple[str, ...], words: tuple[str, ...]
) -> Asked | None:
    """What is answered, or None where the mark is not ours for this place and these words."""
    if len(press.rest) != 3:
        return None
    asker, until, mark = press.rest
    try:
        asked = Asked(number(asker), number(until), place, words)
    except ValueError:
        return None
    return asked if seal.holds(mark, *_parts(press.act, asked)) else None


def cancelling(run_id: int, seal: Seal) -> str:
    """The data of a run's cancel."""
    return data(Act.CANCEL, run_id, seal.mark("telegram", Act.CANCEL, str(run_id)))


def cancelled(press: Press, seal: Seal) -> int | None:
    """The run to cancel, or None where the mark is not ours."""
    match press.rest:
        case run_id, mark if run_id.isdecimal():
            return int(run_id) if seal.holds(mark, "telegram", Act.CANCEL, run_id) else None
    return None


def _parts(act: Act, asked: Asked) -> tuple[str, ...]:
    place, words = ",".join(asked.place), ",".join(asked.words)
    return ("telegram", act, str(asked.asker), str(asked.until), place, words)
