"""What a button carries: its meaning, and our mark that it is what we drew.

That is at most 64 bytes: ``fleet:<act>:<rest>``. Whoever has our token can send a button
of any data under any label, so a choice counts only under the label that we draw it with, and ends
in a question. A yes or a no carries who was asked, until when, and our mark over these, the words
that asked, its label and all that its message shows; these are read again from the messages, so
that nobody can be asked for one thing and have said yes to another. So it is with the run of a
cancel, a resume or a stop.
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
    RESUME = "r"
    ROLLBACK = "b"
    STOP = "x"
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
# What a button of one run does.
OF_A_RUN = (TelegramAct.CANCEL, TelegramAct.RESUME, TelegramAct.STOP)
# What may change a host.
ACTING = (*YES, TelegramAct.DEPLOY, TelegramAct.ROLLBACK, *OF_A_RUN)
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
        place: the chat, and the message that asked: what somebody said, or where it was a button,
            or an operation is asked about, the question's own.
        words: what was asked for.
        plan: as a `Question` has it.
    """

    asker: int
    until: int
    place: tuple[str, ...]
    words: tuple[str, ...]
    plan: str = ""


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
    return data(act, spelled(asked.asker), spelled(asked.until), *_plan(asked), mark)


def opened(
    press: TelegramPress, seal: Seal, place: tuple[str, ...], words: tuple[str, ...], *seen: str
) -> SealedQuestion | None:
    """What is answered, or None where the mark is not ours for this place, these words and what is
    seen."""
    if len(press.rest) not in (3, 4):
        return None
    asker, until, *plan, mark = press.rest
    try:
        asked = SealedQuestion(number(asker), number(until), place, words, "".join(plan))
    except ValueError:
        return None
    return asked if seal.holds(mark, *_parts(press.act, asked), *seen) else None


def of_run(act: TelegramAct, run_id: int, seal: Seal, *seen: str) -> str:
    """The data of a run's cancel, resume or stop; `seen` as in `sealed`."""
    return data(act, run_id, seal.mark("telegram", act, str(run_id), *seen))


def run_of(press: TelegramPress, seal: Seal, *seen: str) -> int | None:
    """The run that is meant, or None where the mark is not ours for what is seen."""
    match press.rest:
        case run_id, mark if run_id.isdecimal():
            ours = seal.holds(mark, "telegram", press.act, run_id, *seen)
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
    return ("telegram", act, str(asked.asker), str(asked.until), place, words, *_plan(asked))


def _plan(asked: SealedQuestion) -> tuple[str, ...]:
    return (asked.plan,) if asked.plan else ()
