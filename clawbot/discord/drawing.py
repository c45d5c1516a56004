"""A reply drawn for one message: its embed, and the buttons below it."""

from collections.abc import Iterator
from dataclasses import dataclass

import discord

from clawbot.discord import custom_id
from clawbot.discord.button import FleetButton
from clawbot.discord.custom_id import Act, Press
from clawbot.discord.markup import embed, status_page
from clawbot.progress import Stage
from clawbot.replies import Deploying, Question, Reply, StatusReport
from clawbot.seal import Seal
from fleet_control.clock import Clock

_STYLES = {Act.YES: discord.ButtonStyle.danger, Act.CANCEL: discord.ButtonStyle.danger}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is sent; `view` is None where there is nothing to press."""

    embed: discord.Embed
    view: discord.ui.View | None

    @property
    def told(self) -> tuple[object, ...]:
        """What a reader sees of it: two drawings that say the same are equal in this."""
        view = self.view
        labels = (
            [item.item.label for item in view.children if isinstance(item, FleetButton)]
            if view
            else []
        )
        return (*seen(self.embed), tuple(labels))


def seen(one: discord.Embed) -> tuple[object, ...]:
    fields = tuple((field.name, field.value) for field in one.fields)
    return (one.title, one.description, one.footer.text, one.colour, fields)


class Drawing:
    """Draws for one bot: `bot` is the name its key carries.

    A mark holds for that bot, and below the message it was drawn for.
    """

    def __init__(self, seal: Seal, clock: Clock, bot: str) -> None:
        self._seal = seal
        self._clock = clock
        self._bot = bot

    def draw(self, reply: Reply, channel: int, message: int) -> Drawn:
        place = (self._bot, str(channel), str(message))
        buttons = [
            FleetButton(press.custom_id(self._seal, *place), label, _STYLES.get(press.act))
            for label, press in _presses(reply)
        ]
        if not buttons:
            return Drawn(embed(reply, self._clock.now()), None)
        view = discord.ui.View(timeout=None)
        for button in buttons:
            view.add_item(button)
        return Drawn(embed(reply, self._clock.now()), view)

    def read(self, id_: str, channel: int, message: int) -> Press | None:
        """What a button of ours below that message means; None for any other."""
        return custom_id.read(id_, self._seal, self._bot, str(channel), str(message))


def _presses(reply: Reply) -> Iterator[tuple[str, Press]]:
    match reply:
        case StatusReport():
            yield from _turning(reply)
        case Question():
            for label, act in (("Deploy", Act.YES), ("Leave it", Act.NO)):
                press = custom_id.answer(reply, act)
                if press is not None:
                    yield label, press
        case Deploying(progress=seen) if seen.stage is Stage.QUEUED and seen.run_id is not None:
            yield "Cancel", Press(Act.CANCEL, str(seen.run_id))


def _turning(report: StatusReport) -> Iterator[tuple[str, Press]]:
    page = status_page(report)
    if page.number > 0:
        yield "◀ Back", Press(Act.STATUS, str(page.number - 1))
    yield "Refresh", Press(Act.STATUS, str(page.number))
    if page.number + 1 < page.count:
        yield "Next ▶", Press(Act.STATUS, str(page.number + 1))
