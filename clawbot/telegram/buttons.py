"""The buttons below a reply: what each means, and how it is drawn.

A button carries at most 64 bytes: ``fleet:<act>:<rest>``. Whoever has our token can send a button
of any data under any label, so a press alone deploys nothing: a choice ends in a question. A yes or
a no carries who was asked, until when, and our mark over these and the words that asked; the words
are read again from the message that asked, so that nobody can be asked for one thing and have said
yes to another. A cancel carries our mark over its run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessage,
    Message,
)

from clawbot.base62 import number, spelled
from clawbot.commands import COMMANDS, HELP, Command, Help
from clawbot.page import page
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport
from clawbot.seal import Seal
from clawbot.telegram.messages import code, plain, question_words, render, status_page
from fleet_control.caller import ALL
from fleet_control.clock import Clock
from fleet_control.duration import older
from fleet_control.host import Image
from fleet_control.line import printable
from fleet_control.status import FleetStatus

TARGETS_A_PAGE = 24
IMAGES_SHOWN = 8
_IMAGE = "ami-"
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
    YES_TO_BUTTON = "Y"
    NO_TO_BUTTON = "N"


YES = (TelegramAct.YES, TelegramAct.YES_TO_BUTTON)
ACTING = (*YES, TelegramAct.DEPLOY, TelegramAct.CANCEL)
ANSWERS = (*YES, TelegramAct.NO, TelegramAct.NO_TO_BUTTON)


@dataclass(frozen=True, slots=True)
class TelegramPress:
    """A button as it was pressed; what its `rest` means depends on the act."""

    act: TelegramAct
    rest: tuple[str, ...]

    @property
    def page(self) -> int:
        return int(self.rest[0]) if self.rest and self.rest[0][:6].isdecimal() else 0


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


def sealed(act: TelegramAct, asked: SealedQuestion, seal: Seal) -> str:
    """The data of a yes or a no."""
    mark = seal.mark(*_parts(act, asked))
    return data(act, spelled(asked.asker), spelled(asked.until), mark)


def opened(
    press: TelegramPress, seal: Seal, place: tuple[str, ...], words: tuple[str, ...]
) -> SealedQuestion | None:
    """What is answered, or None where the mark is not ours for this place and these words."""
    if len(press.rest) != 3:
        return None
    asker, until, mark = press.rest
    try:
        asked = SealedQuestion(number(asker), number(until), place, words)
    except ValueError:
        return None
    return asked if seal.holds(mark, *_parts(press.act, asked)) else None


def cancelling(run_id: int, seal: Seal) -> str:
    """The data of a run's cancel."""
    return data(TelegramAct.CANCEL, run_id, seal.mark("telegram", TelegramAct.CANCEL, str(run_id)))


def cancelled(press: TelegramPress, seal: Seal) -> int | None:
    """The run to cancel, or None where the mark is not ours."""
    match press.rest:
        case run_id, mark if run_id.isdecimal():
            return int(run_id) if seal.holds(mark, "telegram", TelegramAct.CANCEL, run_id) else None
    return None


def _parts(act: TelegramAct, asked: SealedQuestion) -> tuple[str, ...]:
    place, words = ",".join(asked.place), ",".join(asked.words)
    return ("telegram", act, str(asked.asker), str(asked.until), place, words)


Label = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DrawnText:
    """What is sent; `keyboard` is None where there is nothing to press."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What asked: a message of somebody's, or a button below message `message` of ours.

    Attributes:
        topic: the forum's topic that it is in; None in its General one, which no message may name,
            and where there are none. In a group's other threads an answer lands by itself.
    """

    chat: int
    message: int
    by_button: bool = False
    topic: int | None = None

    @classmethod
    def of(cls, message: MaybeInaccessibleMessage, *, by_button: bool = False) -> "Origin":
        in_topic = isinstance(message, Message) and message.is_topic_message
        topic = message.message_thread_id if isinstance(message, Message) and in_topic else None
        return cls(message.chat.id, message.message_id, by_button, topic)

    @property
    def place(self) -> tuple[str, ...]:
        return (str(self.chat), str(self.message))


class TelegramDrawing:
    """Draws for one bot; its marks hold for that bot only."""

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock

    def draw(self, reply: Reply, origin: Origin, number: int = 0) -> DrawnText:
        """`number` is the page of a choice."""
        return DrawnText(
            render(reply, self._clock.now()), _keyboard(self._rows(reply, origin, number))
        )

    def images(self, target: str, status: FleetStatus | None) -> DrawnText:
        """The choice of an image for a target; the newest is always one."""
        rows = [[("the newest", data(TelegramAct.DEPLOY, target))]]
        for image in status.images[:IMAGES_SHOWN] if status else ():
            label = _image_label(image, status, self._clock.now()) if status else ""
            rows.append([(label, data(TelegramAct.DEPLOY, target, image.id.removeprefix(_IMAGE)))])
        rows.append([("◀ Back", data(TelegramAct.TARGETS, 0))])
        return DrawnText(f"With which image, {code(target)}?", _keyboard(rows))

    def _rows(self, reply: Reply, origin: Origin, number: int) -> Iterator[Sequence[Label]]:
        match reply:
            case StatusReport():
                shown = status_page(reply)
                yield _turning(TelegramAct.STATUS, shown.number, shown.count, "Refresh")
            case Question():
                yield self._answers(reply, origin)
            case Deploying(progress=seen) if seen.stage is Stage.QUEUED and seen.run_id:
                yield [("Cancel", cancelling(seen.run_id, self._seal))]
            case Notice(ids=ids) if ids:
                yield from _targets(ids, number)
            case Notice() if reply == HELP:
                yield from _in_twos([_asking(one) for one in COMMANDS if one.request is not Help])

    def _answers(self, question: Question, origin: Origin) -> list[Label]:
        acts = (
            (TelegramAct.YES_TO_BUTTON, TelegramAct.NO_TO_BUTTON)
            if origin.by_button
            else (TelegramAct.YES, TelegramAct.NO)
        )
        asker = int(question.asker.partition(":")[2])
        asked = SealedQuestion(asker, int(question.expires), origin.place, question_words(question))
        return [
            (label, sealed(act, asked, self._seal))
            for label, act in zip(("Confirm", "Cancel"), acts, strict=True)
        ]


def text(line: str) -> DrawnText:
    return DrawnText(plain(line))


def image_id(cut: str) -> str:
    """An image's id as it stands in a button, whole again."""
    return f"{_IMAGE}{cut}" if cut else ""


def _asking(command: Command) -> Label:
    """A button that asks for it, with nothing said; one that then asks back has dots."""
    needs = any(option.required for option in command.options)
    return (
        f"{command.name.capitalize()}{' …' if needs else ''}",
        data(TelegramAct.ASK, command.name),
    )


def _in_twos(labels: Sequence[Label]) -> Iterator[Sequence[Label]]:
    for first in range(0, len(labels), 2):
        yield labels[first : first + 2]


def _targets(ids: tuple[str, ...], number: int) -> Iterator[Sequence[Label]]:
    shown = page((ALL, *ids), number, TARGETS_A_PAGE)
    yield from _in_twos([(target, data(TelegramAct.IMAGES, target)) for target in shown.items])
    if shown.count > 1:
        yield _turning(
            TelegramAct.TARGETS, shown.number, shown.count, f"{shown.number + 1}/{shown.count}"
        )


def _turning(act: TelegramAct, number: int, count: int, here: str) -> list[Label]:
    back = [("◀", data(act, number - 1))] if number > 0 else []
    on = [("▶", data(act, number + 1))] if number + 1 < count else []
    return [*back, (here, data(act, number)), *on]


def _image_label(image: Image, status: FleetStatus, now: float) -> str:
    used = sum(row.host is not None and row.host.image == image.id for row in status.rows)
    return f"{image.id} · {older(now - image.created)} old · on {used}"


def _keyboard(
    rows: Iterator[Sequence[Label]] | Sequence[Sequence[Label]],
) -> InlineKeyboardMarkup | None:
    made = [
        [InlineKeyboardButton(printable(name), callback_data=what) for name, what in row]
        for row in rows
    ]
    return InlineKeyboardMarkup(made) if made else None
