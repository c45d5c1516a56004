"""A reply drawn for one message: its text, and the buttons below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from clawbot.commands import COMMANDS, HELP, Command, Help
from clawbot.page import page
from clawbot.progress import Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport
from clawbot.seal import Seal
from clawbot.telegram.button import Act, Asked, cancelling, data, sealed
from clawbot.telegram.markup import code, plain, question_words, render, status_page
from fleet_control.caller import ALL
from fleet_control.clock import Clock
from fleet_control.duration import older
from fleet_control.reading import Image
from fleet_control.status import FleetStatus

TARGETS_A_PAGE = 24
IMAGES_SHOWN = 8
_IMAGE = "ami-"

Label = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is sent; `keyboard` is None where there is nothing to press."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What asked: a message of somebody's, or a button below message `message` of ours."""

    chat: int
    message: int
    by_button: bool = False

    @property
    def place(self) -> tuple[str, ...]:
        return (str(self.chat), str(self.message))


class Drawing:
    """Draws for one bot; its marks hold for that bot only."""

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock

    def draw(self, reply: Reply, origin: Origin, number: int = 0) -> Drawn:
        """`number` is the page of a choice."""
        return Drawn(render(reply, self._clock.now()), _keyboard(self._rows(reply, origin, number)))

    def images(self, target: str, status: FleetStatus | None) -> Drawn:
        """The choice of an image for a target; the newest is always one."""
        rows = [[("the newest", data(Act.DEPLOY, target))]]
        for image in status.images[:IMAGES_SHOWN] if status else ():
            label = _image_label(image, status, self._clock.now()) if status else ""
            rows.append([(label, data(Act.DEPLOY, target, image.id.removeprefix(_IMAGE)))])
        rows.append([("◀ Back", data(Act.TARGETS, 0))])
        return Drawn(f"With which image, {code(target)}?", _keyboard(rows))

    def _rows(self, reply: Reply, origin: Origin, number: int) -> Iterator[Sequence[Label]]:
        match reply:
            case StatusReport():
                shown = status_page(reply)
                yield _turning(Act.STATUS, shown.number, shown.count, "Refresh")
            case Question():
                yield self._answers(reply, origin)
            case Deploying(progress=seen) if seen.stage is Stage.QUEUED and seen.run_id:
                yield [("Cancel", cancelling(seen.run_id, self._seal))]
            case Notice(ids=ids) if ids:
                yield from _targets(ids, number)
            case Notice() if reply == HELP:
                yield from _in_twos([_asking(one) for one in COMMANDS if one.request is not Help])

    def _answers(self, question: Question, origin: Origin) -> list[Label]:
        acts = (Act.YES_TO_BUTTON, Act.NO_TO_BUTTON) if origin.by_button else (Act.YES, Act.NO)
        asker = int(question.asker.partition(":")[2])
        asked = Asked(asker, int(question.expires), origin.place, question_words(question))
        return [
            (label, sealed(act, asked, self._seal))
            for label, act in zip(("Confirm", "Cancel"), acts, strict=True)
        ]


def text(line: str) -> Drawn:
    return Drawn(plain(line))


def image_id(cut: str) -> str:
    """An image's id as it stands in a button, whole again."""
    return f"{_IMAGE}{cut}" if cut else ""


def _asking(command: Command) -> Label:
    """A button that asks for it, with nothing said; one that then asks back has dots."""
    needs = any(option.required for option in command.options)
    return f"{command.name.capitalize()}{' …' if needs else ''}", data(Act.ASK, command.name)


def _in_twos(labels: Sequence[Label]) -> Iterator[Sequence[Label]]:
    for first in range(0, len(labels), 2):
        yield labels[first : first + 2]


def _targets(ids: tuple[str, ...], number: int) -> Iterator[Sequence[Label]]:
    shown = page((ALL, *ids), number, TARGETS_A_PAGE)
    yield from _in_twos([(target, data(Act.IMAGES, target)) for target in shown.items])
    if shown.count > 1:
        yield _turning(Act.TARGETS, shown.number, shown.count, f"{shown.number + 1}/{shown.count}")


def _turning(act: Act, number: int, count: int, here: str) -> list[Label]:
    back = [("◀", data(act, number - 1))] if number > 0 else []
    on = [("▶", data(act, number + 1))] if number + 1 < count else []
    return [*back, (here, data(act, number)), *on]


def _image_label(image: Image, status: FleetStatus, now: float) -> str:
    used = sum(row.host is not None and row.host.image == image.id for row in status.rows)
    return f"{image.id} · {older(now - image.created)} old · on {used}"


def _keyboard(
    rows: Iterator[Sequence[Label]] | Sequence[Sequence[Label]],
) -> InlineKeyboardMarkup | None:
    made = [[InlineKeyboardButton(name, callback_data=what) for name, what in row] for row in rows]
    return InlineKeyboardMarkup(made) if made else None
