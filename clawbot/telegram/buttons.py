"""The buttons below a reply, and how they are drawn."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessage,
    Message,
)

from clawbot import wording
from clawbot.commands import COMMANDS, HELP, Command, command_of
from clawbot.page import page
from clawbot.parsing import acts
from clawbot.progress import Stage
from clawbot.replies import (
    Deploying,
    HistoryReport,
    Notice,
    PreflightReport,
    Question,
    Reply,
    StatusReport,
)
from clawbot.requests import Help, Preflight
from clawbot.seal import Seal, legible
from clawbot.telegram.button_data import (
    SealedQuestion,
    TelegramAct,
    TelegramPress,
    data,
    of_run,
    sealed,
)
from clawbot.telegram.fleet_messages import called, over
from clawbot.telegram.markup import as_read, code, plain
from clawbot.telegram.messages import question_words, render, status_page
from fleet_control.caller import ALL, is_target
from fleet_control.clock import Clock
from fleet_control.duration import older
from fleet_control.host import Image
from fleet_control.ledger import Operation
from fleet_control.line import printable
from fleet_control.status import FleetStatus

TARGETS_A_PAGE = 24
IMAGES_SHOWN = 8
_IMAGE = "ami-"
_CONFIRM, _OVERRIDE, _CANCEL = "Confirm", "Override", "Cancel"
_NEWEST, _REFRESH, _BACK, _ON, _BACK_TO_TARGETS = "the newest", "Refresh", "◀", "▶", "◀ Back"
_HERE = re.compile(r"^\d+/\d+$")
_PREFLIGHT = command_of(Preflight())

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
    """Draws for one bot; its marks hold for that bot only.

    Attributes:
        names: the names of those whom the fleet's channel may call, by their accounts' numbers.
    """

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self.names: dict[int, str] = {}
        self._seal = seal
        self._clock = clock

    def draw(self, reply: Reply, origin: Origin, number: int = 0) -> DrawnText:
        """`number` is the page of a choice."""
        html = render(reply, self._clock.now(), self.names)
        return DrawnText(html, _keyboard(self._rows(reply, as_read(html), origin, number)))

    def call(self, reply: Deploying) -> DrawnText | None:
        """The message that calls those whom a deploy's end concerns; None for nobody."""
        return DrawnText(over(reply, self.names)) if called(reply) else None

    def images(self, target: str, status: FleetStatus | None) -> DrawnText:
        """The choice of an image for a target; the newest is always one."""
        rows = [[(_NEWEST, data(TelegramAct.DEPLOY, target))]]
        for image in status.images[:IMAGES_SHOWN] if status else ():
            label = _image_label(image, status, self._clock.now()) if status else ""
            rows.append([(label, data(TelegramAct.DEPLOY, target, image.id.removeprefix(_IMAGE)))])
        rows.append([(_BACK_TO_TARGETS, data(TelegramAct.TARGETS, 0))])
        return DrawnText(f"With which image, {code(target)}?", _keyboard(rows))

    def _rows(
        self, reply: Reply, text: str, origin: Origin, number: int
    ) -> Iterator[Sequence[Label]]:
        match reply:
            case StatusReport():
                shown = status_page(reply)
                yield _turning(TelegramAct.STATUS, shown.number, shown.count, _REFRESH)
            case HistoryReport(shown, target):
                yield _turning(TelegramAct.HISTORY, shown.number, shown.count, _REFRESH, target)
            case PreflightReport(checks=checks) if checks:
                yield [(_REFRESH, _asking(_PREFLIGHT)[1])]
            case Question():
                yield self._answers(reply, text, origin)
            case Deploying(progress=seen) if seen.stage is Stage.QUEUED and seen.run_id:
                yield [self._of_run(TelegramAct.CANCEL, _CANCEL, seen.run_id, text)]
            case Deploying(progress=seen) if seen.run_id and seen.left:
                yield [self._of_run(TelegramAct.RESUME, wording.GO_ON, seen.run_id, text)]
            case Notice(runs=run) if run:
                yield [self._of_run(TelegramAct.STOP, wording.STOP, run, text)]
            case Notice(ids=ids, ids_of=name) if ids:
                yield from _targets(ids, number, name)
            case Notice() if reply == HELP:
                yield from _in_twos([_asking(one) for one in COMMANDS if _is_pressed(one)])

    def _of_run(self, act: TelegramAct, label: str, run_id: int, text: str) -> Label:
        return (label, of_run(act, run_id, self._seal, label, legible(text, label)))

    def _answers(self, question: Question, text: str, origin: Origin) -> list[Label]:
        yes, override, no = (
            (TelegramAct.YES_TO_BUTTON, TelegramAct.OVERRIDE_TO_BUTTON, TelegramAct.NO_TO_BUTTON)
            if origin.by_button or question.operation
            else (TelegramAct.YES, TelegramAct.OVERRIDE, TelegramAct.NO)
        )
        confirm = (_OVERRIDE, override) if question.override else (_CONFIRM, yes)
        answers = (confirm, (_CANCEL, no))
        asker = int(question.asker.partition(":")[2])
        until, words = int(question.expires), question_words(question)
        asked = SealedQuestion(asker, until, origin.place, words, question.plan)
        shown = legible(text, *(label for label, _ in answers))
        return [(label, sealed(act, asked, self._seal, label, shown)) for label, act in answers]


def text(line: str) -> DrawnText:
    return DrawnText(plain(line))


def image_id(cut: str) -> str:
    """An image's id as it stands in a button, whole again."""
    return f"{_IMAGE}{cut}" if cut else ""


def offers(press: TelegramPress, label: str, target: str) -> bool:
    """Whether we draw this choice with that label, below a message that names `target`."""
    labels: list[str] = []
    match press.act, press.rest:
        case TelegramAct.ASK, (name,):
            labels = [_asking(one)[0] for one in COMMANDS if one.name == name and _is_pressed(one)]
            labels += [_REFRESH] * (name == _PREFLIGHT.name)
        case (TelegramAct.STATUS, _) | (TelegramAct.HISTORY, (_, _)):
            labels = [_BACK, _ON, _REFRESH]
        case TelegramAct.TARGETS, _:
            labels = [_BACK, _ON, _BACK_TO_TARGETS, *_HERE.findall(label)]
        case TelegramAct.IMAGES | TelegramAct.ROLLBACK, (named,) if is_target(named):
            labels = [named]
        case TelegramAct.DEPLOY, (named,) if named == target:
            labels = [_NEWEST]
        case TelegramAct.DEPLOY, (named, image) if named == target:
            return label.startswith(f"{image_id(image)} ")
    return label in labels


def _is_pressed(command: Command) -> bool:
    """Whether it is asked for by a button: not what acts at once, since anybody who has our token
    can draw one."""
    return command.request is not Help and not acts(command.request())


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


def _targets(ids: tuple[str, ...], number: int, name: str) -> Iterator[Sequence[Label]]:
    """The targets of the command of that name."""
    back = name == Operation.ROLLBACK
    act = TelegramAct.ROLLBACK if back else TelegramAct.IMAGES
    shown = page((ALL, *ids), number, TARGETS_A_PAGE)
    yield from _in_twos([(target, data(act, target)) for target in shown.items])
    if shown.count > 1:
        here, of = f"{shown.number + 1}/{shown.count}", [name] * back
        yield _turning(TelegramAct.TARGETS, shown.number, shown.count, here, *of)


def _turning(act: TelegramAct, number: int, count: int, here: str, *of: str) -> list[Label]:
    back = [(_BACK, data(act, number - 1, *of))] if number > 0 else []
    on = [(_ON, data(act, number + 1, *of))] if number + 1 < count else []
    return [*back, (here, data(act, number, *of)), *on]


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
