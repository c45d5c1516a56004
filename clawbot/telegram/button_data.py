"""What a button carries: its meaning, and our mark that it is what we drew.

That is at most 64 bytes: ``fleet:<act>:<rest>``. Whoever has our token can send a button
of any data under any label, so a choice counts only under the label that we draw it with, and ends
in a question. A yes or a no carries who was asked, until when, and our mark over these, the words
that asked, its label and all that its message shows; these are read again from the messages, so
that nobody can be asked for one thing and have said yes to another. So it is with a cancel's run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from telegram import InlineKeyboardButton, Message

from clawbot.base62 import number, spelled
from clawbot.seal import Seal, legible

PATTERN = r"^fleet:[a-zA-Z]:"


class TelegramAct(StrEnum):
    """What a button does. The capital ones answer a question that a button asked."""

    ASK = "a"
    STATUS = "s"
    TARGETS = "t"
    IMAGES = "i"
    DEPLOY = "d"
    CANCEL = "c"
    YES = "y"
    NO = "n"
    OVERRIDE = "o"
    """A yes, although the fleet is frozen."""
    YES_TO_BUTTON = "Y"
    NO_TO_BUTTON = "N"
    OVERRIDE_TO_BUTTON = "O"
    HISTORY = "h"


OVERRIDES = (TelegramAct.OVERRIDE, TelegramAct.OVERRIDE_TO_BUTTON)
YES = (TelegramAct.YES, TelegramAct.YES_TO_BUTTON, *OVERRIDES)
# What may change a host.
ACTING = (*YES, TelegramAct.DEPLOY, TelegramAct.CANCEL)
ANSWERS = (*YES, TelegramAct.NO, TelegramAct.NO_TO_BUTTON)


@dataclass(frozen=True, slots=True)
class TelegramPress:
    """A button as it was pressed; what its `rest` means depends on the act."""

    act: TelegramAct
    rest: tuple[str, ...]

    @property
    def page(self) -> int:
        return int(self.rest[0][:6]) if self.rest and self.rest[0].isdecimal() else 0


@dataclass(frozen=True, slots=True)
class SealedQuestion:
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


def data(act: TelegramAct, *rest: str | int) -> str:
    return ":".join(("fleet", act, *map(str, rest)))


def read(text: str) -> TelegramPress | None:
    """The press, or None where it is no button of ours."""
    match text.split(":"):
        case ["fleet", act, *rest] if act in list(TelegramAct):
            return TelegramPress(TelegramAct(act), tuple(rest))
    return None


def sealed(act: TelegramAct, asked: SealedQuestion, seal: Seal, *seen: str) -> str:
    """The data of a yes or a no; `seen` is its label, and what can be read in its message."""
    mark = seal.mark(*_parts(act, asked), *seen)
    return data(act, spelled(asked.asker), spelled(asked.until), mark)


def opened(
    press: TelegramPress, seal: Seal, place: tuple[str, ...], words: tuple[str, ...], *seen: str
) -> SealedQuestion | None:
    """What is answered, or None where the mark is not ours for this place, these words and what is
    seen."""
    if len(press.rest) != 3:
        return None
    asker, until, mark = press.rest
    try:
        asked = SealedQuestion(number(asker), number(until), place, words)
    except ValueError:
        return None
    return asked if seal.holds(mark, *_parts(press.act, asked), *seen) else None


def cancelling(run_id: int, seal: Seal, *seen: str) -> str:
    """The data of a run's cancel; `seen` as in `sealed`."""
    mark = seal.mark("telegram", TelegramAct.CANCEL, str(run_id), *seen)
    return data(TelegramAct.CANCEL, run_id, mark)


def cancelled(press: TelegramPress, seal: Seal, *seen: str) -> int | None:
    """The run to cancel, or None where the mark is not ours for what is seen."""
    match press.rest:
        case run_id, mark if run_id.isdecimal():
            ours = seal.holds(mark, "telegram", TelegramAct.CANCEL, run_id, *seen)
            return int(run_id) if ours else None
    return None


def label_of(message: Message, data: str | None) -> str:
    """What the button with this data says below that message; empty where there is none."""
    return next((one.text for one in _buttons(message) if one.callback_data == data), "")


def legible_in(message: Message) -> str:
    """All that can be read in a message and on its buttons."""
    return legible(message.text or "", *(one.text for one in _buttons(message)))


def _buttons(message: Message) -> Iterator[InlineKeyboardButton]:
    for row in message.reply_markup.inline_keyboard if message.reply_markup else ():
        yield from row


def _parts(act: TelegramAct, asked: SealedQuestion) -> tuple[str, ...]:
    place, words = ",".join(asked.place), ",".join(asked.words)
    return ("telegram", act, str(asked.asker), str(asked.until), place, words)
