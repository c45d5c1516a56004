"""A reply as Discord shows it: its embed, and the buttons below it with our mark on each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import discord

from clawbot import wording
from clawbot.discord.buttons import DiscordAct, DiscordPress, FleetButton, answer, read
from clawbot.discord.embeds import embed
from clawbot.discord.legible import labels, legible_in, seen, texts
from clawbot.discord.mentioned import Mentioned
from clawbot.discord.reports import status_page
from clawbot.page import Page
from clawbot.progress import Stage
from clawbot.replies import (
    Deploying,
    HistoryReport,
    Notice,
    PreflightReport,
    Question,
    Reply,
    StatusReport,
    WatchReport,
)
from clawbot.seal import Seal, legible
from fleet_control.clock import Clock

_STYLES = {
    DiscordAct.YES: discord.ButtonStyle.danger,
    DiscordAct.OVERRIDE: discord.ButtonStyle.danger,
    DiscordAct.CANCEL: discord.ButtonStyle.danger,
    DiscordAct.STOP: discord.ButtonStyle.danger,
}


@dataclass(frozen=True, slots=True)
class DrawnEmbed:
    """What is sent; `view` is None where there is nothing to press, and `called` are those whom it
    calls where it is sent as a new message."""

    embed: discord.Embed
    view: discord.ui.View | None
    called: Mentioned = field(default_factory=Mentioned)

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


class DiscordDrawing:
    """Draws for one bot in its guild: `bot` is the name its key carries.

    A mark holds for that bot, and below the message it was drawn for.
    """

    def __init__(self, seal: Seal, clock: Clock, bot: str, guild: int = 0) -> None:
        self._seal = seal
        self._clock = clock
        self._bot = bot
        self._guild = guild

    def draw(self, reply: Reply, channel: int, message: int) -> DrawnEmbed:
        drawn, presses = embed(reply, self._clock.now(), self._guild), [*_presses(reply)]
        if not presses:
            return DrawnEmbed(drawn, None, _called(reply))
        place = (self._bot, str(channel), str(message))
        shown = legible(*texts(drawn), *(label for label, _ in presses))
        view = discord.ui.View(timeout=None)
        for label, press in presses:
            id_ = press.custom_id(self._seal, *place, label, *_covered(press.act, shown))
            view.add_item(FleetButton(id_, label, _STYLES.get(press.act)))
        return DrawnEmbed(drawn, view)

    def read(self, id_: str, channel: int, message: discord.Message) -> DiscordPress | None:
        """What a button of ours below that message means; None for any other, and where either is
        not as it was drawn."""
        label, shown = dict(labels(message)).get(id_, ""), legible_in(message)
        seen = (label, *_covered(id_.split(":")[1], shown))
        return read(id_, self._seal, self._bot, str(channel), str(message.id), *seen)


def _called(reply: Reply) -> Mentioned:
    """An embed calls nobody whom it names. What is well again is worth nobody's being called."""
    if isinstance(reply, WatchReport) and (reply.wrong or reply.flapping):
        return Mentioned.of(*reply.calls)
    return Mentioned()


def _covered(act: str, shown: str) -> tuple[str, ...]:
    """What of a message its button's mark covers: a list may be turned whatever it shows."""
    return () if DiscordAct(act).reads else (shown,)


def _presses(reply: Reply) -> Iterator[tuple[str, DiscordPress]]:
    match reply:
        case StatusReport():
            yield from _turning(DiscordAct.STATUS, status_page(reply))
        case HistoryReport(shown, target):
            yield from _turning(DiscordAct.HISTORY, shown, f"{target},")
        case PreflightReport(checks=checks) if checks:
            yield "Refresh", DiscordPress(DiscordAct.PREFLIGHT)
        case Question():
            yes = (
                ("Override", DiscordAct.OVERRIDE)
                if reply.override
                else (wording.yes(reply.operation), DiscordAct.YES)
            )
            for label, act in (yes, ("Leave it", DiscordAct.NO)):
                press = answer(reply, act)
                if press is not None:
                    yield label, press
        case Deploying(progress=seen) if seen.stage is Stage.QUEUED and seen.run_id is not None:
            yield "Cancel", DiscordPress(DiscordAct.CANCEL, str(seen.run_id))
        case Notice(runs=run) if run:
            yield wording.STOP, DiscordPress(DiscordAct.STOP, str(run))
        case Deploying(progress=seen) if seen.left:
            yield wording.GO_ON, DiscordPress(DiscordAct.RESUME, str(seen.run_id))


def _turning(act: DiscordAct, page: Page[Any], of: str = "") -> Iterator[tuple[str, DiscordPress]]:
    if page.number > 0:
        yield "◀ Back", DiscordPress(act, f"{of}{page.number - 1}")
    yield "Refresh", DiscordPress(act, f"{of}{page.number}")
    if page.number + 1 < page.count:
        yield "Next ▶", DiscordPress(act, f"{of}{page.number + 1}")
